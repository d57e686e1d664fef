"""Titles and summaries as they leave: what a writer proposed, where its words have the accounts."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from clio.privacy.families import Family, supported
from clio.privacy.wording import check
from clio.settings import Thresholds

_OTHER = ": other requests"
GENERIC_TITLE = "Requests of a mixed kind"
_OF_THIS_KIND = "Requests of this kind"
GENERIC_SUMMARY = "The words of these requests are not shared by enough accounts to be shown."
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])")


@dataclass(frozen=True)
class Support:
    """How many accounts used the words of a release's titles and summaries."""

    tokens: Mapping[str, Mapping[str, int]]
    windows: Mapping[str, int]
    thresholds: Thresholds
    shipped: frozenset[str] = frozenset()
    families: Mapping[str, Family] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        tokens: pa.Table,
        windows: pa.Table,
        thresholds: Thresholds,
        shipped: frozenset[str] = frozenset(),
        families: Mapping[str, Family] | None = None,
    ) -> Support:
        """From tables ``cluster_id, token, accounts`` and ``window, accounts``.

        Raises
        ------
        ValueError
            A token or window stands twice.
        """
        by_cluster: dict[str, dict[str, int]] = {}
        for row in tokens.select(["cluster_id", "token", "accounts"]).to_pylist():
            of = by_cluster.setdefault(row["cluster_id"], {})
            if row["token"] in of:
                raise ValueError("a token is counted twice for one cluster")
            of[row["token"]] = row["accounts"]
        rows = windows.select(["window", "accounts"]).to_pylist()
        found = {row["window"]: row["accounts"] for row in rows}
        if len(found) != len(rows):
            raise ValueError("a window is counted twice")
        return cls(by_cluster, found, thresholds, shipped, families or {})

    def reasons(self, cluster_id: str, title: str, summary: str = "") -> list[str]:
        """Why words may not be released for a cluster, as `clio.privacy.wording.check` says it."""
        tokens = self.tokens.get(cluster_id, {})
        broad = supported(self.families, tokens, self.thresholds)
        return check(title, summary, tokens, self.windows, self.thresholds, self.shipped, broad)

    def words(
        self,
        cluster_id: str,
        title: str | None,
        summary: str | None,
        fallback_titles: Sequence[str] | None,
        parent_title: str | None,
        siblings: Collection[str],
    ) -> tuple[str, str, bool]:
        """Title and summary that may be released for a cluster.

        Its own, without the sentences of the summary that do not pass; else the first of
        `fallback_titles` that passes, with a template for a summary; else the released title of its
        parent (None at the top) and a generic one after that, told apart from the titles of
        `siblings`.

        Returns
        -------
        title, summary : str
        own : bool
            False where the cluster's own words were withheld.
        """

        def passes(title: str, summary: str) -> bool:
            return self._passes(cluster_id, title, summary)

        if title is not None and summary is not None:
            if passes(title, summary):
                return title, summary, True
            shown = [part for part in _SENTENCE_END.split(summary) if passes(title, part)]
            if shown and passes(title, rest := " ".join(shown)):
                return title, rest, True
        for candidate in fallback_titles if fallback_titles is not None else ():
            if candidate not in siblings and passes(candidate, ""):
                return candidate, _of_this_kind(candidate), False
        base = GENERIC_TITLE
        if parent_title is not None and not parent_title.startswith(GENERIC_TITLE):
            base = f"{parent_title.split(_OTHER, 1)[0]}{_OTHER}"
        unique, number = base, 1
        while unique in siblings:
            number += 1
            unique = f"{base} ({number})"
        return unique, GENERIC_SUMMARY, False

    def stands(self, cluster_id: str, title: str, summary: str) -> bool:
        """Whether words that `words` once gave a cluster, as its own or a fallback, pass still."""
        written = "" if summary == _of_this_kind(title) else summary
        return self._passes(cluster_id, title, written)

    def _passes(self, cluster_id: str, title: str, summary: str) -> bool:
        return not self.reasons(cluster_id, title, summary)


def is_inherited(title: str, parent_title: str | None) -> bool:
    """Whether a released title is no writer's, but made of its parent's or of nothing."""
    base = None if parent_title is None else f"{parent_title.split(_OTHER, 1)[0]}{_OTHER}"
    return title.startswith(GENERIC_TITLE) or (base is not None and title.startswith(base))


def _of_this_kind(title: str) -> str:
    return f"{_OF_THIS_KIND}: {title}."
