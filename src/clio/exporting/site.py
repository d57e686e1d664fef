"""A release as a static site: the explorer with every answer it asks for, as files.

The answers are those of the API, made by the API's own functions. They work from any web server
and from ``file://``, where browsers load neither modules nor data: each part of the data is a
classic script that hands itself over (``web/src/data/copy.ts``).
"""

from __future__ import annotations

import codecs
import gzip
import json
import math
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import pyarrow.parquet as pq

from clio.errors import ReleaseError
from clio.exporting.answers import ENDPOINTS
from clio.exporting.packing import pack
from clio.filesystem import remove
from clio.release.read import Release, open_release
from clio.release.schema import TABLES
from clio.server.app import STATIC
from clio.server.tables import csv_text

Progress = Callable[[int, int], None]
"""Told how many parts of the work are done, and how many there are."""

_POLICY: Final = (
    # A browser may not take file:// for 'self'; a page from a web server can load none of it.
    "default-src 'none'; script-src 'self' file:; style-src 'self' file:; "
    "img-src 'self' file: blob:; base-uri 'none'; form-action 'none'"
)
_HEAD: Final = '<meta charset="utf-8" />'
_LOADER: Final = "<script defer "
_PART: Final = 100_000
"""About so many bytes of packed answers are one part; compressed they are a third of it."""

_FILE: Final = 1 << 20
"""Tables are files of the site as far as they are no larger than this."""


def write_site(release_folder: Path, to: Path, *, progress: Progress | None = None) -> None:
    """Write the explorer of one release as files that work without a server.

    Parameters
    ----------
    release_folder
        The release's own directory, or a run's.
    to
        The folder to make. It may exist as long as it is empty.
    progress
        Told of each finished part of the work.

    Raises
    ------
    ReleaseError
        The release is not for others to see, is damaged, or `to` holds something.
    """
    release = open_release(release_folder)
    if not release.info.publishable:
        raise ReleaseError(
            f"a release of the preset {release.info.preset} is not anonymous, so it is not exported"
        )
    page = STATIC / "index.html"
    if not page.is_file():
        raise ReleaseError("the explorer's page is not built: run make web")
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise ReleaseError(f"{to} is not empty; name a new folder")
    aside = to.with_name(f".{to.name}.writing")
    remove(aside)
    try:
        shutil.copytree(STATIC, aside)
        (aside / "index.html").write_text(_closed(page.read_text("utf-8")), encoding="utf-8")
        _write_data(release, aside / "data", progress or (lambda _done, _all: None))
        remove(to)
        aside.rename(to)
    except BaseException:
        remove(aside)
        raise


def _closed(page: str) -> str:
    """The page with its content policy, and with the data it is to take before anything else."""
    policy = f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}" />'
    no_trace = '<meta name="referrer" content="no-referrer" />'
    contents = '<script defer src="./data/index.js"></script>'
    for mark, added in (
        (_HEAD, f"{_HEAD}\n    {policy}\n    {no_trace}"),
        (_LOADER, f"{contents}\n    {_LOADER}"),
    ):
        if page.count(mark) != 1:
            raise ReleaseError("the explorer's page is of another build: run make web")
        page = page.replace(mark, added)
    return page


def _write_data(release: Release, folder: Path, progress: Progress) -> None:
    steps = len(ENDPOINTS) + 1
    parts: dict[str, int] = {}
    for step, endpoint in enumerate(ENDPOINTS):
        progress(step, steps)
        packed: dict[str, bytes] = {}
        kind = ""
        for answer in endpoint(release):
            kind = answer.kind
            packed[answer.key] = orjson.dumps(pack(orjson.loads(answer.content.model_dump_json())))
        if packed:
            parts[kind] = _write_parts(packed, folder / kind, kind)
    progress(steps - 1, steps)
    contents = {
        "facet": next(iter(release.facets), None),
        "granularity": release.info.granularity,
        "parts": parts,
        "files": list(_write_tables(release, folder / "tables")),
    }
    (folder / "index.js").write_text(f"self.clioCopy = {json.dumps(contents)};\n")
    progress(steps, steps)


def _write_parts(answers: dict[str, bytes], folder: Path, kind: str) -> int:
    """Spread answers over parts by a hash of what they are found by; returns how many parts."""
    folder.mkdir(parents=True)
    count = math.ceil(sum(map(len, answers.values())) / _PART)
    parts: list[list[str]] = [[] for _ in range(count)]
    for key in answers:
        parts[_hash(key) % count].append(key)
    for number, keys in enumerate(parts):
        text = b",".join(orjson.dumps(key) + b":" + answers[key] for key in keys)
        packed = gzip.compress(b"{" + text + b"}", 9, mtime=0)
        script = f'clioCopy.take("{kind}/{number}",{len(packed)},"{letters(packed)}");\n'
        # The mark at the beginning makes browsers read it so, whatever a server says of it.
        (folder / f"{number}.js").write_bytes(codecs.BOM_UTF16_LE + script.encode("utf-16-le"))
    return count


def letters(data: bytes) -> str:
    """Bytes as text, 15 bits a letter: in UTF-16 a fifth shorter than base64 is in ASCII.

    All letters lie between U+0100 and U+80FF, so that none needs an escape or a surrogate.
    """
    bits = np.unpackbits(np.frombuffer(data, np.uint8))
    groups = np.pad(bits, (0, -len(bits) % 15)).reshape(-1, 15).astype(np.uint16)
    return (
        (groups @ (1 << np.arange(14, -1, -1)).astype(np.uint16) + 0x100)
        .tobytes()
        .decode("utf-16-le")
    )


def _hash(text: str) -> int:
    """FNV-1a of 32 bits, as in ``copy.ts``."""
    state = 0x811C9DC5
    for byte in text.encode():
        state = (state ^ byte) * 0x01000193 & 0xFFFFFFFF
    return state


def _write_tables(release: Release, folder: Path) -> Iterator[str]:
    """Small tables as files; gives their names."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in TABLES:
        table: Any = release.table(name)
        if table.num_rows == 0:
            continue
        for kind in ("csv", "parquet"):
            path = folder / f"{name}.{kind}"
            if kind == "csv" and table.nbytes <= _FILE:
                path.write_bytes(csv_text(table.column_names, table.to_pylist()))
            elif kind == "parquet":
                pq.write_table(table, path, compression="zstd")
            if path.exists() and path.stat().st_size > _FILE:
                path.unlink()
            if path.exists():
                yield f"tables/{path.name}"
