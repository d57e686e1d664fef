"""Somebody who wants to know what a release hides: reads it, subtracts, and bounds.

Nothing of Clio is used here: tables are read with pandas, sums are set up and bounded by linear
programmes of this file's own. The private tables serve to say whether an attack hit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import linprog
from scipy.sparse import lil_matrix

ROOT = "__root__"
NEAR = 1e-6


@dataclass
class Outcome:
    """What came of an attack: cells looked at, and those that gave way."""

    shown: int = 0
    hidden: int = 0
    small_shown: int = 0
    found_out: int = 0
    bounded: int = 0
    contradictions: int = 0
    programmes: int = 0

    @property
    def hits(self) -> int:
        return self.small_shown + self.bounded + self.contradictions


class Released:
    """The latest release of a run, and what lies behind it."""

    def __init__(self, run: Path) -> None:
        self.run = run
        folder = run / "release"
        self.info = json.loads((folder / "release.json").read_text())
        self.limits = self.info["thresholds"]
        self.tables = {path.stem: pd.read_parquet(path) for path in folder.glob("*.parquet")}
        self.primary = next(f["name"] for f in self.info["facets"] if f["primary"])
        self.base = self.limits["round_to"]
        clusters = self.tables["clusters"]
        self.clusters = clusters[clusters["facet"] == self.primary].set_index("cluster_id")
        above = self.clusters["parent_id"].fillna(ROOT)
        self.children = {
            name: [c for c in self.clusters.index if c != ROOT and above[c] == name]
            for name in self.clusters.index
        }

    def members(self) -> pd.DataFrame:
        """One row a conversation of the primary facet, with the way from its leaf to the root."""
        private = self.run / "private"
        assigned = pd.read_parquet(private / "assignments.parquet")
        assigned = assigned[assigned["facet"] == self.primary]
        table = assigned.merge(
            pd.read_parquet(private / "conversations.parquet"), on="conversation_id"
        ).merge(pd.read_parquet(private / "facets.parquet"), on="conversation_id")
        tree = pd.read_parquet(self.run / "restricted" / "clusters.parquet")
        tree = tree[tree["facet"] == self.primary]
        parent = dict(zip(tree["cluster_id"], tree["parent_id"], strict=True))

        def way(leaf: str) -> list[str]:
            nodes = []
            node: str | None = leaf
            while isinstance(node, str):
                nodes.append(node)
                node = parent[node]
            return [*nodes, ROOT]

        ways = {leaf: way(leaf) for leaf in table["cluster_id"].unique()}
        table["way"] = table["cluster_id"].map(ways)
        return table

    def rows(self) -> tuple[list[tuple[str, bool]], list[int], list[int]]:
        """Clusters, and what is in none of their shown children: name and whether it is that."""
        names, parent = [(ROOT, False)], [-1]
        for at, (name, rest) in enumerate(names):  # grows while it is read
            if rest or not self.children[name]:
                continue
            for child in self.children[name]:
                names.append((child, False))
                parent.append(at)
            if self.clusters.loc[name, "other_conversations"] > 0:
                names.append((name, True))
                parent.append(at)
        totals = [
            int(self.clusters.loc[name, "other_conversations" if rest else "conversations"])
            for name, rest in names
        ]
        return names, parent, totals

    def place(self, members: pd.DataFrame, names: list[tuple[str, bool]]) -> list[list[int]]:
        """For each conversation the rows that it is in."""
        at = {key: i for i, key in enumerate(names)}
        found = []
        for way in members["way"]:
            rows = [at[name, False] for name in way if (name, False) in at]
            deepest = next(name for name in way if (name, False) in at)
            if (deepest, True) in at:
                rows.append(at[deepest, True])
            found.append(rows)
        return found

    def values(self, members: pd.DataFrame, dimension: str, printed: list[str]) -> list[str]:
        """Each conversation's value; an empty text where it is none of the printed ones."""
        if dimension not in members.columns:
            raw = members["labels"].map(json.loads).map(lambda of: of.get(dimension))
            found = ["unknown" if v is None else str(v) for v in raw]
        elif members[dimension].dtype == bool or set(printed) <= {"yes", "no", "unknown"}:
            found = [{True: "yes", False: "no"}.get(v, "unknown") for v in members[dimension]]
        elif pd.api.types.is_numeric_dtype(members[dimension]):
            found = [binned(v, printed) for v in members[dimension]]
        else:
            found = ["unknown" if v is None or v != v else str(v) for v in members[dimension]]
        return [v if v in printed else "" for v in found]


