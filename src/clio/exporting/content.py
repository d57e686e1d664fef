"""What an export holds, whatever its form: the facts of a release and its tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from clio.release.read import Release
from clio.release.schema import TABLES, ReleaseInfo


@dataclass(frozen=True)
class Content:
    """A release's facts and tables, as released or noised.

    Attributes
    ----------
    info
        What ``release.json`` says.
    tables
        By name, in the order of the schema; a table that the release lacks is not there.
    digest
        Of the release, by which others can tell it apart; ``None`` where its numbers are noised: a
        digest of exact numbers lets guesses at them be checked.
    """

    info: ReleaseInfo
    tables: Mapping[str, pa.Table]
    digest: str | None


def content_of(release: Release) -> Content:
    """All of a release; nothing but its directory is opened.

    Raises
    ------
    ReleaseError
        A table is damaged.
    """
    names = [name for name in TABLES if (release.directory / f"{name}.parquet").exists()]
    tables = {name: release.table(name) for name in names}
    noised = release.info.privacy.epsilon is not None
    return Content(release.info, tables, None if noised else release.digest)
