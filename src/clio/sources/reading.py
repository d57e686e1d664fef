"""Files become a stream of rows, one file after the other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from itertools import groupby
from pathlib import Path
from typing import Any

from clio.errors import InputError
from clio.sources.blobs import LocalFile
from clio.sources.finding import Input, container_of
from clio.sources.registry import ROW_FORMATS, row_format
from clio.sources.remote import reason as why
from clio.sources.rows import Origin, Reason, RejectedError, Row, RowFormat


def read(
    inputs: Iterable[Input | Path], *, skip: int = 0, format: str | None = None
) -> Iterator[Row]:
    """All rows of the files, in order, as a stream.

    Parameters
    ----------
    inputs
        Files as `expand` returns them, or paths of local ones.
    skip
        Pass over so many rows first, without decoding them; the others are numbered all the same.
    format
        Name of the row format of all rows; by default each row is looked at.

    Yields
    ------
    Row
        One for each line that is not blank (JSON Lines), element (JSON) or row (Parquet): a
        conversation, or the reason why it was rejected.

    Raises
    ------
    InputError
        A file cannot be opened any more, or is of no known kind.
    SettingsError
        There is no format of that name.
    """
    formats = ROW_FORMATS if format is None else (row_format(format),)
    looked_at = (_as_input(item) for item in inputs)
    for archive, members in groupby(looked_at, key=lambda item: item.blob.archive):
        with ExitStack() as held:
            if archive is not None:
                # Its directory is read once for all members; where it no longer can be, each
                # member says so.
                with suppress(RejectedError, OSError):
                    held.enter_context(archive.held())
            for item in members:
                blob = item.blob
                try:
                    for block in item.container.blocks(blob):
                        if len(block) <= skip:
                            skip -= len(block)
                            continue
                        for line, record, reason in block.records(skip):
                            origin = Origin(blob.source, line, blob.holder)
                            yield _row(blob.name, origin, record, reason, formats)
                        skip = 0
                except OSError as error:
                    raise InputError(f"cannot read {item.name}: {why(error)}") from None


def _as_input(item: Input | Path) -> Input:
    if isinstance(item, Input):
        return item
    blob = LocalFile(item)
    return Input(blob, container_of(blob))


def _row(
    file: str,
    origin: Origin,
    record: Any,
    reason: Reason | None,
    formats: tuple[RowFormat, ...],
) -> Row:
    name = None
    try:
        if reason is not None:
            raise RejectedError(reason)
        if not isinstance(record, dict):
            raise RejectedError(Reason.NOT_AN_OBJECT)
        taking = formats[-1]
        for known in formats[:-1]:
            if known.recognises(record):
                taking = known
                break
        name = taking.name
        return Row(file, origin.line, taking.parse(record, origin), None, name)
    except RejectedError as rejected:
        return Row(file, origin.line, None, rejected.reason.value, name)


def fingerprint(inputs: Iterable[Input | Path]) -> str:
    """SHA-256 (hex) over names and contents of the files, in order.

    Of a name only its last part counts, as it does for ids made from it: a moved file keeps its
    fingerprint. For a file at an address its path, size and time of modification stand for the
    content.

    Raises
    ------
    InputError
        A file cannot be read.
    """
    digest = hashlib.sha256()
    for item in inputs:
        blob = item.blob if isinstance(item, Input) else LocalFile(item)
        try:
            content = blob.identity()
        except OSError as error:
            raise InputError(f"cannot read {blob.name}: {why(error)}") from None
        digest.update(hashlib.sha256(blob.source.encode()).digest())
        digest.update(content)
    return digest.hexdigest()
