"""Requests on their way into a batch or a file, which hold so many and no more."""

from __future__ import annotations

from typing import Generic, TypeVar

_T = TypeVar("_T")


class Gathered(Generic[_T]):
    """Things that wait until they fill a container, by name, in the order in which they came.

    Parameters
    ----------
    most, most_bytes
        What a container holds.
    """

    def __init__(self, most: int, most_bytes: int) -> None:
        self.most = most
        self._most_bytes = most_bytes
        self._held: dict[str, tuple[_T, int]] = {}
        self._bytes = 0

    def __contains__(self, name: str) -> bool:
        return name in self._held

    def __len__(self) -> int:
        return len(self._held)

    @property
    def full(self) -> bool:
        """Whether there is enough to fill a container."""
        return len(self._held) >= self.most or self._bytes >= self._most_bytes

    def add(self, name: str, thing: _T, size: int) -> None:
        """Take one more, of so many bytes."""
        self._held[name] = (thing, size)
        self._bytes += size

    def take(self) -> dict[str, tuple[_T, int]]:
        """What goes into the next container, with sizes; at least one, where there is any."""
        taken: dict[str, tuple[_T, int]] = {}
        size = 0
        for name, (thing, its) in self._held.items():
            if taken and (len(taken) >= self.most or size + its > self._most_bytes):
                break
            taken[name] = (thing, its)
            size += its
        for name in taken:
            del self._held[name]
        self._bytes -= size
        return taken
