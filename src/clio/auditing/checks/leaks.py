"""Conversations' words where they must not be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from clio.auditing.findings import Finding, Passed

NAME: Final = "leaks"


def check(places: Mapping[str, set[str]], accounts: Mapping[str, int], limit: int) -> Passed:
    """Find places that hold five words in a row as fewer accounts than `limit` wrote them.

    Parameters
    ----------
    places
        Windows with the places where they stand; see `clio.auditing.places.wanted_windows`.
    accounts
        By window the accounts that wrote it in a conversation.
    limit
        As many may have written it, and it is common property.
    """
    found: dict[str, int] = {}
    for window, where in places.items():
        if 0 < accounts.get(window, 0) < limit:
            for place in where:
                found[place] = found.get(place, 0) + 1
    findings = [
        Finding(NAME, place, f"holds words of conversations, {count} runs of five")
        for place, count in sorted(found.items())
    ]
    return Passed(
        NAME,
        "five words in a row of any conversation in releases, run.json, logs, temporary files",
        findings,
        {"runs of five words": len(places)},
    )
