"""Accounts that were forgotten, known again by a key of their own and by nothing else.

The key is not the one of the run's pseudonyms: that is made anew where the input is read again,
and must not tie a forgotten account to what is left of the run.
"""

from __future__ import annotations

from typing import Final

import orjson

from clio.pipeline import files
from clio.pipeline.run_directory import RunDirectory
from clio.privacy.pseudonyms import make_key, pseudonym

TOMBSTONES_FILE: Final = "forgotten.json"
"""In the private folder: the key, and a mark for each forgotten account."""

FORGOTTEN: Final = "forgotten"
"""The reason beside the outcome ``skipped`` of a forgotten account's rows."""


class Tombstones:
    """The forgotten accounts of a run.

    Parameters
    ----------
    directory
        The run; it need not have forgotten anybody.
    """

    def __init__(self, directory: RunDirectory) -> None:
        self._path = directory.private / TOMBSTONES_FILE
        self._key, self._marks = make_key(), set[str]()
        if self._path.is_file():
            kept = orjson.loads(self._path.read_bytes())
            self._key, self._marks = bytes.fromhex(kept["key"]), set(kept["marks"])

    def holds(self, account: str | None) -> bool:
        """Whether an account, as the owner knows it, was forgotten; one without an id never was."""
        return (
            bool(self._marks)
            and account is not None
            and pseudonym(self._key, account) in self._marks
        )

    def add(self, account: str) -> None:
        """Keep a mark of an account, so that its rows do not come back."""
        self._marks.add(pseudonym(self._key, account))
        files.write_json(self._path, {"key": self._key.hex(), "marks": sorted(self._marks)})
