"""An export: a release in one of four forms, with its data card, its numbers noised or not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal, get_args

from pydantic import ValidationError

from clio.errors import ReleaseError, SettingsError
from clio.exporting import noise
from clio.exporting.accounting import Spend, split
from clio.exporting.card import JSON, DataCard, Formal, data_card, formal
from clio.exporting.content import Content, content_of
from clio.exporting.folders import new_folder
from clio.exporting.given import given_by
from clio.exporting.index import write_index
from clio.exporting.ledger import read_ledger, spend
from clio.exporting.measuring import agree, measure
from clio.exporting.noising import noised_content
from clio.exporting.site import write_site
from clio.exporting.tables import write_csv, write_parquet
from clio.exporting.telling import write_card
from clio.pipeline.exporting import opened_for_export
from clio.pipeline.progress import NoProgress, Progress
from clio.release.read import Release, open_release

Form = Literal["site", "csv", "parquet", "index"]
FORMS: Final[tuple[Form, ...]] = get_args(Form)

EPSILON: Final = 2.0
DELTA: Final = 1e-8
MOST_DELTA: Final = 1e-5
"""δ is the chance that the guarantee fails for someone: far under one account in all."""

_WRITERS: Final[dict[str, Callable[[Content, Path], None]]] = {
    "csv": write_csv,
    "parquet": write_parquet,
    "index": write_index,
}


@dataclass(frozen=True)
class Privacy:
    """Differential privacy of an export.

    Attributes
    ----------
    epsilon, delta
        Of the export, for whole accounts.
    budget
        ε over all such exports of the run; the one last named, or 4, where not given.

    Raises
    ------
    SettingsError
        A value is out of bounds.
    """

    epsilon: float = EPSILON
    delta: float = DELTA
    budget: float | None = None

    def __post_init__(self) -> None:
        if not 0.0 < self.epsilon <= 100.0:
            raise SettingsError("epsilon lies over 0, and over 100 it promises nothing")
        if not 0.0 < self.delta <= MOST_DELTA:
            raise SettingsError(f"delta lies over 0 and is at most {MOST_DELTA:g}")
        if self.budget is not None and not 0.0 < self.budget < float("inf"):
            raise SettingsError("the budget is a positive epsilon")


@dataclass(frozen=True)
class Export:
    """What was exported.

    Attributes
    ----------
    directory
        Where it lies.
    form
        As what.
    card
        Its data card.
    """

    directory: Path
    form: Form
    card: DataCard


def export(
    path: str | Path,
    to: str | Path,
    *,
    form: Form = "site",
    privacy: Privacy | None = None,
    seed: int | None = None,
    progress: Progress | None = None,
) -> Export:
    """Export a release to publish it.

    Parameters
    ----------
    path
        A run, whose latest release is taken, or a release's own directory. Nothing private is
        opened, unless `privacy` is given: then the run's conversations are counted anew.
    to
        A new or empty folder. It is there whole or not at all.
    form
        ``site`` (the explorer, as static files), ``csv`` and ``parquet`` (the release's tables) or
        ``index`` (the long format of the Anthropic Economic Index).
    privacy
        Makes every number differentially private, and spends of the run's budget.
    seed
        Of the choice among an account's conversations under `privacy`; the run's where not given.
        It never reaches the noise.
    progress
        Told of what happens.

    Raises
    ------
    ReleaseError
        There is no release, it is damaged, or it is of the preset ``personal``.
    SettingsError
        `to` is not empty or lies in a run, or OpenDP is needed and not installed.
    EpsilonError
        The run's privacy budget does not allow it; nothing is spent.
    RunError
        The run's private tables are needed and are not there.
    """
    if form not in FORMS:
        raise SettingsError(f"an export is a {', '.join(FORMS)}; there is no '{form}'")
    progress = progress or NoProgress()
    folder = Path(to)
    # The folder comes first: what cannot be written should not be paid for.
    with new_folder(folder) as aside:
        if privacy is None:
            release = _publishable(open_release(path))
            content, guarantee = content_of(release), _guarantee_of(release)
        else:
            release = None
            with _told(progress, "Counting with noise"):
                content, guarantee = _noised(path, form, privacy, seed)
        card = data_card(content, form, guarantee)
        with _told(progress, "Writing the export"):
            if form == "site":
                _site(content, release, aside)
            else:
                _WRITERS[form](content, aside)
            write_card(card, aside)
    return Export(folder, form, card)


def _publishable(release: Release) -> Release:
    if not release.info.publishable:
        raise ReleaseError(
            f"a release of the preset {release.info.preset} is not anonymous, so it is not "
            "exported; run again with --privacy default"
        )
    return release


def _guarantee_of(release: Release) -> Formal | None:
    """The guarantee of a release that is such an export itself: another form costs nothing."""
    if release.info.privacy.epsilon is None:
        return None
    try:
        card = DataCard.model_validate_json((release.directory / JSON).read_bytes())
    except (OSError, ValidationError):
        raise ReleaseError(
            f"{release.directory / JSON}, which says how its numbers are protected, is missing or "
            "damaged; export it again from its run"
        ) from None
    return card.differential_privacy


def _noised(
    path: str | Path, form: Form, privacy: Privacy, seed: int | None
) -> tuple[Content, Formal]:
    """Count anew with noise; what it costs stands in the ledger before this returns."""
    noise.require()
    with opened_for_export(path) as run:
        release = _publishable(run.release)
        dimensions = dict.fromkeys(release.breakdowns["dimension"].unique().to_pylist())
        given = given_by(release, run.countable(dimensions))
        parts = split(
            privacy.epsilon,
            privacy.delta,
            levels=len(given.levels),
            dimensions=len(given.dimensions),
            trends=bool(given.periods),
        )
        cost = Spend(privacy.epsilon, privacy.delta, parts.rho, parts.selection_delta)
        ledger = read_ledger(run)
        ledger.check(cost, privacy.budget)
        rows = run.contributions(given.wanted(), seed=seed)
        spend(run, ledger, cost, budget=privacy.budget, form=form)
        measured = measure(given, rows, parts)
        content = noised_content(
            given, measured, agree(given, measured), release.info, cost, ledger.number
        )
        return content, formal(parts, cost, export=ledger.number, run=ledger.spent(cost))


def _site(content: Content, release: Release | None, aside: Path) -> None:
    if release is not None:
        write_site(release.directory, aside)
        return
    with TemporaryDirectory(prefix="clio-") as folder:
        write_parquet(content, Path(folder))
        write_site(Path(folder), aside)


@contextmanager
def _told(progress: Progress, name: str) -> Iterator[None]:
    began = time.monotonic()
    progress.stage_started(name, None, "")
    yield
    progress.stage_finished(name, time.monotonic() - began, skipped=False)
