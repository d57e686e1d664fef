"""How far estimates of tokens are off, by data set and language; with --write, new rates.

    pip install tiktoken tokenizers; pip download --no-deps litellm anthropic==0.34.2
    python benchmarks/models/tokens.py --openai DIR --claude FILE --data DIR [--write]

Tokenizers, none of which comes with this project:

- o200k_base and cl100k_base of OpenAI: the folder ``litellm/litellm_core_utils/tokenizers`` of the
  package litellm on PyPI, which is a cache of tiktoken's;
- Claude 2's: ``anthropic/tokenizer.json`` of the package anthropic 0.34 on PyPI. Later ones are not
  public.

Texts: whole conversations of the data sets in ``--data`` (``*.jsonl.gz``, the project's input
format), generated ones in fifteen languages, and prompts about the English ones of these. Rates are
fitted on every other conversation, by non-negative least squares on relative errors, each set
weighing alike and those that are not generated more; errors are of the others. *total*: the error
of the sum over the set. *each*: the mean of the conversations' absolute errors.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray
from scipy.optimize import nnls

from clio.analysts import tokens
from clio.analysts.model import ModelAnalyst
from clio.conversation import Conversation
from clio.facets.asked import standard_facets
from clio.testing import generate
from clio.testing.scripted import ScriptedAsker

GENERATED = 12_000
REAL_WEIGHT = 3.0
RIDGE = 1e-3
ANALYST = ModelAnalyst(
    ScriptedAsker(lambda _: None), standard_facets(), key=bytes(32), identifiers=lambda _: False
)
RATES = Path(tokens.__file__).with_name("tokens.toml")

Texts = dict[str, list[str]]


def texts(folder: Path) -> Texts:
    """Conversations by data set and by language."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted(folder.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as rows:
            for row in rows:
                turns = json.loads(row)["messages"]
                found[path.name.removesuffix(".jsonl.gz")].append(
                    "\n".join(str(turn["content"]) for turn in turns)
                )
    for conversation in generate(GENERATED, seed=1, languages="even"):
        text = "\n".join(message.content for message in conversation.messages)
        found[f"generated, {conversation.labels['language']}"].append(text)
        if conversation.labels["language"] == "en":
            found["facet prompts"] += _prompts(conversation)
    return dict(found)


def _prompts(conversation: Conversation) -> list[str]:
    """What a model is sent about a conversation, with the schema of its answer."""
    return [
        "\n".join((prompt.system, orjson.dumps(prompt.schema).decode(), prompt.user))
        for prompt in ANALYST.prompts([conversation])
    ]


def counts(sets: Texts, openai: Path, claude: Path) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Tokens of each conversation, by tokenizer and set."""
    os.environ["TIKTOKEN_CACHE_DIR"] = str(openai)
    import tiktoken
    from tokenizers import Tokenizer

    found: dict[str, dict[str, NDArray[np.float64]]] = {}
    for name in ("o200k", "cl100k"):
        encoding = tiktoken.get_encoding(f"{name}_base")
        found[name] = {
            key: np.array([len(t) for t in encoding.encode_ordinary_batch(group)], float)
            for key, group in sets.items()
        }
    encoder = Tokenizer.from_file(str(claude))
    found["claude"] = {
        key: np.array([len(t) for t in encoder.encode_batch(group)], float)
        for key, group in sets.items()
    }
    return found


def fit(
    features: dict[str, NDArray[np.float64]], counted: dict[str, NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Rates from every other conversation."""
    rows, values = [], []
    for key, group in features.items():
        true = counted[key][::2]
        weight = (1.0 if key.startswith("generated") else REAL_WEIGHT) / np.sqrt(
            np.maximum(true, 5.0) * true.sum()
        )
        rows.append(group[::2] * weight[:, None])
        values.append(true * weight)
    size = rows[0].shape[1]
    solved, _ = nnls(
        np.vstack([*rows, np.eye(size) * RIDGE]), np.concatenate([*values, np.zeros(size)])
    )
    return np.asarray(solved)


def write(fitted: dict[str, NDArray[np.float64]]) -> None:
    """The file that `clio.analysts.tokens` reads."""
    kinds, n = tokens.KINDS, len(tokens.KINDS)
    lines = [
        "# Tokens a character and a run of them, by kind; written by benchmarks/models/tokens.py."
    ]
    for name, rates in fitted.items():
        lines += ["", f"[{name}]"]
        lines += [
            f'"{kind}" = [{rates[i]:.3f}, {rates[n + i]:.3f}]' for i, kind in enumerate(kinds)
        ]
        lines += [f'"{kind}" = {rates[2 * n + i]:.3f}' for i, kind in enumerate(tokens.FOREIGN)]
    RATES.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Fit where asked, and print errors as a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--openai", type=Path, required=True)
    parser.add_argument("--claude", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    sets = texts(arguments.data)
    counted = counts(sets, arguments.openai, arguments.claude)
    if arguments.write:
        features = {
            key: np.array([tokens.features(text) for text in group]) for key, group in sets.items()
        }
        write({name: fit(features, of) for name, of in counted.items()})
    names: tuple[tokens.Tokenizer, ...] = ("o200k", "cl100k", "claude")
    print("| texts | " + " | ".join(f"{name}: total | each" for name in names) + " |")
    print("| --- |" + " ---: | ---: |" * len(names))
    for key, group in sets.items():
        cells = []
        for name in names:
            true = counted[name][key][1::2]
            guess = np.array([tokens.count_tokens(text, name) for text in group[1::2]])
            each = np.mean(np.abs(guess - true) / np.maximum(true, 1))
            cells += [f"{guess.sum() / true.sum() - 1:+.1%}", f"{each:.1%}"]
        print(f"| {key} | " + " | ".join(cells) + " |")
    everything = "\n".join(text for group in sets.values() for text in group)
    megabytes = len(everything.encode()) / 1e6
    begin = time.process_time()
    tokens.count_tokens(everything)
    one = megabytes / (time.process_time() - begin)
    begin = time.process_time()
    n = sum(tokens.count_tokens(text) >= 0 for group in sets.values() for text in group)
    rate = (time.process_time() - begin) / n
    print(f"\n{one:.0f} MB/s in one text; {rate * 1e6:.0f} µs a conversation.")


if __name__ == "__main__":
    main()
