"""The data card for people who decide with it, as Markdown; and both cards written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import orjson

from clio.exporting.card import JSON, DataCard, Formal, Group, when

MARKDOWN: Final = "DATACARD.md"

_LIMITS: Final = (
    (
        {"accounts", "conversations"},
        "a cluster has at least {accounts:,} accounts and {conversations:,} conversations",
    ),
    (
        {"cell_accounts", "cell_conversations"},
        "a cell of a breakdown or a trend {cell_accounts:,} and {cell_conversations:,}",
    ),
    (
        {"top1_share", "top2_share"},
        "no account makes up more than {top1_share:.0%} of a cluster, no two more than "
        "{top2_share:.0%}",
    ),
    (
        {"word_accounts", "sensitive_word_accounts"},
        "a content word of a title or summary was used by at least {word_accounts:,} accounts of "
        "that cluster, a sensitive one by {sensitive_word_accounts:,}, or is of a closed list",
    ),
)
_MARKUP: Final = frozenset("\\`*_[]<>|#&!")


def write_card(card: DataCard, to: Path) -> None:
    """Write ``DATACARD.md`` and ``datacard.json`` into a folder."""
    values = card.model_dump(mode="json")
    text = orjson.dumps(values, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
    (to / JSON).write_bytes(text + b"\n")
    (to / MARKDOWN).write_text(markdown(card), encoding="utf-8")


def markdown(card: DataCard) -> str:
    """The card for people."""
    info = card.release
    sections = [
        f"# {card.title}",
        "A summary of conversations with an AI assistant, made by Clio without anyone reading "
        "them: similar requests are grouped, groups are described, and only groups of many people "
        "are shown. No conversation, no part of one and no account is in this data.",
        "## What was measured",
        _list(_measured(card)),
        *_groups(card.largest),
        "## How people are protected",
        _list(_protected(card)),
        *_guarantee(card.differential_privacy),
        "## What this does not tell",
        _list(card.not_covered),
        *(["## Notes", _list(info.notes)] if info.notes else []),
        "## Files",
        _files(card),
        "## How to cite",
        card.cite,
    ]
    return "\n\n".join(sections) + "\n"


def _groups(largest: Sequence[Group]) -> list[str]:
    if not largest:
        return []
    rows = "\n".join(
        f"| {_cell(g.title)} | {g.share:.1%} | {g.low:.1%} to {g.high:.1%} |" for g in largest
    )
    return [
        "## The largest groups",
        f"| what people ask for | share | 95 % interval |\n| --- | ---: | ---: |\n{rows}",
    ]


def _cell(text: str) -> str:
    """A text in a table of Markdown: titles are hostile text."""
    return "".join(f"\\{c}" if c in _MARKUP else c for c in " ".join(text.split()))


def _measured(card: DataCard) -> Iterable[str]:
    info = card.release
    noised = info.privacy.epsilon is not None
    about = "about " if noised else ""
    counted = ", those that count here," if noised else ""
    yield (
        f"**On what:** {about}{info.totals.conversations:,} conversations{counted} of at least "
        f"{info.totals.accounts:,} accounts{when(info)}."
    )
    if info.outcomes:
        rows = ", ".join(f"{count:,} {name}" for name, count in sorted(info.outcomes.items()))
        yield f"**Rows read, by what became of them:** {rows}."
    clusters = "; ".join(
        f"{facet.name}: " + ", ".join(f"{n:,} at level {i}" for i, n in enumerate(facet.clusters))
        for facet in info.facets
    )
    yield f"**Clusters, level 0 the finest:** {clusters}."
    describer = f", titles by {info.describer}" if info.describer else ""
    yield (
        f"**By:** Clio {info.clio_version}; facets by {info.analyst}, vectors by {info.embedder}"
        f"{describer}; seed {info.seed}."
    )
    yield (
        "**How to read a number:** `share` is of all conversations of the facet, with a 95 % "
        'interval that counts accounts, not conversations, as evidence. `accounts` reads "at '
        'least".'
    )


def _protected(card: DataCard) -> Iterable[str]:
    info = card.release
    yield f"**Unit of privacy:** {card.unit_of_privacy}."
    # A release tells the limits that its writer knew.
    said = [
        text.format(**info.thresholds) for needs, text in _LIMITS if needs <= {*info.thresholds}
    ]
    if said:
        yield f"**Thresholds** (preset `{info.preset}`): {'; '.join(said)}."
    yield (
        "**Words:** names, numbers and identifiers are removed, and every title and summary was "
        "checked against what enough accounts wrote."
    )


def _guarantee(found: Formal | None) -> list[str]:
    if found is None:
        return []
    run = ""
    if found.export > 1:
        run = (
            f" It is export {found.export} of its run; all of them together have epsilon "
            f"{found.epsilon_of_run:.3g}."
        )
    rows = "\n".join(f"| {m.of} | {m.epsilon:.3g} | ± {m.noise:,.0f} |" for m in found.measurements)
    return [
        "## Differential privacy",
        f"Every count carries random noise, so that {found.neighbours}, makes hardly any "
        f"difference to what is published: epsilon {found.epsilon:g}, delta {found.delta:g}.{run} "
        "In plain words: whatever anyone concludes from this data about a person, they could have "
        "concluded nearly as well had that person never used the assistant. **The guarantee is for "
        "counts given the taxonomy**: which clusters are there, and their words, is protected by "
        "thresholds alone.",
        f"Of each account at most {found.conversations_of_account} conversations count, each in "
        "another leaf. Counts were made to add up and to be no less than zero after the noise, and "
        "cells that are hardly more than noise were left out. Noise in a single count, as one "
        "standard deviation:",
        f"| counts of | epsilon | noise |\n| --- | ---: | ---: |\n{rows}",
    ]


def _files(card: DataCard) -> str:
    if card.form == "site":
        return "`index.html` opens in any browser, from a disk or any web server."
    if card.form == "index":
        return (
            "`index.csv` has one number a row, in the columns of the Anthropic Economic Index "
            "(releases of 2025-09 to 2026-03). `not_classified` is what has no published name, "
            "`none` an attribute that is absent or not known, `base::category` a category within a "
            "base. The trees are `*_hierarchy_tree.json`."
        )
    rows = "\n".join(
        f"| `{part.table}.{card.form}` | {part.rows:,} | {part.holds} |" for part in card.tables
    )
    return (
        f"| file | rows | what it holds |\n| --- | ---: | --- |\n{rows}\n\n"
        f"`{JSON}` explains each column; `release.json` says how the data was made."
    )


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)
