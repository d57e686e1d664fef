"""Answers to a clustered facet become distinct texts, each with the conversations behind it.

The contribution cap of an account is applied here, before anything is counted. Rows are ordered
by SHA-256 of seed and conversation, so that any first part of them is a random sample, and none
of it depends on the key of the pseudonyms.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from clio.conversation import Outcome
from clio.errors import InputError
from clio.facet import UNKNOWN
from clio.facets import detect_language
from clio.pipeline import files
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stage import (
    Context,
    Report,
    Stage,
    facet_outputs,
    facets_report,
    rows_of,
)
from clio.pipeline.stages.facets import facets_folder
from clio.pipeline.stages.read import conversations_folder

ENGLISH = "en"


def texts_file(directory: RunDirectory, facet: str) -> Path:
    """``text`` and its ``weight`` in conversations; the row number is the text's number."""
    return directory.work / facet / "texts.parquet"


def members_file(directory: RunDirectory, facet: str) -> Path:
    """``conversation_id``, ``account`` (a code), ``text`` (a number), ``language``.

    Where a model wrote the text in words of its own also ``origin``, the same for conversations of
    the same words of the requester, and ``also``, the other answers in words; null where not.
    """
    return directory.work / facet / "members.parquet"


def capped_file(directory: RunDirectory) -> Path:
    """Conversations beyond their account's cap."""
    return directory.work / "capped.parquet"


_ORDERED = """
CREATE TEMP TABLE ordered AS
SELECT f.conversation_id, c.account, f."{facet}" AS text, f.language, {origin} AS origin,
       {also} AS also,
       sha256('{seed}:' || f.conversation_id) AS key,
       row_number() OVER (
           PARTITION BY c.account ORDER BY sha256('{seed}:' || f.conversation_id)
       ) AS nth
FROM facets f JOIN conversations c USING (conversation_id)
"""
_REQUESTER = r"""
hash(regexp_replace(
    lower(array_to_string([m.content for m in c.messages if m.role = 'user'], ' ')),
    '[^\p{L}\p{N}]+', ' ', 'g'
))
"""
_TEXTS = """
CREATE TEMP TABLE texts AS
SELECT text, weight, row_number() OVER (ORDER BY first, text) - 1 AS number FROM (
    SELECT text, count(*) AS weight, min(key) AS first FROM ordered
    WHERE nth <= {cap} AND text IS NOT NULL GROUP BY text
)
"""
_MEMBERS = """
SELECT o.conversation_id, dense_rank() OVER (ORDER BY o.account) - 1 AS account,
       t.number AS text, o.language, o.origin, o.also
FROM ordered o JOIN texts t USING (text) WHERE nth <= {cap} ORDER BY o.key
"""
_FOREIGN = f"""
SELECT coalesce(avg(CASE WHEN language IN ('{ENGLISH}', '{UNKNOWN}') THEN 0 ELSE 1 END), 0)
FROM {{table}} WHERE text IS NOT NULL
"""


def _written_in(context: Context, texts: pa.Table) -> pa.Array:
    """Languages of what a model wrote: that of the run, as far as it kept to it."""
    if context.settings.language.casefold() == "english":
        return pa.repeat(ENGLISH, texts.num_rows)
    return pa.array([detect_language(text) for text in texts["text"].to_pylist()], pa.string())


def _also(context: Context, facet: str) -> str:
    """SQL for what a model said of a conversation beside one facet."""
    others = (f for f in context.facets.asked if f.kind in ("text", "category"))
    names = [f'f."{other.name}"' for other in others if other.name != facet]
    return f"concat_ws(' / ', {', '.join(names)})" if names else "''"


def _texts_of(context: Context, facet: str, limit: int) -> tuple[Report, pa.Table]:
    """Write texts and members of one facet; the conversations over the cap."""
    directory = context.directory
    with context.sql() as sql:
        files.register(sql, "facets", facets_folder(directory))
        files.register(sql, "conversations", conversations_folder(directory))
        by_model = context.settings.model_for_facets is not None
        sql.execute(
            _ORDERED.format(
                facet=facet,
                seed=context.settings.seed,
                origin=_REQUESTER if by_model else "NULL::UBIGINT",
                also=_also(context, facet) if by_model else "NULL::VARCHAR",
            )
        )
        capped = sql.sql(
            f"SELECT conversation_id FROM ordered WHERE nth > {limit} ORDER BY key"
        ).to_arrow_table()
        sql.execute(_TEXTS.format(cap=limit))
        texts = sql.sql("SELECT text, weight FROM texts ORDER BY number").to_arrow_table()
        members = sql.sql(_MEMBERS.format(cap=limit)).to_arrow_table()
        table = "ordered"
        if by_model:
            # The answers' language counts, which need not be the requester's.
            languages = _written_in(context, texts).take(members["text"].combine_chunks())
            members = members.set_column(3, "language", languages)
            table = "members"
        foreign = sql.sql(_FOREIGN.format(table=table)).fetchall()[0][0]
    files.write_table(texts_file(directory, facet), texts)
    files.write_table(members_file(directory, facet), members)
    context.progress.advanced(rows_of(directory, "facets"))
    report = Report(
        rows_in=rows_of(directory, "facets"),
        rows_out=members.num_rows,
        outcomes={Outcome.CAPPED: capped.num_rows} if capped.num_rows else {},
        details={"distinct_texts": texts.num_rows, "foreign_share": round(foreign, 4)},
    )
    return report, capped


def _run(context: Context) -> Report:
    cap = context.settings.thresholds().account_cap
    found = {
        facet.name: _texts_of(context, facet.name, 2**62 if cap is None else cap)
        for facet in context.facets.clustered
    }
    report, capped = found[context.facets.primary.name]
    if report.rows_out == 0:
        raise InputError("no conversation of the input asks for anything in words")
    files.write_table(capped_file(context.directory), capped)
    return facets_report({facet: report for facet, (report, _) in found.items()})


TEXTS = Stage(
    name="texts",
    run=_run,
    outputs=lambda d: [capped_file(d), *facet_outputs(d, "texts.parquet", "members.parquet")],
    depends=lambda c: {
        "seed": c.settings.seed,
        "facets": [facet.name for facet in c.facets.clustered],
        "account_cap": c.settings.thresholds().account_cap,
        "language": c.settings.language if c.settings.model_for_facets else None,
    },
    version=5,
    total=lambda c: (
        rows_of(c.directory, "facets") * len(c.facets.clustered),
        "answers",
    ),
)
