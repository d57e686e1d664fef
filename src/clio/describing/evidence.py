"""What the accounts of a group have in common, counted by account.

A text that is nearly another text of its group adds nothing: campaigns and templates count as one
account's use. Whatever is read from the texts of one account counts once.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from clio.describing.lexicon import parts, stem
from clio.describing.phrases import Parsed

SHINGLE = 4
LONG = 10
_SEEDS = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F, 0x165667B1, 0xD3A2646C)


def _signature(words: Sequence[str]) -> list[object]:
    """Keys of which near-identical texts share at least one."""
    plain = tuple(word for word in words if word[0].isalpha())
    keys: list[object] = [plain]
    if len(plain) >= LONG:
        shingles = [
            zlib.crc32(" ".join(plain[i : i + SHINGLE]).encode())
            for i in range(len(plain) - SHINGLE + 1)
        ]
        lowest = [min(s * seed & 0xFFFFFFFF for s in shingles) for seed in _SEEDS]
        # bands of two: nearly certain at Jaccard .8, rare under .3
        keys.extend((band, lowest[band], lowest[band + 1]) for band in range(0, len(_SEEDS), 2))
    return keys


def distinct(texts: Iterable[Sequence[str]]) -> list[int]:
    """Positions of the texts that are not nearly an earlier one."""
    seen: set[object] = set()
    kept: list[int] = []
    for position, words in enumerate(texts):
        keys = _signature(words)
        if seen.isdisjoint(keys):
            kept.append(position)
        seen.update(keys)
    return kept


@dataclass(slots=True)
class Evidence:
    """One group's units (accounts) and what they used.

    Attributes
    ----------
    units
        Number of accounts left after near-identical texts were dropped.
    lemmas
        Lemma to a bit set over units.
    stems
        Stem to the number of units that wrote one of its regular forms.
    """

    units: int
    lemmas: dict[str, int]
    stems: Counter[str]

    def coverage(self, lemmas: Iterable[str]) -> int:
        """Units that used all the lemmas."""
        mask = -1
        for lemma in lemmas:
            mask &= self.lemmas.get(lemma, 0)
            if not mask:
                return 0
        return self.units if mask == -1 else mask.bit_count()

    def any_of(self, lemmas: Iterable[str]) -> int:
        """Units that used any of the lemmas."""
        mask = 0
        for lemma in lemmas:
            mask |= self.lemmas.get(lemma, 0)
        return mask.bit_count()

    def mask(self, lemmas: Iterable[str]) -> int:
        """Bit set of the units that used all the lemmas."""
        mask = (1 << self.units) - 1
        for lemma in lemmas:
            mask &= self.lemmas.get(lemma, 0)
        return mask


def gather(
    parsed: Sequence[Parsed], accounts: Sequence[int]
) -> tuple[Evidence, list[tuple[int, Parsed]]]:
    """Count one group's texts by account.

    Parameters
    ----------
    parsed
        The group's texts.
    accounts
        The account of each.

    Returns
    -------
    evidence : Evidence
        Counts by account.
    kept : list[tuple[int, Parsed]]
        The texts that are not nearly an earlier one, with the unit of each.
    """
    kept = distinct([p.words for p in parsed])
    unit_of: dict[int, int] = {}
    lemmas: dict[str, int] = {}
    seen: dict[int, set[str]] = {}
    units: list[tuple[int, Parsed]] = []
    for position in kept:
        item = parsed[position]
        unit = unit_of.setdefault(accounts[position], len(unit_of))
        bit = 1 << unit
        for lemma in item.bag:
            lemmas[lemma] = lemmas.get(lemma, 0) | bit
        seen.setdefault(unit, set()).update(stem(p) for word in item.words for p in parts(word))
        units.append((unit, item))
    stems: Counter[str] = Counter()
    for words in seen.values():
        stems.update(words)
    return Evidence(len(unit_of), lemmas, stems), units
