"""The three tiers of data as types, so that the wrong one cannot be written to a release.

`PrivateTable` is anything about one conversation or one account, or numbers that no threshold has
passed yet. `Releasable` is what the gate let through: only `clio.privacy.gate` makes one, and
`clio.release.write` takes nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pyarrow as pa

_GATE_KEY: Final = object()


@dataclass(frozen=True, slots=True)
class PrivateTable:
    """A table that has not passed the gate."""

    table: pa.Table


class Releasable:
    """A table that passed the privacy gate. Made by the gate alone.

    Raises
    ------
    TypeError
        Anything but the gate tries to make one.
    """

    __slots__ = ("_table",)

    def __init__(self, table: pa.Table, *, key: object) -> None:
        if key is not _GATE_KEY:
            raise TypeError("only clio.privacy.gate may declare a table releasable")
        self._table = table

    @property
    def table(self) -> pa.Table:
        """The Arrow table."""
        return self._table
