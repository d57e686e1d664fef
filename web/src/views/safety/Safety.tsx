/** What the safety role sees: nothing of it is anonymous, and each look is noted. */

import { useState } from "preact/hooks";
import type { ReleaseResponse } from "../../api";
import { ApiError } from "../../data/errors";
import { Loading, Notice } from "../../components/Notice";
import { Section, View } from "../../components/View";
import { type Serving, fetchSession, leaveSafety, useServing } from "../../live";
import { useResource } from "../../resource";
import type { Navigate, Route } from "../../route";
import { Concern } from "./Concern";
import { Flags } from "./Flags";
import { Found } from "./Found";
import { Networks } from "./Networks";

interface Props {
  release: ReleaseResponse;
  route: Route;
  navigate: Navigate;
}

const CLOCK = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit" });

export function Safety(props: Props) {
  const serving = useServing();
  return (
    <View title="Safety" lead="The whole tree, without thresholds, for the safety role alone.">
      <Entrance serving={serving} {...props} />
    </View>
  );
}

function Entrance({ serving, route, navigate }: Props & { serving: Serving }) {
  const [left, setLeft] = useState(false);
  const open = serving.role === "safety" && !left;
  const session = useResource(open ? "session" : null, fetchSession);
  if (left) {
    return (
      <Notice kind="empty" title="The session is over">
        Another look needs another link: clio token RUN.
      </Notice>
    );
  }
  if (!open) {
    return (
      <Notice kind="withheld" title="Not on this server">
        It serves the release alone. The safety role looks by clio serve RUN --role safety.
      </Notice>
    );
  }
  if (session.error) {
    const closed = session.error instanceof ApiError && session.error.status === 401;
    return (
      <Notice kind={closed ? "withheld" : "error"} title="No session">
        {closed
          ? "Come in by a one-time link: clio token RUN prints one."
          : session.error.message}
      </Notice>
    );
  }
  if (!session.data) return <Loading lines={6} />;
  return (
    <>
      <div class="notice restricted" role="note">
        <strong>Restricted, not anonymous.</strong>
        <p>
          Titles here have not passed the privacy gate. Each look is noted in the run’s access log.
          Leads are no findings: nothing here is a reason to act against an account by itself. The
          session ends at {CLOCK.format(new Date(session.data.until))}.{" "}
          <button type="button" class="link" onClick={() => void leaveSafety().then(() => setLeft(true))}>
            End it now
          </button>
        </p>
      </div>
      <Section title="Concern" lead="Mean concern of conversations, 1 to 5, over the whole tree">
        <Concern route={route} navigate={navigate} />
      </Section>
      <Section
        title="Networks"
        lead="Accounts that act together beyond chance, and groups that share an innocent source"
      >
        <Networks />
      </Section>
      <Section
        title="Classifier against Clio"
        lead="Each cluster’s flagged share beside its concern: where they part, one of them may be wrong"
      >
        <Flags />
      </Section>
      <Section title="Changes lately" lead="All that the last look found, what may not be released too">
        <Found />
      </Section>
    </>
  );
}
