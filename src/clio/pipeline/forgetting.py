"""Forgets one account of a run: its rows go at once, the tree stays, released numbers stand.

All that has to be written anew is made in a shadow of the run first, a folder of hard links, while
the run itself is as it was. Then the new files are moved into place, one after the other. Killed in
the first half it starts over, killed in the second it goes on moving; in between nothing else works
on the run. What is intended is written down with the pseudonym, never the id.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from clio import filesystem
from clio.access import LOG_FILE, TOKENS_FOLDER, record
from clio.analysts.asking import CACHE_FILE
from clio.auditing.refusing import refuse_unsafe
from clio.errors import ClioError, RunError
from clio.pipeline import files
from clio.pipeline.canaries import SHADOW_FOLDER
from clio.pipeline.erasing import Belongings, all_files, belongings_of, erase, leftovers
from clio.pipeline.facets import restored
from clio.pipeline.failures import explained
from clio.pipeline.networks import network_accounts_file, networks_file
from clio.pipeline.outside import check_handed_in, clear_answers
from clio.pipeline.progress import NoProgress
from clio.pipeline.recounting import recount
from clio.pipeline.rewording import reword
from clio.pipeline.run_directory import RunDirectory, RunState
from clio.pipeline.stage import Context
from clio.pipeline.stages import STAGES
from clio.pipeline.stages.read import conversations_folder
from clio.pipeline.tombstones import Tombstones
from clio.privacy.pseudonyms import pseudonym
from clio.release.read import Release, open_release
from clio.release.write import next_number, write_release
from clio.settings import settings_from
from clio.sources import Inputs

_INTENT: Final = "intent.json"
_SHADOW: Final = "run"

_APART: Final = frozenset({CACHE_FILE, f"{CACHE_FILE}-wal", f"{CACHE_FILE}-shm", ".lock"})
"""Files that are not written anew: the lock, and answers, which are all deleted."""

_LOGS: Final = frozenset({LOG_FILE, TOKENS_FOLDER})

_NEEDLES: Final = 500
_NEEDLE: Final = 16
"""Texts that are looked for in files of unknown structure: so many, the longest first, and none
shorter, since a short one may be anybody's."""


@dataclass(frozen=True, slots=True)
class Forgetting:
    """What was done.

    Attributes
    ----------
    conversations
        Rows of the account that are gone; 0 where it was forgotten before.
    release
        Number of the release that was made because words had lost their support, or ``None``.
    kept_back
        Why that release was not made, where it should have been: rows go all the same.
    removed
        Names of files that were removed as a whole: they held text of the account.
    outstanding
        Where texts still lie outside the run, one line each.
    """

    conversations: int
    release: int | None
    kept_back: str | None
    removed: tuple[str, ...]
    outstanding: tuple[str, ...]


def forget(path: str | Path, account: str | None = None) -> Forgetting:
    """Take an account out of a run, or finish doing so.

    Rows go from every private and restricted file, and all answers of models. The tree stays as it
    is, words that lose their support are replaced, and numbers that were released stand (methods:
    privacy gate, forget).

    Parameters
    ----------
    path
        The run directory.
    account
        The account as the input names it; ``None`` only finishes what was interrupted.

    Raises
    ------
    ClioError
        With one line that says what to do: no run, no such account, the disk is full. What was
        begun is finished by the next call, and no other command works on the run before.
    """
    directory = RunDirectory(Path(path))
    if not (directory.path / "run.json").is_file():
        raise RunError(f"{directory.path} is no run; make one with: clio run INPUT...")
    directory.load(whole=False)
    if directory.state.purged:
        raise RunError(f"{directory.path} was purged: there is nothing left to forget")
    with explained(directory), directory.lock():
        directory.load(whole=False)
        done = _finish(directory) if directory.forgetting.is_dir() else None
        if account is not None:
            begun = _begin(directory, account)
            done = (_finish(directory) if begun else done) or Forgetting(0, None, None, (), ())
        if done is None:
            raise RunError("nothing is left to finish; name an account with --account")
        return done


