"""What an account adds to the counts: at most three rows, each in another place."""

from __future__ import annotations

import hashlib
from collections import defaultdict

import duckdb
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from clio.pipeline.exporting import bounded

FACTS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5)), min_size=1, max_size=40)


def rows_of(facts: list[tuple[int, int]], seed: int = 0) -> list[tuple[int, str]]:
    """Place and conversation of each row; two leaves share a place."""
    table = pa.table(
        {
            "account": [account for account, _ in facts],
            "leaf": [leaf for _, leaf in facts],
            "conversation_id": [f"c{i}-{a}" for i, (a, _) in enumerate(facts)],
        }
    )
    with duckdb.connect() as sql:
        sql.register("facts", table)
        sql.register("leaf_places", pa.table({"leaf": list(range(6)), "place": [0, 0, 1, 2, 3, 4]}))
        found = bounded(sql, ", f.conversation_id AS id", seed=seed).table
    assert set(found.column_names) == {"place", "id"}
    return sorted(zip(found["place"].to_pylist(), found["id"].to_pylist(), strict=True))


def expected(facts: list[tuple[int, int]], seed: int) -> list[tuple[int, str]]:
    place = [0, 0, 1, 2, 3, 4]
    by_account: defaultdict[int, dict[int, tuple[str, str]]] = defaultdict(dict)
    for i, (account, leaf) in enumerate(facts):
        name = f"c{i}-{account}"
        key = hashlib.sha256(f"export:{seed}:{name}".encode()).hexdigest()
        own = by_account[account]
        own[place[leaf]] = min(own.get(place[leaf], (key, name)), (key, name))
    found = []
    for own in by_account.values():
        first = sorted((key, name, at) for at, (key, name) in own.items())[:3]
        found += [(at, name) for _, name, at in first]
    return sorted(found)


@settings(max_examples=30, deadline=None)
@given(FACTS, st.integers(0, 3))
def test_the_choice_is_that_of_the_hashes(facts: list[tuple[int, int]], seed: int) -> None:
    assert rows_of(facts, seed) == expected(facts, seed)


@settings(max_examples=15, deadline=None)
@given(FACTS)
def test_without_an_account_all_other_rows_stay(facts: list[tuple[int, int]]) -> None:
    gone = facts[0][0]
    having = rows_of(facts)
    others = [row for row in having if not row[1].endswith(f"-{gone}")]
    kept = [(a, leaf) if a != gone else None for a, leaf in facts]
    # The same conversations keep their names, so rows are left out and not moved up.
    without = rows_of([fact or (99, 5) for fact in kept])
    assert [row for row in without if not row[1].endswith("-99")] == others
    assert len(having) - len(others) <= 3