def binned(number: float, labels: list[str]) -> str:
    for label in labels:
        low, _, high = label.rstrip("+").partition("-")
        if low.isdigit() and number >= int(low):
            top = np.inf if label.endswith("+") else int(high or low)
            if number <= top:
                return label
    return ""


def tables(
    released: Released, members: pd.DataFrame, where: list[list[int]], height: int
) -> Iterator[tuple[str, list[str], np.ndarray, np.ndarray]]:
    """Name, values, what is printed (-1: nothing) and what is true, of each table of cells."""
    breakdowns = released.tables["breakdowns"]
    breakdowns = breakdowns[breakdowns["facet"] == released.primary]
    for dimension, rows in breakdowns.groupby("dimension"):
        names = sorted(rows["value"].unique())
        found = released.values(members, dimension, names)
        yield _table(released, str(dimension), rows, "value", names, found, where, height)
    trends = released.tables["trends"]
    trends = trends[trends["facet"] == released.primary]
    if len(trends):
        days = sorted(trends["period"].unique())
        code = {"day": "D", "week": "W-SUN", "month": "M"}[trends["granularity"].iloc[0]]
        began = pd.to_datetime(members["created_at"], utc=True).dt.tz_localize(None)
        periods = began.dt.to_period(code).dt.start_time.dt.date
        found = [day if day in set(days) else "" for day in periods]
        yield _table(released, "trends", trends, "period", days, found, where, height)


def _table(released, name, rows, key, values, found, where, height):
    names, _, _ = released.rows()
    at = {cluster: i for i, (cluster, rest) in enumerate(names) if not rest}
    column = {value: j for j, value in enumerate(values)}
    printed = np.full((height, len(values) + 1), -1)
    for cluster, value, count in zip(
        rows["cluster_id"], rows[key], rows["conversations"], strict=True
    ):
        printed[at[cluster], column[value]] = count
    true = np.zeros_like(printed)
    for rows_of, value in zip(where, found, strict=True):
        true[rows_of, column.get(value, len(values))] += 1
    return name, values, printed, true


class Programme:
    """Everything that a reader knows of one table, as equations over what is not printed."""

    def __init__(self, printed: np.ndarray, parent: list[int], totals: list[int]) -> None:
        self.column = {cell: n for n, cell in enumerate(zip(*np.nonzero(printed < 0), strict=True))}
        parts: list[tuple[list[tuple[int, float]], float]] = []
        for row in range(len(parent)):
            below = [c for c, p in enumerate(parent) if p == row]
            families = (
                [([(row, j, 1.0) for j in range(printed.shape[1])], totals[row])]
                if not below
                else [
                    ([(row, j, -1.0), *((c, j, 1.0) for c in below)], 0)
                    for j in range(printed.shape[1])
                ]
            )
            for cells, total in families:
                known, unknown = 0.0, []
                for i, j, sign in cells:
                    if printed[i, j] < 0:
                        unknown.append((self.column[i, j], sign))
                    else:
                        known += sign * printed[i, j]
                parts.append((unknown, total - known))
        self.matrix = lil_matrix((len(parts), max(1, len(self.column))))
        for row, (unknown, _) in enumerate(parts):
            for at, sign in unknown:
                self.matrix[row, at] = sign
        self.matrix = self.matrix.tocsr()
        self.right = np.array([right for _, right in parts])
        self.least = np.full(max(1, len(self.column)), np.inf)
        self.most = np.full(max(1, len(self.column)), -np.inf)
        self.solved = 0

    def extreme(self, cell: tuple[int, int], sign: float) -> bool:
        """Solve for one end of a cell; False where no table has the printed numbers."""
        objective = np.zeros(len(self.least))
        objective[self.column[cell]] = sign
        answer = linprog(objective, A_eq=self.matrix, b_eq=self.right, method="highs")
        self.solved += 1
        if answer.status != 0:
            return False
        # Any solution is a table that a reader must reckon with.
        self.least = np.minimum(self.least, answer.x)
        self.most = np.maximum(self.most, answer.x)
        return True