def _begin(directory: RunDirectory, account: str) -> bool:
    """Write down what is intended; whether there is anything to do.

    Raises
    ------
    RunError
        There is no such account, or it cannot be known what a provider has.
    """
    key = directory.private_key()
    tombstones = Tombstones(directory)
    name = None if key is None else pseudonym(key, account)
    if name is None or not _is_known(directory, name):
        if tombstones.holds(account):
            return False
        raise RunError(
            f"no conversation in {directory.path} is of that account; it is matched with what the "
            "input says, to the letter"
        )
    check_handed_in(directory, settings_from(directory.state.settings))
    # First, so that whatever happens its rows do not come back.
    tombstones.add(account)
    files.make_private(directory.forgetting)
    files.write_json(directory.forgetting / _INTENT, {"account": name})
    return True


def _is_known(directory: RunDirectory, account: str) -> bool:
    return any(
        pc.any(pc.equal(files.read_table(part, ["account"])["account"], account)).as_py()
        for part in files.parts(conversations_folder(directory))
    )


def _finish(directory: RunDirectory) -> Forgetting | None:
    """Do what is intended, from where it stopped; ``None`` where nothing is written down."""
    intent = directory.forgetting / _INTENT
    plan = orjson.loads(intent.read_bytes()) if intent.is_file() else {}
    if plan and "state" not in plan:
        plan = _prepare(directory, plan["account"])
        files.write_json(intent, plan)
    if not plan:  # killed before anything was written down, or after all was done
        filesystem.remove(directory.forgetting)
        return None
    _commit(directory, plan["gone"])
    directory.state = RunState.model_validate(plan["state"])
    settings = settings_from(directory.state.settings)
    directory.state.outstanding = clear_answers(directory, settings)
    for stage in STAGES:
        known = directory.state.stages.get(stage.name)
        if known is not None and known.done:
            known.files, known.bytes = files.size(stage.outputs(directory))
    directory.save()
    record(directory.restricted, "forget", {"conversations": plan["conversations"]})
    intent.unlink()
    filesystem.remove(directory.forgetting)
    return Forgetting(
        plan["conversations"],
        plan["release"],
        plan["kept_back"],
        tuple(plan["removed"]),
        tuple(directory.state.outstanding),
    )


def _prepare(directory: RunDirectory, account: str) -> dict[str, Any]:
    """Make the new files in a shadow, and the release that they call for; the run stays as it is.

    Returns
    -------
    dict
        How to go on, for the note of what is intended.
    """
    shadow = _shadow_of(directory)
    whose = belongings_of(shadow, account)
    needles = _needles(shadow, whose)
    _undo_stages(shadow)
    erase(shadow, whose)
    release = open_release(directory.path) if directory.state.release is not None else None
    recount(shadow, whose, release)
    number, kept_back = _reworded(directory, shadow, whose, release)
    removed = leftovers(_unknown(shadow), needles)
    for path in removed:
        filesystem.remove(path)
    filesystem.remove(shadow.temporary)
    kept = {path.relative_to(shadow.path) for path in all_files(shadow)}
    gone = [path for path in _own_files(directory) if path.relative_to(directory.path) not in kept]
    return {
        "account": account,
        "conversations": len(whose.ids),
        "release": number,
        "kept_back": kept_back,
        "removed": sorted(str(path.relative_to(shadow.path)) for path in removed),
        "gone": sorted(str(path.relative_to(directory.path)) for path in gone),
        "state": shadow.state.model_dump(mode="json"),
    }


def _shadow_of(directory: RunDirectory) -> RunDirectory:
    """The run's files as hard links in a folder of its own, with its state."""
    shadow = RunDirectory(directory.forgetting / _SHADOW)
    filesystem.remove(shadow.path)
    for folder in (shadow.path, shadow.private, shadow.restricted):
        files.make_private(folder)
    for path in _own_files(directory):
        target = shadow.path / path.relative_to(directory.path)
        if not path.name.startswith(".tmp-"):  # what a killed process left
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, target)
    shadow.state = directory.state.model_copy(deep=True)
    return shadow


