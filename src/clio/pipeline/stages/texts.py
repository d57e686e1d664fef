"""Answers to a clustered facet become distinct texts, each with the conversations behind it.

The contribution cap of an account is applied here, before anything is counted. Rows are ordered
by SHA-256 of seed and conversation, so that any first part of them is a random sample, and none
of it depends on the key of the pseudonyms.
"""

from __future__ import annotations

from pathlib import Path

from clio.conversation import Outcome
from clio.errors import InputError
from clio.facet import UNKNOWN
from clio.facets import ASKED
from clio.pipeline import files
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stage import Context, Report, Stage, rows_of
from clio.pipeline.stages.facets import facets_folder
from clio.pipeline.stages.read import conversations_folder

ENGLISH = "en"
FACET = next(facet for facet in ASKED if facet.clustered)
"""The primary facet, whose tree is released."""


def texts_file(directory: RunDirectory) -> Path:
    """``text`` and its ``weight`` in conversations; the row number is the text's number."""
    return directory.work / FACET.name / "texts.parquet"


def members_file(directory: RunDirectory) -> Path:
    """``conversation_id``, ``account`` (a code), ``text`` (a number), ``language``."""
    return directory.work / FACET.name / "members.parquet"


def capped_file(directory: RunDirectory) -> Path:
    """Conversations beyond their account's cap."""
    return directory.work / "capped.parquet"


_ORDERED = """
CREATE TEMP TABLE ordered AS
SELECT f.conversation_id, c.account, f.{facet} AS text, f.language,
       sha256('{seed}:' || f.conversation_id) AS key,
       row_number() OVER (
           PARTITION BY c.account ORDER BY sha256('{seed}:' || f.conversation_id)
       ) AS nth
FROM facets f JOIN conversations c USING (conversation_id)
"""
_TEXTS = """
CREATE TEMP TABLE texts AS
SELECT text, weight, row_number() OVER (ORDER BY first, text) - 1 AS number FROM (
    SELECT text, count(*) AS weight, min(key) AS first FROM ordered WHERE nth <= {cap} GROUP BY text
)
"""
_MEMBERS = """
SELECT o.conversation_id, dense_rank() OVER (ORDER BY o.account) - 1 AS account,
       t.number AS text, o.language
FROM ordered o JOIN texts t USING (text) WHERE nth <= {cap} ORDER BY o.key
"""


_FOREIGN = f"""
SELECT coalesce(avg(CASE WHEN language IN ('{ENGLISH}', '{UNKNOWN}') THEN 0 ELSE 1 END), 0)
FROM ordered
"""


def _run(context: Context) -> Report:
    directory = context.directory
    cap = context.settings.thresholds().account_cap
    limit = 2**62 if cap is None else cap
    with context.sql() as sql:
        files.register(sql, "facets", facets_folder(directory))
        files.register(sql, "conversations", conversations_folder(directory))
        sql.execute(_ORDERED.format(facet=FACET.name, seed=context.settings.seed))
        capped = sql.sql(
            f"SELECT conversation_id FROM ordered WHERE nth > {limit} ORDER BY key"
        ).to_arrow_table()
        sql.execute(_TEXTS.format(cap=limit))
        texts = sql.sql("SELECT text, weight FROM texts ORDER BY number").to_arrow_table()
        members = sql.sql(_MEMBERS.format(cap=limit)).to_arrow_table()
        foreign = sql.sql(_FOREIGN).fetchall()[0][0]
    if members.num_rows == 0:
        raise InputError("no conversation of the input asks for anything in words")
    files.write_table(capped_file(directory), capped)
    files.write_table(texts_file(directory), texts)
    files.write_table(members_file(directory), members)
    context.progress.advanced(members.num_rows + capped.num_rows)
    return Report(
        rows_in=rows_of(directory, "facets"),
        rows_out=members.num_rows,
        outcomes={Outcome.CAPPED: capped.num_rows} if capped.num_rows else {},
        details={"distinct_texts": texts.num_rows, "foreign_share": round(foreign, 4)},
    )


TEXTS = Stage(
    name="texts",
    run=_run,
    outputs=lambda d: [capped_file(d), texts_file(d), members_file(d)],
    depends=lambda c: {
        "seed": c.settings.seed,
        "facet": FACET.name,
        "account_cap": c.settings.thresholds().account_cap,
    },
    version=2,
    total=lambda c: (rows_of(c.directory, "facets"), "conversations"),
)
