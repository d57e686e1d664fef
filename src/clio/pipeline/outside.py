"""Texts beyond the tables of a run: answers of models, folders of requests, providers' batches."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from clio.analysts.asking import CACHE_FILE
from clio.analysts.cache import Cache
from clio.analysts.journal import Journal, State
from clio.analysts.providers.files import Folder
from clio.errors import ClioError, RunError
from clio.pipeline.models import Models
from clio.pipeline.run_directory import RunDirectory
from clio.settings import Settings

_FILES = "files:"
_BATCH = "batch:"


def check_handed_in(directory: RunDirectory, settings: Settings) -> None:
    """See that of each batch it is known whether a provider has it.

    Raises
    ------
    RunError
        A run was killed while it handed one in.
    """
    for model, _ in _batches(directory, settings, "intended"):
        raise RunError(
            f"a batch was being handed in to {model} when {directory.path} was stopped; run it "
            "again first, so that it is known what the provider has"
        )


def clear_answers(directory: RunDirectory, settings: Settings) -> list[str]:
    """Delete all that models were asked and have answered; may be called again.

    Whose conversation an answer is about is not told by its key, and a tree that stands needs none
    of them.

    Parameters
    ----------
    directory, settings
        Of the run.

    Returns
    -------
    list[str]
        Where texts still lie outside the run, one line each: what a provider did not let us delete.
    """
    for folder in _folders(directory, settings):
        if folder.is_dir():
            Folder(folder).clear()
    path = directory.private / CACHE_FILE
    if not path.is_file():
        return []
    cache = Cache(path)
    try:
        cache.clear()
        for model in settings.models:
            if model.startswith(_BATCH):
                Journal(cache, model).given_up()
    finally:
        cache.close()
    if any(_batches(directory, settings, "collected")):
        models = Models(settings, directory.private)
        with suppress(ClioError):  # without its key nothing can be deleted there
            for model in settings.models:
                if model.startswith(_BATCH):
                    models.prepare(model)
        models.close()  # which deletes what is wanted no more
    return [
        f"batch {identity} at {model}: to be deleted there"
        for model, identity in _batches(directory, settings, "collected")
    ]


def _folders(directory: RunDirectory, settings: Settings) -> set[Path]:
    """Folders of requests: as named, and as recorded, since a name may be relative to elsewhere."""
    named = [m.removeprefix(_FILES) for m in settings.models if m.startswith(_FILES)]
    recorded = [line.rpartition(": ")[0] for line in directory.state.outstanding]
    found = {Path(name).expanduser().absolute() for name in named}
    return found | {Path(name) for name in recorded if named and Path(name).is_absolute()}


def _batches(
    directory: RunDirectory, settings: Settings, state: State
) -> list[tuple[str, str | None]]:
    """Model and id of batches in a state of the journal."""
    path = directory.private / CACHE_FILE
    if not path.is_file():
        return []
    cache = Cache(path)
    try:
        return [
            (model.removeprefix(_BATCH), batch.id)
            for model in settings.models
            if model.startswith(_BATCH)
            for batch in Journal(cache, model).batches(state)
        ]
    finally:
        cache.close()