def attack(run: Path) -> Outcome:
    """Attack the primary facet of a run's latest release, and say where it gave way."""
    released = Released(run)
    members = released.members()
    outcome = Outcome()
    _thresholds(released, members, outcome)
    names, parent, totals = released.rows()
    where = released.place(members, names)
    limit = max(released.limits["cell_accounts"], released.limits["cell_conversations"])
    if limit <= 1 or released.base > 1:
        return outcome  # nothing is promised, or numbers are coarser than what is attacked here
    for _, _, printed, true in tables(released, members, where, len(names)):
        attack_table(printed, true, parent, totals, limit, outcome)
    return outcome


def attack_table(
    printed: np.ndarray,
    true: np.ndarray,
    parent: list[int],
    totals: list[int],
    limit: int,
    outcome: Outcome,
) -> None:
    """Bound every cell that is not printed and not empty."""
    programme = Programme(printed, parent, totals)
    whole = true == np.array(totals)[:, None]
    told = np.zeros_like(whole)  # all of a large whole: the parts can be nothing else
    for row in range(1, len(parent)):
        above = parent[row]
        told[row] = whole[row] & whole[above] & (told[above] | (totals[above] >= 100))
    for cell in programme.column:
        column = cell[1]
        count = int(true[cell])
        if count == 0:
            continue
        outcome.hidden += 1
        if told[cell]:
            continue
        at = programme.column[cell]

        def safe(at: int = at, count: int = count, column: int = column) -> bool:
            low, high = programme.least[at], programme.most[at]
            if column == printed.shape[1] - 1:  # a union of all that is not listed
                return count >= limit or high >= limit - NEAR
            if count < limit:
                return low < 1 - NEAR and high >= limit - NEAR
            return high - low >= limit - NEAR

        for sign in (1.0, -1.0):
            if not safe() and not programme.extreme(cell, sign):
                outcome.contradictions += 1
                return
        if not safe():
            low, high = programme.least[at], programme.most[at]
            outcome.bounded += 1
            outcome.found_out += bool(high - low < NEAR)
    outcome.programmes += programme.solved


def _thresholds(released: Released, members: pd.DataFrame, outcome: Outcome) -> None:
    """Is anything shown that should not be? Counted again from the private tables."""
    limits = released.limits
    long = members[["account", "way"]].explode("way")
    per_account = long.groupby(["way", "account"]).size()
    for cluster, row in released.clusters.iterrows():
        of = per_account[cluster].sort_values(ascending=False)
        outcome.shown += 1
        small = len(of) < limits["accounts"] or of.sum() < limits["conversations"]
        if cluster != ROOT:
            small |= of.iloc[0] > limits["top1_share"] * of.sum() + NEAR
            small |= of.iloc[:2].sum() > limits["top2_share"] * of.sum() + NEAR
        if released.base == 1:
            small |= row["conversations"] != of.sum()
        rest = row["other_conversations"]
        small |= 0 < rest < limits["conversations"]
        outcome.small_shown += bool(small)
    for table, key in (("breakdowns", "dimension"), ("trends", None)):
        rows = released.tables[table]
        rows = rows[rows["facet"] == released.primary]
        for dimension, part in rows.groupby(key) if key else (("trends", rows),):
            value = "value" if key else "period"
            printed = sorted(part[value].unique())
            if key:
                found = released.values(members, str(dimension), printed)
            else:
                code = {"day": "D", "week": "W-SUN", "month": "M"}
                began = pd.to_datetime(members["created_at"], utc=True).dt.tz_localize(None)
                if not len(part):
                    continue
                found = began.dt.to_period(code[part["granularity"].iloc[0]]).dt.start_time.dt.date
            cells = members[["account", "way"]].assign(value=list(found)).explode("way")
            sizes = cells.groupby(["way", "value"])["account"].agg(["size", "nunique"])
            for cluster, name in zip(part["cluster_id"], part[value], strict=True):
                outcome.shown += 1
                size, accounts = sizes.loc[(cluster, name)]
                outcome.small_shown += bool(
                    size < limits["cell_conversations"] or accounts < limits["cell_accounts"]
                )
