"""Rows with planted groups: background accounts with favourite clusters and popular texts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from clio.safety import Rows

DAYS = 56
LEAVES = 30
TEXTS_A_LEAF = 40


def background(seed: int, *, rows: int = 6000, accounts: int = 1200) -> Rows:
    """Accounts of falling activity, half of whose rows are about three clusters each."""
    rng = np.random.default_rng(seed)
    weight = (np.arange(accounts) + 20.0) ** -0.8
    account = rng.choice(accounts, rows, p=weight / weight.sum())
    favourite = rng.integers(0, LEAVES, (accounts, 3))
    leaf = np.where(
        rng.random(rows) < 0.5,
        favourite[account, rng.integers(0, 3, rows)],
        rng.integers(0, LEAVES, rows),
    )
    popular = (TEXTS_A_LEAF * rng.random(rows) ** 2).astype(np.int64)
    text = np.where(rng.random(rows) < 0.7, leaf * TEXTS_A_LEAF + popular, 10_000 + np.arange(rows))
    second = rng.integers(0, DAYS * 86_400, rows)
    return Rows(
        account=account,
        accounts=accounts,
        day=second // 86_400,
        second=second,
        leaf=leaf,
        language=np.zeros(rows, np.int64),
        text=text,
        wording=np.arange(rows),
    )


def added(rows: Rows, account: np.ndarray, day: np.ndarray, leaf: int, text: np.ndarray) -> Rows:
    """The rows and more of them."""
    n = len(account)
    second = day * 86_400 + (np.arange(n) * 7919) % 86_400
    return replace(
        rows,
        account=np.concatenate([rows.account, account]),
        accounts=max(rows.accounts, int(account.max()) + 1),
        day=np.concatenate([rows.day, day]),
        second=np.concatenate([rows.second, second]),
        leaf=np.concatenate([rows.leaf, np.full(n, leaf)]),
        language=np.zeros(len(rows) + n, np.int64),
        text=np.concatenate([rows.text, text]),
        wording=np.concatenate([rows.wording, 1_000_000 + np.arange(n)]),
        sources={name: np.concatenate([v, np.full(n, -1)]) for name, v in rows.sources.items()},
    )


def ring(
    rows: Rows, size: int, each: int, *, seed: int, texts: int = 4, own: int = 0
) -> tuple[Rows, np.ndarray]:
    """New accounts that use a few texts of their own in three weeks; `own` rows are ordinary."""
    rng = np.random.default_rng(seed)
    members = rows.accounts + np.arange(size)
    who = np.repeat(members, each)
    text = 50_000 + 100 * seed + rng.integers(0, texts, len(who))
    out = added(rows, who, 10 + rng.integers(0, 21, len(who)), int(rng.integers(LEAVES)), text)
    if own:
        like = rng.choice(len(rows), size * own, replace=False)
        account = out.account.copy()
        account[like] = np.repeat(members, own)
        out = replace(out, account=account)
    return out, members
