"""Words, numbers and identifiers in everything that a release says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from clio.auditing.findings import Finding, Passed, row_of
from clio.auditing.subject import Subject
from clio.privacy.cells import MAX_VALUE_CHARS, MAX_VALUES
from clio.privacy.families import Family, supported
from clio.privacy.scrub import PLACEHOLDER, finds
from clio.privacy.titles import GENERIC_SUMMARY, is_inherited
from clio.privacy.wording import (
    FREE,
    ROOT_SUMMARY,
    ROOT_TITLE,
    check,
    content_tokens,
    windows,
)
from clio.release.schema import ROOT_ID
from clio.settings import Thresholds

PATTERNS: Final = "patterns"
WORDING: Final = "wording"
RARITY: Final = "rarity"

_FORM: Final = {"characters", "identifier", "length", "number", "placeholder", "empty"}
"""Reasons of `clio.privacy.wording.check` that need no private table."""

_LEARNT: Final = {
    "word": "holds a word that too few accounts of the cluster used",
    "sensitive": "holds a sensitive word that too few accounts of the cluster used",
    "copied": "holds five words in a row as somebody wrote them",
}
_SAID: Final = {
    "characters": "holds characters that no prose needs",
    "identifier": "holds something of the shape of an identifier",
    "length": "is too long",
    "number": "holds a number of four digits or more",
    "placeholder": "holds a placeholder of an identifier",
    "empty": "has no title",
} | _LEARNT


@dataclass(frozen=True)
class Evidence:
    """Who used the words of a release, counted again from the private tables.

    Attributes
    ----------
    tokens
        Accounts by cluster and token; see `clio.privacy.wording.token_counts`.
    windows
        Accounts of the corpus by five words in a row.
    shipped, families
        Phrases that Clio ships; see `clio.privacy.wording.check`.
    """

    tokens: Mapping[str, Mapping[str, int]]
    windows: Mapping[str, int]
    shipped: frozenset[str] = frozenset()
    families: Mapping[str, Family] = field(default_factory=dict)


def check_patterns(subject: Subject) -> Passed:
    """Look for identifiers by shape in every text of every table, and in ``release.json``."""
    findings: list[Finding] = []
    looked = 0
    for table in subject.tables:
        for number, row in enumerate(subject.rows(table)):
            texts = [value for value in row.values() if isinstance(value, str)]
            looked += len(texts)
            if any(finds(text) for text in texts):
                place = row_of(table, number, row.get("cluster_id"))
                findings.append(Finding(PATTERNS, place, "holds an identifier"))
    for name in _texts(subject.info.model_dump(mode="json")):
        looked += 1
        if finds(name):
            findings.append(Finding(PATTERNS, "release.json", "holds an identifier"))
    for path in subject.directory.iterdir():
        looked += 1
        if finds(path.name):
            findings.append(Finding(PATTERNS, "the folder", "a file's name holds an identifier"))
    return Passed(PATTERNS, "identifiers by shape in every text", findings, {"texts": looked})


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            # Names of models hold dates and versions, and a period is made of dates.
            if key not in ("analyst", "embedder", "describer", "clio_version", "period"):
                yield str(key)
                yield from _texts(part)
    elif isinstance(value, Sequence):
        for part in value:
            yield from _texts(part)


def check_words(subject: Subject, evidence: Evidence | None = None) -> Passed:
    """Hold titles, summaries and values against the rules of wording.

    Without `evidence`, that is without the private tables, numbers, identifiers, characters and
    lengths alone can be judged.
    """
    findings: list[Finding] = []
    looked = 0
    titles = {(r["facet"], r["cluster_id"]): r["title"] for r in subject.rows("clusters")}
    for number, row in enumerate(subject.rows("clusters")):
        place = row_of("clusters", number, row["cluster_id"])
        if row["cluster_id"] == ROOT_ID:
            if (row["title"], row["summary"]) != (ROOT_TITLE, ROOT_SUMMARY):
                findings.append(Finding(WORDING, place, "the root has other words than Clio's"))
            continue
        looked += 1
        above = titles.get((row["facet"], row["parent_id"]))
        if row["summary"] == GENERIC_SUMMARY and not is_inherited(row["title"], above):
            findings.append(Finding(WORDING, place, "has a title that is not its parent's"))
        reasons = _reasons(subject.thresholds, row["cluster_id"], row, evidence)
        findings += (Finding(WORDING, place, _SAID[reason]) for reason in reasons)
    for number, row in enumerate(subject.rows("alerts")):
        if not row["title"].startswith(titles.get((row["facet"], row["cluster_id"]), "\0")):
            place = row_of("alerts", number, row["cluster_id"])
            findings.append(Finding(WORDING, place, "does not begin with its cluster's title"))
    values: dict[tuple[str, str], set[str]] = {}
    for number, row in enumerate(subject.rows("breakdowns")):
        values.setdefault((row["facet"], row["dimension"]), set()).add(row["value"])
        if len(row["value"]) > MAX_VALUE_CHARS or PLACEHOLDER.fullmatch(row["value"]):
            place = row_of("breakdowns", number, row["cluster_id"])
            findings.append(Finding(WORDING, place, "its value is no name of anything"))
    if any(len(of) > MAX_VALUES for of in values.values()):
        findings.append(Finding(WORDING, "breakdowns", "a dimension has too many values"))
    how = "every word by the accounts that used it" if evidence else "form alone"
    return Passed(WORDING, f"titles and summaries: {how}", findings, {"clusters": looked})


def _reasons(
    limits: Thresholds, cluster_id: str, row: Mapping[str, Any], evidence: Evidence | None
) -> list[str]:
    title, summary = row["title"], row["summary"]
    if evidence is None:
        found = check(title, summary, {}, {}, limits)
        return [reason for reason in found if reason in _FORM]
    if summary == GENERIC_SUMMARY:
        # The words are the parent's, which was looked at, or Clio's own.
        found = check(title, "", {}, {}, limits)
        return [reason for reason in found if reason in _FORM]
    tokens = evidence.tokens.get(cluster_id, {})
    broad = supported(evidence.families, tokens, limits)
    return check(title, summary, tokens, evidence.windows, limits, evidence.shipped, broad)


def check_rarity(subject: Subject, evidence: Evidence) -> Passed:
    """How few accounts stand behind the rarest words that are shown."""
    least: list[int] = []
    for row in subject.rows("clusters"):
        if row["cluster_id"] == ROOT_ID or row["summary"] == GENERIC_SUMMARY:
            continue
        tokens = evidence.tokens.get(row["cluster_id"], {})
        words = set(content_tokens(f"{row['title']} {row['summary']}")) - FREE
        least += [tokens[word] for word in words if word in tokens]
    figures: dict[str, float | int | str] = {"words counted": len(least)}
    if least:
        figures |= {"fewest accounts": min(least), "under 25": sum(n < 25 for n in least)}
    return Passed(RARITY, "accounts behind the rarest words", (), figures)


def wanted_words(subject: Subject) -> tuple[dict[str, set[str]], set[str]]:
    """What has to be counted for `Evidence`: tokens by cluster, and windows."""
    tokens: dict[str, set[str]] = {}
    runs: set[str] = set()
    for row in subject.rows("clusters"):
        for text in (row["title"], row["summary"]):
            tokens.setdefault(row["cluster_id"], set()).update(content_tokens(text))
            runs.update(windows(text))
    return tokens, runs
