/** A combo box over all clusters, after the ARIA pattern for a list that is filtered by typing. */

import { useId, useMemo, useState } from "preact/hooks";
import { type TreeNode, ROOT } from "../../api";
import { percent } from "../../format";
import { folded } from "../../values";

const SHOWN = 12;

interface Props {
  nodes: TreeNode[];
  picked: string[];
  full: boolean;
  label?: string;
  pick: (id: string) => void;
}

export function Picker({ nodes, picked, full, label = "Add a cluster", pick }: Props) {
  const [text, setText] = useState("");
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(0);
  const id = useId();

  const hits = useMemo(() => {
    const words = folded(text).split(/\s+/).filter(Boolean);
    return nodes
      .filter((node) => !picked.includes(node.id))
      .filter((node) => {
        const title = folded(node.title);
        return words.every((word) => title.includes(word));
      })
      .sort((a, b) => b.share - a.share)
      .slice(0, SHOWN);
  }, [nodes, picked, text]);
  const current = Math.min(active, hits.length - 1);

  const choose = (node: TreeNode | undefined) => {
    if (!node) return;
    pick(node.id);
    setText("");
    setActive(0);
    setOpen(false);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const step = event.key === "ArrowDown" ? 1 : -1;
      if (open) setActive((current + step + hits.length) % Math.max(hits.length, 1));
      setOpen(true);
    } else if (event.key === "Enter" && open) choose(hits[current]);
    else if (event.key === "Escape") {
      if (!open) setText("");
      setOpen(false);
    } else return;
    event.preventDefault();
  };

  const shown = open && !full;
  return (
    <div class="picker">
      <input
        type="text"
        role="combobox"
        aria-label={label}
        aria-expanded={shown}
        aria-controls={`${id}list`}
        aria-autocomplete="list"
        aria-activedescendant={shown && current >= 0 ? `${id}${current}` : undefined}
        placeholder={full ? "Eight at once; remove one to add another" : `${label}…`}
        autocomplete="off"
        spellcheck={false}
        disabled={full}
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setActive(0);
          setOpen(true);
        }}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onKeyDown={onKeyDown}
      />
      <ul role="listbox" id={`${id}list`} aria-label="Clusters" hidden={!shown}>
        {shown &&
          hits.map((node, i) => (
            <li
              key={node.id}
              id={`${id}${i}`}
              role="option"
              aria-selected={i === current}
              // The box would lose the focus, and close, before the click arrives.
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => choose(node)}
            >
              <span dir="auto">{node.title}</span>
              <span class="quiet">{node.id === ROOT ? "all" : percent(node.share)}</span>
            </li>
          ))}
        {shown && hits.length === 0 && (
          <li role="option" aria-selected={false} aria-disabled="true" class="quiet">
            No title holds these words
          </li>
        )}
      </ul>
    </div>
  );
}
