"""Counts of a run without one account: rows by outcome still add up to the rows read."""

from __future__ import annotations

from clio.conversation import Outcome
from clio.pipeline import files
from clio.pipeline.erasing import Belongings
from clio.pipeline.run_directory import RunDirectory, StageState
from clio.pipeline.runner import outcomes_of
from clio.pipeline.stages.texts import texts_file
from clio.pipeline.tombstones import FORGOTTEN
from clio.release.read import Release


def recount(shadow: RunDirectory, whose: Belongings, release: Release | None) -> None:
    """Change what is recorded of the stages: the rows are skipped ones now, and nothing is lost.

    Parameters
    ----------
    shadow
        Of the run, with the account taken out of its files.
    whose
        What was taken out.
    release
        The latest, which counts it.
    """
    state, gone = shadow.state, len(whose.ids)
    read = state.stages.get("read")
    if read is not None and read.done:
        _add(read.outcomes, Outcome.SKIPPED.value, gone)
        _add(read.details.setdefault("skipped", {}), FORGOTTEN, gone)
        read.rows_out -= gone
    answered = gone - whose.unanswered.total()
    facets = state.stages.get("facets")
    if facets is not None and facets.done:
        for (outcome, reason), count in whose.unanswered.items():
            _add(facets.outcomes, outcome, -count)
            if outcome == Outcome.SKIPPED.value:
                _add(facets.details["skipped"], str(reason), -count)
        facets.details["cut"] -= whose.cut
        facets.rows_in -= gone
        facets.rows_out -= answered
    texts = state.stages.get("texts")
    if texts is not None and texts.done:
        _add(texts.outcomes, Outcome.CAPPED.value, -whose.capped)
        texts.rows_in -= answered
        texts.rows_out -= answered - whose.capped
        known = texts.details["facets"]
        for facet, details in known.items():
            table = files.read_table(texts_file(shadow, facet), ["weight"])
            details["distinct_texts"] = table.num_rows
        distinct = sum(details["distinct_texts"] for details in known.values())
        for name, rows in (("embed", distinct), ("cluster", texts.rows_out), ("layout", distinct)):
            _hand_on(state.stages.get(name), rows)
    if read is not None and state.outcomes:
        state.outcomes = outcomes_of(state)
    state.forgotten.accounts += 1
    state.forgotten.rows += gone
    if release is not None:
        state.release = state.forgotten.release = release.info.number


def _add(counts: dict[str, int], name: str, more: int) -> None:
    counts[name] = counts.get(name, 0) + more
    if not counts[name]:
        del counts[name]


def _hand_on(stage: StageState | None, rows: int) -> None:
    if stage is not None and stage.done:
        stage.rows_in = stage.rows_out = rows
