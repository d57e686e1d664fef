"""Whether differentially private exports keep their epsilon, and what their counts are worth.

    python benchmarks/privacy/differential.py [--folder FOLDER] [--repetitions N]

Audit: an attacker who knows every conversation but those of one account, and whose conversations
all fall where they tell the most, sees exports with and without that account and guesses which is
which. From how often the guess is right follows a lower bound on epsilon, with 95 % confidence
(Clopper and Pearson 1934; thresholds are chosen on draws of their own). It must stay under the
stated one, for the published tables and for the noised counts behind them. So that a bound can be
seen to fail, exports with a third of the noise are audited against the same epsilon.

Worth: how far the published shares of clusters over 1 % lie from the shares of the same bounded
conversations without noise, and how far those lie from shares of all conversations, which is the
bias of bounding. On generated conversations, in the topics that were planted; with a folder also
in the clusters of a run over them.

Prints one JSON line; exit status 1 where a bound fails.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from scipy.stats import beta

import clio
from clio.exporting.accounting import Parts, Spend, split
from clio.exporting.content import Content
from clio.exporting.exports import DELTA
from clio.exporting.given import Given, Node, given_by
from clio.exporting.measuring import Measured, agree, exact_counts, measure
from clio.exporting.noising import noised_content
from clio.pipeline.exporting import bounded, opened_for_export
from clio.privacy.tiers import PrivateTable
from clio.release.read import Cluster, open_release
from clio.release.schema import SCHEMA_VERSION, ReleaseInfo, Totals
from clio.settings import Thresholds
from clio.testing import generate, write_jsonl

SETTINGS = clio.Settings(breakdown=("product",), embedder="static")
PILOT = 300
WORTH_REPETITIONS = 100
CONFIDENCE = 0.95
CUTS = (0.1, 0.3, 0.5, 0.7, 0.9, 0.97)
TOPS, LEAVES = 4, 5
VALUES = {"language": ("de", "en", "fr"), "product": ("app", "web")}
PERIODS = tuple(date(2025, 1, 6) + timedelta(weeks=w) for w in range(6))
INFO = ReleaseInfo(
    schema_version=SCHEMA_VERSION, number=1, clio_version="0", preset="default",
    thresholds=Thresholds().model_dump(mode="json"), account_basis="ids", publishable=True,
    totals=Totals(conversations=0, accounts=0), outcomes={}, facets=[], granularity="week",
    analyst="none", embedder="none", seed=0,
)  # fmt: skip


def cluster(name: str, level: int, parent: str | None) -> Cluster:
    return Cluster("request", name, level, parent, name, "", 0, 0, 0, 0, 0, 0, None, None)


def small_world() -> Given:
    nodes = [Node(cluster("__root__", -1, None), -1, 0)]
    for t in range(TOPS):
        above = len(nodes)
        nodes.append(Node(cluster(f"top {t}", 1, "__root__"), 0, 1))
        nodes += [Node(cluster(f"leaf {t} {i}", 0, f"top {t}"), above, 2) for i in range(LEAVES)]
    inner = sorted({node.parent for node in nodes[1:]})
    nodes += [Node(None, i, nodes[i].depth + 1) for i in inner]
    return Given("request", tuple(nodes), dict(VALUES), PERIODS, "week")


def population(given: Given, target: bool) -> PrivateTable:
    """Bounded rows of 8,000 accounts, and of a heavy one that is all in one place."""
    rng = np.random.default_rng(7)
    leaves = [i for i, n in enumerate(given.nodes) if n.cluster and n.cluster.level == 0]
    facts = [
        (f"a{a}", leaves[int(rng.integers(len(leaves)))], int(rng.integers(3)),
         int(rng.integers(2)), int(rng.integers(6)))
        for a in range(8_000)
        for _ in range(1 + int(rng.pareto(1.5)))
    ]  # fmt: skip
    if target:
        facts += [("target", leaf, 1, 1, 2) for leaf in leaves[:LEAVES] for _ in range(10)]
    columns = list(zip(*((*row, f"c{i}") for i, row in enumerate(facts)), strict=True))
    names = ("account", "leaf", "dimension 0", "dimension 1", "period", "conversation_id")
    with duckdb.connect() as sql:
        sql.register("facts", pa.table({n: list(c) for n, c in zip(names, columns, strict=True)}))
        sql.register("leaf_places", pa.table({"leaf": leaves, "place": leaves}))
        extra = ', f."dimension 0", f."dimension 1", f.period'
        return bounded(sql, extra)


def scores(
    given: Given, parts: Parts, without: PrivateTable, having: PrivateTable
) -> tuple[Callable[[Measured], float], Callable[[Content], float]]:
    """How much noised counts, and published tables, speak for the account: for one who knows
    all the rest."""
    low, low_cells = exact_counts(given, without.table)
    high, high_cells = exact_counts(given, having.table)
    rate = np.full(len(given.nodes), parts.leaves / 3)
    for level, epsilon in zip(given.levels, parts.levels, strict=True):
        rate[level] = epsilon / 3
    rate[0] = 0.0
    spent = dict(zip(given.dimensions, parts.dimensions, strict=True)) | {None: parts.trends}

    def of_counts(drawn: Measured) -> float:
        """The likelihood ratio."""
        said = float(((abs(drawn.nodes - low) - abs(drawn.nodes - high)) * rate).sum())
        for name, cells in drawn.dimensions.items():
            gap = abs(cells - low_cells[name]) - abs(cells - high_cells[name])
            said += float(gap.sum()) * spent[name] / 3
        return said

    # What the account touches: clusters by title, cells of the top that all its leaves are in.
    touched = {
        ("clusters", node.cluster.title): (float(low[i]), float(high[i]), float(rate[i]))
        for i, node in enumerate(given.nodes)
        if node.cluster is not None and high[i] > low[i] and i
    }
    for name, cells in high_cells.items():
        code = int(np.argmax(cells[0] - low_cells[name][0]))
        value = PERIODS[code] if name is None else VALUES[name][code]
        span = float(low_cells[name][0, code]), float(cells[0, code])
        touched[str(name), value] = (*span, spent[name] / 3)

    def of_tables(content: Content) -> float:
        """The same from what is published of clusters and cells."""
        clusters = content.tables["clusters"].to_pylist()
        top = {row["cluster_id"] for row in clusters if row["title"] == "top 0"}
        read = [("clusters", row["title"], row) for row in clusters]
        for row in content.tables["breakdowns"].to_pylist():
            read += [(row["dimension"], row["value"], row)] * (row["cluster_id"] in top)
        for row in content.tables["trends"].to_pylist():
            read += [("None", row["period"], row)] * (row["cluster_id"] in top)
        said = 0.0
        for table, name, row in read:
            if (table, name) in touched:
                before, after, weight = touched[table, name]
                count = row["conversations"]
                said += (abs(count - before) - abs(count - after)) * weight
        return said

    return of_counts, of_tables


def bound(
    more: np.ndarray, less: np.ndarray, threshold: float, delta: float
) -> tuple[float, float]:
    """Lower confidence bound and point estimate of epsilon from scores over a threshold."""
    n, hits, false = len(more), int((more > threshold).sum()), int((less > threshold).sum())
    tail = (1.0 - CONFIDENCE) / (2 * 2 * len(CUTS))  # both rates, both guesses, all thresholds
    p_low = beta.ppf(tail, hits, n - hits + 1) if hits else 0.0
    q_high = beta.ppf(1 - tail, false + 1, n - false) if false < n else 1.0
    low = math.log((p_low - delta) / q_high) if p_low > delta else -math.inf
    point = math.log((hits / n) / max(false / n, 1 / n)) if hits else -math.inf
    return max(0.0, low), max(0.0, point)


def audited(having: np.ndarray, without: np.ndarray, delta: float) -> tuple[float, float]:
    """The best of both guesses ("it is there", "it is not") at a few thresholds.

    Thresholds come from the pilot's draws, bounds from the others; each is held at a part of the
    error, so that all of them hold together.
    """
    found = []
    for more, less in ((having, without), (-without, -having)):
        for cut in np.quantile(np.concatenate([more[:PILOT], less[:PILOT]]), CUTS):
            found.append(bound(more[PILOT:], less[PILOT:], float(cut), delta))
    return max(found)


def audit(epsilon: float, repetitions: int, *, real: float | None = None) -> dict[str, object]:
    """Audit exports of one epsilon; `real` is what their noise is for, where that is another."""
    given = small_world()
    tables = {side: population(given, side) for side in (False, True)}
    size = {"levels": len(given.levels), "dimensions": len(VALUES), "trends": True}
    parts = split(real or epsilon, DELTA, **size)
    cost = Spend(epsilon, DELTA, parts.rho, parts.selection_delta)
    of_counts, of_tables = scores(given, parts, tables[False], tables[True])
    drawn: dict[tuple[str, bool], list[float]] = {}
    for side, table in tables.items():
        for _ in range(PILOT + repetitions):
            measured = measure(given, table, parts)
            content = noised_content(given, measured, agree(given, measured), INFO, cost, 1)
            drawn.setdefault(("counts", side), []).append(of_counts(measured))
            drawn.setdefault(("tables", side), []).append(of_tables(content))
    found: dict[str, object] = {"epsilon": epsilon}
    for seen in ("counts", "tables"):
        having, without = (np.array(drawn[seen, side]) for side in (True, False))
        low, point = audited(having, without, DELTA)
        found[seen] = {"at_least": round(low, 3), "estimate": round(point, 3)}
    return found


def planted(conversations: int) -> tuple[Given, PrivateTable, np.ndarray]:
    """Generated conversations in their planted topics: the taxonomy, bounded rows, true shares."""
    table = pa.Table.from_pylist(
        [
            {
                "conversation_id": c.conversation_id,
                "account": c.user_id,
                "week": c.created_at.date() - timedelta(days=c.created_at.weekday()),
                **{name: c.labels.get(name) for name in ("topic", "domain", *VALUES)},
            }
            for c in generate(conversations, seed=11)
        ]
    )
    frame = table.to_pandas()
    nodes = [Node(cluster("__root__", -1, None), -1, 0)]
    leaves: dict[tuple[str, str], int] = {}
    for domain, topics in frame.dropna(subset=["domain", "topic"]).groupby("domain")["topic"]:
        above = len(nodes)
        nodes.append(Node(cluster(domain, 1, "__root__"), 0, 1))
        for topic in sorted(topics.unique()):
            leaves[domain, topic] = len(nodes)
            nodes.append(Node(cluster(f"{domain}: {topic}", 0, domain), above, 2))
    inner = sorted({node.parent for node in nodes[1:]} | {0})
    nodes += [Node(None, i, nodes[i].depth + 1) for i in inner]
    values = {name: tuple(sorted(frame[name].dropna().unique())) for name in VALUES}
    given = Given("request", tuple(nodes), values, tuple(sorted(frame["week"].unique())), "week")
    nowhere = next(i for i, n in enumerate(nodes) if n.cluster is None and n.parent == 0)
    keys = zip(frame["domain"], frame["topic"], strict=True)
    facts = {
        "conversation_id": table["conversation_id"],
        "account": table["account"],
        "leaf": [leaves.get(key, nowhere) for key in keys],
        "period": pa.array([given.periods.index(w) for w in frame["week"]], pa.int32()),
    }
    for i, (name, known) in enumerate(values.items()):
        codes = [known.index(v) if v in known else None for v in frame[name]]
        facts[f"dimension {i}"] = pa.array(codes, pa.int32())
    ends = sorted({*leaves.values(), nowhere})
    with duckdb.connect() as sql:
        sql.register("facts", pa.table(facts))
        sql.register("leaf_places", pa.table({"leaf": ends, "place": ends}))
        rows = bounded(sql, ', f."dimension 0", f."dimension 1", f.period')
    every, _ = exact_counts(given, pa.table({**facts, "place": facts["leaf"]}))
    return given, rows, every / every[0]


def of_run(folder: Path, conversations: int) -> tuple[Given, PrivateTable, np.ndarray]:
    """The same in the clusters of a run, which is made where it does not stand."""
    run, source = folder / "run", folder / "conversations.jsonl"
    folder.mkdir(parents=True, exist_ok=True)
    if not source.exists():
        write_jsonl(source, conversations, seed=11)
    clio.run(source, out=run, settings=SETTINGS)
    release = open_release(run)
    with opened_for_export(run) as private:
        dimensions = release.breakdowns["dimension"].unique().to_pylist()
        given = given_by(release, private.countable(dimensions))
        rows = private.contributions(given.wanted())
    shares = [node.cluster.share if node.cluster else 0.0 for node in given.nodes]
    return given, rows, np.array(shares)


def worth(
    given: Given, rows: PrivateTable, true: np.ndarray, repetitions: int, epsilon: float
) -> dict[str, object]:
    """Errors of published shares."""
    exact, _ = exact_counts(given, rows.table)
    capped = exact / exact[0]
    big = np.flatnonzero((capped > 0.01) & ~given.rest)[1:]
    parts = split(
        epsilon,
        DELTA,
        levels=len(given.levels),
        dimensions=len(given.dimensions),
        trends=bool(given.periods),
    )
    medians, shown, leaves = [], [], []
    for _ in range(repetitions):
        agreed = agree(given, measure(given, rows, parts))
        off = abs(agreed.nodes[big] / agreed.nodes[0] - capped[big]) / capped[big]
        medians.append(float(np.median(np.where(agreed.shown[big], off, 1.0))))
        shown.append(int(agreed.shown[big].sum()))
        leaves.append(int(agreed.shown[given.ends & ~given.rest].sum()))
    bias = abs(capped[big] - true[big]) / true[big]
    return {
        "epsilon": epsilon,
        "counted": int(exact[0]),
        "clusters_over_1_percent": len(big),
        "of_them_named_at_least": min(shown),
        "error_median": round(float(np.median(medians)), 5),
        "error_median_at_worst": round(max(medians), 5),
        "leaves": int((given.ends & ~given.rest).sum()),
        "leaves_named": int(np.median(leaves)),
        "bias_of_bounding_median": round(float(np.median(bias)), 5),
        "bias_of_bounding_most": round(float(bias.max()), 5),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="for a run over the generated conversations")
    parser.add_argument("--conversations", type=int, default=100_000)
    parser.add_argument("--repetitions", type=int, default=1000)
    options = parser.parse_args()
    begun = time.process_time()
    audits = [audit(epsilon, options.repetitions) for epsilon in (0.5, 1.0, 4.0)]
    seeded = audit(1.0, options.repetitions, real=3.0)
    worlds = {"planted topics": planted(options.conversations)}
    if options.folder:
        worlds["clusters of a run"] = of_run(options.folder, options.conversations)
    worths = {
        name: [worth(*world, WORTH_REPETITIONS, epsilon) for epsilon in (0.5, 1.0, 2.0)]
        for name, world in worlds.items()
    }
    result = {
        "audits": audits,
        "audit_with_a_third_of_the_noise": seeded,
        "worth": worths,
        "cpu_seconds": round(time.process_time() - begun, 1),
    }
    kept = all(a[seen]["at_least"] <= a["epsilon"] for a in audits for seen in ("counts", "tables"))
    noticed = seeded["counts"]["at_least"] > 1.0
    near = all(w["error_median"] < 0.02 for of in worths.values() for w in of if w["epsilon"] == 1)
    result["ok"] = bool(kept and noticed and near)
    print(json.dumps(result))
    raise SystemExit(not result["ok"])


if __name__ == "__main__":
    main()