def _undo_stages(shadow: RunDirectory) -> None:
    """Have stages carried out again from what is left: open ones, and words of no release yet.

    What an open one left is in the order of texts that are renumbered now.
    """
    names = [stage.name for stage in STAGES]
    for stage in STAGES[names.index("texts") :]:
        known = shadow.state.stages.get(stage.name)
        words = names.index(stage.name) >= names.index("describe")
        if known is None or not known.done or (words and shadow.state.release is None):
            shadow.state.stages.pop(stage.name, None)
            for path in stage.outputs(shadow):
                filesystem.remove(path)


def _own_files(directory: RunDirectory) -> Iterator[Path]:
    """Files of a run that are written anew, or else removed."""
    for path in all_files(directory):
        inside = path.relative_to(directory.path).parts[1:]
        if path.name not in _APART and inside[0] not in _LOGS | {directory.forgetting.name}:
            yield path


def _commit(directory: RunDirectory, gone: Iterable[str]) -> None:
    """Move what was made anew into place, and remove what has no place any more."""
    shadow = RunDirectory(directory.forgetting / _SHADOW)
    folders = set()
    for path in all_files(shadow):
        target = directory.path / path.relative_to(shadow.path)
        if not (target.exists() and path.samefile(target)):
            path.replace(target)
            folders.add(target.parent)
    for name in gone:
        (directory.path / name).unlink(missing_ok=True)
        folders.add((directory.path / name).parent)
    for folder in (directory.temporary, directory.private / SHADOW_FOLDER):
        shutil.rmtree(folder, ignore_errors=True)
    for folder in folders:
        if folder.is_dir():
            filesystem.sync(folder)


def _needles(shadow: RunDirectory, whose: Belongings) -> list[str]:
    """What must not be found: its ids, its pseudonym, and texts that nobody else wrote."""
    mine: list[str] = []
    others: list[str] = []
    for is_own, found in ((True, mine), (False, others)):
        for part in files.parts(conversations_folder(shadow)):
            table = files.read_table(part, ["account", "messages"])
            rows = pc.equal(table["account"], whose.account)
            messages = table["messages"].filter(rows if is_own else pc.invert(rows))
            texts = pc.struct_field(messages.combine_chunks().flatten(), "content")
            if not is_own:
                texts = texts.filter(pc.is_in(texts, value_set=pa.array(mine, pa.string())))
            found += texts.to_pylist()
    texts = sorted(set(mine) - set(others), key=lambda text: (-len(text), text))
    return [
        *(whose.account, *whose.ids.to_pylist()),
        *(text for text in texts[:_NEEDLES] if len(text) >= _NEEDLE),
    ]


def _unknown(shadow: RunDirectory) -> list[Path]:
    """Files that no stage and no search for networks wrote: reports, sheets, whatever there is."""
    known = [path for stage in STAGES for path in stage.outputs(shadow)]
    known += [networks_file(shadow), network_accounts_file(shadow)]
    return [
        path for path in all_files(shadow) if not any(path.is_relative_to(one) for one in known)
    ]


def _reworded(
    directory: RunDirectory, shadow: RunDirectory, whose: Belongings, release: Release | None
) -> tuple[int | None, str | None]:
    """Replace words without support; the release that this takes, or why it is kept back."""
    if "edits" not in shadow.state.stages:  # there are no words yet
        return None, None
    context = Context(
        directory=shadow,
        settings=settings_from(shadow.state.settings),
        inputs=Inputs(),
        progress=NoProgress(),
    )
    context.facets = restored(shadow.state.facets)
    tables = reword(context, whose.clusters, release)
    if tables is None or release is None:
        return None, None
    number = next_number(directory.path)
    info = release.info.model_copy(update={"number": number})
    try:
        write_release(directory.path, tables, info, audit=refuse_unsafe)
    except (OSError, MemoryError):
        raise
    except Exception as error:  # whatever a check of the audit breaks with, the rows go
        return None, str(error) if isinstance(error, ClioError) else type(error).__name__
    shadow.state.release = shadow.state.forgotten.release = number
    return number, None
