"""What an owner is told where little or nothing can be released."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np

from clio.privacy.grids import Column, FacetTree
from clio.release.schema import ROOT_ID
from clio.settings import MIN_CLUSTER_ACCOUNTS, Thresholds

PERSONAL: Final = "for your own conversations use --privacy personal"


def notes(trees: Iterable[FacetTree], thresholds: Thresholds) -> Iterable[str]:
    """Advice for facets of which the corpus clears the thresholds and little else does."""
    for tree in trees:
        counts = tree.counts
        if thresholds.publishable and 2 * counts.top1[0] > counts.conversations[0]:
            yield (
                f"one account holds more than half of all conversations in facet {tree.facet}: "
                f"most of it cannot be shown; {PERSONAL}"
            )
        elif len(tree.ids) > 1 and int(tree.visible.sum()) == 1:
            yield (
                f"no cluster of facet {tree.facet} clears the thresholds; "
                + suggestion(int(counts.accounts[0]), int(counts.conversations[0]), thresholds)
            )


def advice(nodes: Mapping[str, Column], thresholds: Thresholds) -> str:
    """Why nothing can be released, and what setting would show something."""
    roots = np.flatnonzero(nodes["cluster_id"] == ROOT_ID)
    if not len(roots):
        return f"no conversation was assigned to a cluster; {PERSONAL}"
    largest = roots[np.lexsort((roots, -nodes["conversations"][roots]))[0]]
    accounts, count = int(nodes["accounts"][largest]), int(nodes["conversations"][largest])
    if thresholds.publishable and 2 * int(nodes["top1"][largest]) > count:
        whose = "all" if accounts == 1 else "more than half of them"
        return (
            f"{count} conversations, {whose} of one account, cannot be released without pointing "
            f"to a person; {PERSONAL} (the same command with it goes on from here)"
        )
    return (
        f"{_counted(count, 'conversation')} of {_counted(accounts, 'account')} are too few to "
        f"release anything: {max(thresholds.conversations, thresholds.round_to)} of "
        f"{_counted(thresholds.accounts, 'account')} are needed; "
        + suggestion(accounts, count, thresholds)
    )


def _counted(number: int, one: str) -> str:
    return f"{number} {one}" if number == 1 else f"{number} {one}s"


def suggestion(accounts: int, count: int, thresholds: Thresholds) -> str:
    """The mildest setting that may show something, for a corpus of so many of each."""
    if not thresholds.publishable:
        return "read in more conversations"
    lower = max(MIN_CLUSTER_ACCOUNTS, min(thresholds.accounts, accounts) // 2)
    fewer = min(thresholds.conversations, max(2 * lower, 1))
    possible = accounts >= MIN_CLUSTER_ACCOUNTS and count >= thresholds.round_to
    if possible and (lower < thresholds.accounts or fewer < thresholds.conversations):
        return f"try --min-accounts {lower} --min-conversations {min(fewer, count)}, or {PERSONAL}"
    return f"read in more conversations, or {PERSONAL}"
