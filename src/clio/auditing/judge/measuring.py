"""How well a judge judges: its accuracy on the set of descriptions that ships with Clio."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

from clio.auditing.judge.asking import KEPT, OPEN_KEY, Judgement, judge_texts
from clio.prompting import Asker

WANTED: Final = 0.98
"""The accuracy that the Clio paper reports for its auditor at the same cut (appendix D)."""

_SAFE, _PRIVATE = "+ ", "- "


@dataclass(frozen=True, slots=True)
class Labelled:
    """A description whose right rating is known.

    Attributes
    ----------
    text
        "Title: summary".
    private
        Whether it points to a person or a small group, so that it must be rated under `KEPT`.
    edited
        Whether it is a safe one of the set to which a detail was added.
    """

    text: str
    private: bool
    edited: bool = False


@dataclass(frozen=True, slots=True)
class Accuracy:
    """What became of the set.

    Attributes
    ----------
    safe, private
        How many there are of each.
    safe_kept, private_found
        How many of them were rated rightly at the cut.
    unrated
        How many got no rating; they count as wrong.
    """

    safe: int
    private: int
    safe_kept: int
    private_found: int
    unrated: int

    @property
    def accuracy(self) -> float:
        """Share that was rated rightly."""
        return (self.safe_kept + self.private_found) / (self.safe + self.private)

    @property
    def good(self) -> bool:
        """Whether it is as accurate as the paper's auditor."""
        return self.accuracy >= WANTED

    def as_dict(self) -> dict[str, Any]:
        """All of it as JSON values."""
        return {
            "accuracy": round(self.accuracy, 4),
            "safe": self.safe,
            "safe_kept": self.safe_kept,
            "private": self.private,
            "private_found": self.private_found,
            "unrated": self.unrated,
        }


@cache
def judge_set() -> tuple[Labelled, ...]:
    """The shipped descriptions, at least 200 safe and 200 private ones, written for this project.

    Names, places and firms in them are invented, or known to everybody.
    """
    source = resources.files(__package__) / "descriptions.txt"
    found: list[Labelled] = []
    previous = ""
    for line in source.read_text(encoding="utf-8").splitlines():
        if line.startswith(_SAFE):
            found.append(Labelled(line.removeprefix(_SAFE), private=False))
        elif line.startswith(_PRIVATE):
            edited = previous.startswith(_SAFE)
            found.append(Labelled(line.removeprefix(_PRIVATE), private=True, edited=edited))
        previous = line
    return tuple(found)


def judge_accuracy(
    asker: Asker, *, key: bytes = OPEN_KEY, items: Sequence[Labelled] | None = None
) -> Accuracy:
    """How often a judge is right at the cut, on the shipped set.

    Parameters
    ----------
    asker, key
        As for `judge_texts`.
    items
        Other descriptions than the shipped ones.

    Raises
    ------
    ClioError
        As `judge_texts`.
    """
    items = judge_set() if items is None else items
    judged = judge_texts(asker, [item.text for item in items], key=key)
    safe = [j for item, j in zip(items, judged, strict=True) if not item.private]
    private = [j for item, j in zip(items, judged, strict=True) if item.private]
    return Accuracy(
        safe=len(safe),
        private=len(private),
        safe_kept=sum(judgement.passes() for judgement in safe),
        private_found=sum(map(_is_private, private)),
        unrated=sum(judgement.rating is None for judgement in judged),
    )


def _is_private(judgement: Judgement) -> bool:
    return judgement.rating is not None and judgement.rating < KEPT
