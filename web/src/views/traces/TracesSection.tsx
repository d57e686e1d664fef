/** Conversations of the selected cluster: only of a server that was started to show them. */

import { useEffect, useState } from "preact/hooks";
import { Loading, Notice } from "../../components/Notice";
import { Section } from "../../components/View";
import { count, counted, dayWords, name } from "../../format";
import { type Trace, fetchTraces } from "../../live";
import { useResource } from "../../resource";

const A_PAGE = 5;

export function TracesSection({ id }: { id: string }) {
  const [asked, setAsked] = useState(false);
  const [offset, setOffset] = useState(0);
  useEffect(() => {
    setAsked(false);
    setOffset(0);
  }, [id]);
  const found = useResource(asked ? `traces ${id} ${offset}` : null, (signal) =>
    fetchTraces(id, offset, A_PAGE, signal),
  );
  const { data } = found;
  return (
    <Section title="Conversations">
      <div class="notice restricted" role="note">
        <strong>Not anonymous, do not share.</strong>
        <p>
          These are the conversations themselves, as they were read, not what passed the privacy
          gate. Each look is noted in the run’s access log.
        </p>
      </div>
      {!asked ? (
        <p class="actions">
          <button type="button" onClick={() => setAsked(true)}>
            Show conversations
          </button>
        </p>
      ) : found.error ? (
        <Notice kind="error" title="The conversations could not be loaded">
          {found.error.message}
        </Notice>
      ) : !data ? (
        <Loading lines={6} />
      ) : data.total === 0 ? (
        <Notice kind="empty" title="No conversation">
          Since the last edit none is in this cluster.
        </Notice>
      ) : (
        <>
          <p class="quiet" role="status">
            {count(offset + 1)} to {count(offset + data.conversations.length)} of{" "}
            {counted(data.total, "conversation")}, the latest first
          </p>
          <ol class="traces" aria-label="Conversations">
            {data.conversations.map((trace) => (
              <li key={trace.conversation_id} class="card">
                <Conversation trace={trace} />
              </li>
            ))}
          </ol>
          <p class="actions">
            <button
              type="button"
              disabled={offset === 0}
              onClick={() => setOffset(Math.max(0, offset - A_PAGE))}
            >
              Previous
            </button>
            <button
              type="button"
              disabled={offset + A_PAGE >= data.total}
              onClick={() => setOffset(offset + A_PAGE)}
            >
              Next
            </button>
          </p>
        </>
      )}
    </Section>
  );
}

function Conversation({ trace }: { trace: Trace }) {
  return (
    <article>
      <p class="quiet">
        {trace.created_at === null ? "without a date" : dayWords(trace.created_at.slice(0, 10))}{" "}
        <code>{trace.conversation_id}</code>
      </p>
      {trace.messages.map((message, i) => (
        <div key={i} class={message.role === "user" ? "turn turn-user" : "turn"}>
          <b>{name(message.role)}</b>
          <p dir="auto">
            {message.content}
            {message.cut && <span class="quiet"> … (cut)</span>}
          </p>
        </div>
      ))}
      {trace.not_shown > 0 && (
        <p class="quiet">{counted(trace.not_shown, "further message")} not shown</p>
      )}
    </article>
  );
}
