"""Files of a run: who may read them, what was left over, and where conversations' words lie."""

from __future__ import annotations

import gzip
import stat
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from clio.auditing.findings import Finding, Passed
from clio.release.schema import LATEST_LINK, RELEASES_DIRECTORY

MODES: Final = "modes"
LEFTOVERS: Final = "leftovers"

TIERS: Final = ("private", "restricted")
OWN_FILES: Final = ("run.json", "edits.jsonl", "budget.json", "spent.json")
"""Files beside the folders that are the owner's alone."""

_MOST_BYTES: Final = 64 << 20
"""Of a file no more than this is looked through for words."""


def check_modes(run: Path) -> Passed:
    """See that nothing outside the releases is open to others, and that no link leads out.

    Parameters
    ----------
    run
        The run directory.
    """
    findings: list[Finding] = []
    looked = 0
    for tier in TIERS:
        folder = run / tier
        if folder.is_symlink():
            findings.append(Finding(MODES, tier, "is a symbolic link"))
        for path in (folder, *_below(folder)) if folder.is_dir() else ():
            looked += 1
            findings += _mode(path, tier)
    for path in sorted(run.iterdir()):
        if path.name in (*TIERS, RELEASES_DIRECTORY):
            continue
        looked += 1
        if path.name == LATEST_LINK:
            findings += _latest(run, path)
        elif path.is_symlink():
            findings.append(Finding(MODES, "the run's folder", "holds a symbolic link"))
        elif path.is_file() and stat.S_IMODE(path.lstat().st_mode) & 0o077:
            findings.append(Finding(MODES, _named(path), "may be read by others (0600)"))
    return Passed(MODES, "modes of files and folders, links", findings, {"files": looked})


def _named(path: Path) -> str:
    return path.name if path.name in OWN_FILES else "a file in the run's folder"


def _mode(path: Path, tier: str) -> Iterator[Finding]:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        yield Finding(MODES, tier, "holds a symbolic link")
    elif stat.S_ISDIR(mode):
        if stat.S_IMODE(mode) & 0o077:
            yield Finding(MODES, tier, "a folder may be entered by others (0700)")
    elif stat.S_ISREG(mode):
        if stat.S_IMODE(mode) & 0o177:
            yield Finding(MODES, tier, "a file may be read by others or run (0600)")
    else:
        yield Finding(MODES, tier, "holds something that is neither file nor folder")


def _latest(run: Path, link: Path) -> Iterator[Finding]:
    if not link.is_symlink():
        yield Finding(MODES, LATEST_LINK, "is not the link that Clio makes")
        return
    target = link.readlink()
    if target.is_absolute() or target.parent != Path(RELEASES_DIRECTORY):
        yield Finding(MODES, LATEST_LINK, "leads out of the run's releases")
    elif not (run / target).is_dir() or (run / target).is_symlink():
        yield Finding(MODES, LATEST_LINK, "leads to no release")


def check_leftovers(run: Path) -> Passed:
    """Look for what an interrupted run may have left: unfinished files, spilled tables."""
    findings = []
    for path in _below(run):
        place = path.relative_to(run).parts[0]
        where = place if place in (*TIERS, RELEASES_DIRECTORY) else "the run's folder"
        if path.name.startswith(".tmp-") or path.name in (".writing", f".{LATEST_LINK}"):
            findings.append(Finding(LEFTOVERS, where, "holds an unfinished file"))
    spilled = run / "private" / "tmp"
    if spilled.is_dir() and any(spilled.iterdir()):
        findings.append(Finding(LEFTOVERS, "private", "tables were spilled and left"))
    releases = run / RELEASES_DIRECTORY
    for path in sorted(releases.iterdir()) if releases.is_dir() else ():
        whole = path.is_dir() and not path.is_symlink() and path.name.isdecimal()
        if not whole and path.name != ".writing":
            findings.append(Finding(LEFTOVERS, RELEASES_DIRECTORY, "holds what is no release"))
    return Passed(LEFTOVERS, "unfinished files, spilled tables", findings)


def _below(folder: Path) -> list[Path]:
    """All below a folder; links are not followed."""
    return sorted(folder.rglob("*"))


def open_texts(run: Path) -> Iterator[tuple[str, str]]:
    """Texts of everything that must hold no conversation's words, with the place each lies in.

    Releases, what lies beside them, logs of the run, and what Clio left in the folder for temporary
    files. Tables are read, compressed files unpacked.
    """
    for path in _open_files(run):
        where = _where(run, path)
        for text in _texts(path):
            yield where, text


def _where(run: Path, path: Path) -> str:
    if not path.is_relative_to(run):
        return "the folder for temporary files"
    first = path.relative_to(run).parts[0]
    if first in (RELEASES_DIRECTORY, "restricted"):
        return first
    return _named(path)


def _open_files(run: Path) -> Iterator[Path]:
    for path in _below(run):
        inside = path.relative_to(run)
        # Clusters with all their words are for the safety role; its log is not.
        restricted = inside.parts[0] == "restricted" and path.suffix != ".log"
        if inside.parts[0] != "private" and not restricted and _plain(path):
            yield path
    for entry in sorted(Path(tempfile.gettempdir()).glob("clio-*")):
        if entry.is_dir() and not entry.is_symlink():
            yield from (path for path in _below(entry) if _plain(path))
        elif _plain(entry):
            yield entry


def _plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _texts(path: Path) -> Iterator[str]:
    if path.suffix == ".parquet":
        try:
            table = pq.read_table(path, partitioning=None)
        except (pa.ArrowException, OSError):
            return
        for column in table.columns:
            if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
                yield from (text for text in column.unique().to_pylist() if text)
        return
    with path.open("rb") as file:
        data = file.read(_MOST_BYTES)
    yield unpacked(data).decode("utf-8", "replace")


def unpacked(data: bytes) -> bytes:
    """The contents of a file, unpacked where it is compressed and can be."""
    try:
        if data[:2] == b"\x1f\x8b":
            return gzip.decompress(data)
        if data[:4] == b"\x28\xb5\x2f\xfd":
            reader = zstandard.ZstdDecompressor().stream_reader(data)
            return bytes(reader.read(_MOST_BYTES))
    except (OSError, EOFError, zlib.error, zstandard.ZstdError):
        pass
    return data


def wanted_windows(texts: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """Five words in a row of every text, with the places where they stand."""
    from clio.privacy.wording import windows

    found: dict[str, set[str]] = {}
    for where, text in texts:
        for window in windows(text):
            found.setdefault(window, set()).add(where)
    return found
