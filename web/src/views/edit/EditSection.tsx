/** What a person may change of the selected cluster: only where the server was started for it. */

import { useEffect, useMemo, useState } from "preact/hooks";
import { type Cluster, type TreeNode, ROOT, fetchTree } from "../../api";
import { Loading, Notice } from "../../components/Notice";
import { Section } from "../../components/View";
import { type Edit, type Edits, type NewEdit, addEdit, checkTitle, fetchEdits } from "../../live";
import { useResource } from "../../resource";

interface Props {
  cluster: Cluster;
  facet: string | null;
}

export function EditSection({ cluster, facet }: Props) {
  const [version, setVersion] = useState(0);
  const [said, setSaid] = useState<{ text: string; failed: boolean } | null>(null);
  const [busy, setBusy] = useState(false);
  const edits = useResource(`edits ${version} ${performance.timeOrigin}`, fetchEdits);
  const tree = useResource(`tree ${facet}`, (signal) => fetchTree(facet, signal));
  useEffect(() => setSaid(null), [cluster.cluster_id]);

  const make = async (edit: NewEdit, done: string) => {
    setBusy(true);
    try {
      const { reasons } =
        edit.action === "rename"
          ? await checkTitle(edit.cluster_id, edit.title)
          : { reasons: [] };
      if (reasons.length > 0) {
        setSaid({ text: `This title may not be shown: ${reasons.join("; ")}.`, failed: true });
      } else {
        await addEdit(edit);
        setSaid({ text: done, failed: false });
        setVersion((before) => before + 1);
      }
    } catch (error) {
      setSaid({ text: (error as Error).message, failed: true });
    }
    setBusy(false);
  };

  return (
    <Section
      title="Edit"
      lead="Changes are kept in the run’s file of edits. The pipeline applies them and the gate decides what is shown."
    >
      {cluster.cluster_id !== ROOT && (
        <Forms
          key={cluster.cluster_id}
          cluster={cluster}
          nodes={tree.data?.nodes ?? []}
          busy={busy}
          make={make}
        />
      )}
      <p role="status" class={said?.failed ? "edit-said failed" : "edit-said"}>
        {said?.text}
      </p>
      {edits.error ? (
        <Notice kind="error" title="The edits could not be loaded">
          {edits.error.message}
        </Notice>
      ) : edits.data ? (
        <List edits={edits.data} nodes={tree.data?.nodes ?? []} busy={busy} make={make} />
      ) : (
        <Loading lines={2} />
      )}
    </Section>
  );
}

type Make = (edit: NewEdit, done: string) => Promise<void>;

interface FormsProps {
  cluster: Cluster;
  nodes: TreeNode[];
  busy: boolean;
  make: Make;
}

function Forms({ cluster, nodes, busy, make }: FormsProps) {
  const id = cluster.cluster_id;
  const [title, setTitle] = useState(cluster.title);
  const [into, setInto] = useState("");
  const [parent, setParent] = useState("");
  const [peers, parents] = useMemo(() => {
    const at = nodes.filter((node) => node.id !== id && node.id !== ROOT);
    return [
      at.filter((node) => node.level === cluster.level),
      at.filter((node) => node.level === cluster.level + 1 && node.id !== cluster.parent_id),
    ];
  }, [nodes, id]);
  return (
    <div class="edit-forms">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void make(
            { action: "rename", cluster_id: id, title: title.trim() },
            "The title may be shown; it waits for the next run.",
          );
        }}
      >
        <label>
          Title
          <input
            type="text"
            value={title}
            maxLength={120}
            required
            dir="auto"
            onInput={(event) => setTitle(event.currentTarget.value)}
          />
        </label>
        <button type="submit" disabled={busy || title.trim() === "" || title.trim() === cluster.title}>
          Rename
        </button>
      </form>
      <Choice
        label="Make it a part of"
        action="Merge"
        nodes={peers}
        value={into}
        setValue={setInto}
        busy={busy}
        done={() =>
          void make({ action: "merge", cluster_id: id, into }, "The merge waits for the next run.")
        }
      />
      {parents.length > 0 && (
        <Choice
          label="Put it under"
          action="Move"
          nodes={parents}
          value={parent}
          setValue={setParent}
          busy={busy}
          done={() =>
            void make(
              { action: "move", cluster_id: id, parent_id: parent },
              "The move waits for the next run.",
            )
          }
        />
      )}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void make({ action: "hide", cluster_id: id }, "The cluster is hidden by the next run.");
        }}
      >
        <span>Hide it, and what is under it: its conversations count in “other”.</span>
        <button type="submit" disabled={busy}>
          Hide
        </button>
      </form>
    </div>
  );
}

interface ChoiceProps {
  label: string;
  action: string;
  nodes: TreeNode[];
  value: string;
  setValue: (value: string) => void;
  busy: boolean;
  done: () => void;
}

function Choice({ label, action, nodes, value, setValue, busy, done }: ChoiceProps) {
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        done();
      }}
    >
      <label>
        {label}
        <select value={value} onChange={(event) => setValue(event.currentTarget.value)}>
          <option value="">Choose a cluster</option>
          {nodes.map((node) => (
            <option key={node.id} value={node.id}>
              {node.title}
            </option>
          ))}
        </select>
      </label>
      <button type="submit" disabled={busy || value === ""}>
        {action}
      </button>
    </form>
  );
}

const VERBS = { rename: "Rename", merge: "Merge", move: "Move", hide: "Hide", undo: "Undo" };

interface ListProps {
  edits: Edits;
  nodes: TreeNode[];
  busy: boolean;
  make: Make;
}

function List({ edits, nodes, busy, make }: ListProps) {
  const titles = useMemo(() => new Map(nodes.map((node) => [node.id, node.title])), [nodes]);
  const called = (id: string | null) => (id === null ? "" : (titles.get(id) ?? id));
  const open = edits.edits.filter((edit) => edit.state !== "undo" && edit.state !== "undone");
  const waiting = open.filter((edit) => edit.state === "waiting").length;
  const undone = edits.edits.length - open.length;
  if (edits.edits.length === 0) return <p class="quiet">No edit yet.</p>;
  return (
    <>
      {waiting > 0 && (
        <p>
          {waiting === 1 ? "One edit waits" : `${waiting} edits wait`} for <code>{edits.command}</code>
        </p>
      )}
      <ul class="edits" aria-label="Edits">
        {open.map((edit) => (
          <li key={edit.edit}>
            <span>
              <b>{VERBS[edit.action]}</b> <span dir="auto">{called(edit.cluster_id)}</span>
              {target(edit, called)} <span class="tag">{edit.state}</span>
              {edit.reasons.map((reason) => (
                <span key={reason} class="quiet">
                  {" "}
                  {reason}
                </span>
              ))}
            </span>
            <button
              type="button"
              disabled={busy}
              aria-label={`Undo: ${VERBS[edit.action]} ${called(edit.cluster_id)}`}
              onClick={() =>
                void make({ action: "undo", undoes: edit.edit }, "Undone; the next run shows it.")
              }
            >
              Undo
            </button>
          </li>
        ))}
      </ul>
      {undone > 0 && <p class="quiet">{undone} more lines of the file are undone, or undo.</p>}
    </>
  );
}

function target(edit: Edit, called: (id: string | null) => string) {
  if (edit.action === "rename") return <> to <q dir="auto">{edit.title}</q></>;
  if (edit.action === "merge") return <> into <span dir="auto">{called(edit.into)}</span></>;
  if (edit.action === "move") return <> under <span dir="auto">{called(edit.parent_id)}</span></>;
  return null;
}
