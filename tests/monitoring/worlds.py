"""Small streams: heavy-tailed accounts, the rhythm of the week, shares that wobble."""

from __future__ import annotations

import numpy as np

from clio.monitoring import Activity, Tree

LEAVES = 36
GROUPS = 6
ROUND = np.array([1.0, 1.05, 1.05, 1.0, 0.9, 0.6, 0.65])


def tree() -> Tree:
    """Six groups of six leaves; leaves are nodes 0 to 35, groups 36 to 41."""
    of = LEAVES + np.arange(LEAVES) % GROUPS
    return Tree.of([*of, *([-1] * GROUPS)], np.arange(LEAVES))


def stream(
    seed: int,
    *,
    weeks: int = 12,
    weekly: int = 3000,
    factor: float = 1.0,
    leaves: tuple[int, ...] = (),
    since: int = 0,
) -> Activity:
    """One row a conversation; `leaves` are written in `factor` times as often from `since` on."""
    rng = np.random.default_rng(seed)
    days, accounts = weeks * 7, 800
    weight = np.cumsum(np.arange(1, accounts + 1) ** -0.8)
    share = np.arange(1, LEAVES + 1) ** -0.4
    share /= share.sum()
    favourite = rng.choice(LEAVES, accounts, p=share)
    rows = []
    for day in range(days):
        daily = share * rng.gamma(25, 1 / 25, LEAVES)
        if day >= since:
            daily[list(leaves)] *= factor
        count = rng.poisson(weekly / ROUND.sum() * ROUND[day % 7] * daily.sum())
        account = np.searchsorted(weight, rng.random(count) * weight[-1])
        leaf = rng.choice(LEAVES, count, p=daily / daily.sum())
        own = (rng.random(count) < 0.2) & ~np.isin(leaf, leaves)
        leaf = np.where(own, favourite[account], leaf)
        rows.append(np.stack([account, leaf, np.full(count, day)]))
    account, leaf, day_of = np.concatenate(rows, axis=1)
    return Activity.of(account, leaf, day_of)
