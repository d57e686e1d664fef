"""Near duplicates among the texts of many accounts, by MinHash and locality-sensitive hashing.

Two texts are alike where they share word 5-shingles, as copies do, or where they share their words,
as texts from one template do: every slot of a template breaks the five shingles around it, but only
one word. MinHash: Broder, "On the resemblance and containment of documents" (1997); bands: Leskovec
et al., *Mining of Massive Datasets*, section 3.4.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clio.safety.graphs import components

Ids = NDArray[np.int64]
Hashes = NDArray[np.uint64]
Signatures = NDArray[np.uint32]
Sketches = tuple[Signatures, ...]

PERMUTATIONS: Final = 128
"""Hash functions of a signature; the standard error of a Jaccard of .6 is then .043."""

BANDS: Final = 25
ROWS: Final = 5
"""Texts with a Jaccard of .6 meet in a band with probability .87, of .7 with .99, of .3 with
.06."""

MIN_JACCARD: Final = 0.6
"""Texts are alike from this share of common shingles, or of common words, on."""

MIN_AGREEMENT: Final = 0.45
"""Members of a group agree with its middle at least so far, or chains would join all texts."""

WIDTHS: Final = (5, 1)
"""Words a shingle, of the two relations."""

MIN_WORDS: Final = 8
"""Shorter texts ("thanks", "translate this") are shared by chance."""

_CHUNK: Final = 1 << 18
_SAMPLE: Final = 48
_ROUNDS: Final = 4
_ROLL: Final = np.uint64(0x9E3779B97F4A7C15)
_STEPS: Final = (
    (r"(?:https?://|www\.)\S+", " url "),
    (r"[\w.+-]+@[\w-]+\.[\w.-]+", " mail "),
    (r"\p{N}+(?:[.,:]\p{N}+)*", " 0 "),
    # Scripts without spaces: every character counts as a word.
    (r"([\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Khmer}\p{Lao}\p{Myanmar}])", r" \1 "),
    (r"[^\p{L}\p{M}\p{N}]+", " "),
)


def normalised(texts: pa.Array) -> pa.Array:
    """Texts as they are compared: lower case, words alone, addresses and numbers alike.

    Parameters
    ----------
    texts
        Strings.
    """
    out = pc.utf8_lower(pc.utf8_normalize(texts, form="NFKC"))
    for pattern, by in _STEPS:
        out = pc.replace_substring_regex(out, pattern=pattern, replacement=by)
    return pc.utf8_trim_whitespace(out)


class Sketcher:
    """Takes texts batch by batch and keeps a signature of each distinct one, but no text.

    Parameters
    ----------
    seed
        Of the hash functions.
    """

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        high = np.iinfo(np.uint64).max
        self._factors = rng.integers(0, high, PERMUTATIONS, np.uint64) | np.uint64(1)
        self._terms = rng.integers(0, high, PERMUTATIONS, np.uint64)
        self._known: dict[bytes, int] = {}
        self._parts: list[list[Signatures]] = [[] for _ in WIDTHS]

    def add(self, texts: pa.Array) -> Ids:
        """Numbers of texts: equal for equal normalised texts, -1 for those that are too short."""
        encoded = normalised(texts).dictionary_encode()
        distinct = encoded.dictionary
        words = pc.split_pattern(distinct, " ")
        long = pc.list_value_length(words).to_numpy(zero_copy_only=False) >= MIN_WORDS
        numbers = np.full(len(distinct), -1, np.int64)
        new: list[int] = []
        for at in np.flatnonzero(long).tolist():
            key = hashlib.blake2b(distinct[at].as_buffer(), digest_size=12).digest()
            fresh = len(self._known)
            numbers[at] = self._known.setdefault(key, fresh)
            if numbers[at] == fresh:
                new.append(at)
        if new:
            self._sketch(words.take(pa.array(new)))
        return np.asarray(numbers[encoded.indices.to_numpy(zero_copy_only=False)])

    def _sketch(self, words: pa.ListArray) -> None:
        flat = words.flatten().dictionary_encode()
        hashes = np.array([_hash(word) for word in flat.dictionary.to_pylist()], np.uint64)
        hashed = hashes[flat.indices.to_numpy(zero_copy_only=False)]
        lengths = words.value_lengths().to_numpy(zero_copy_only=False).astype(np.int64)
        for part, width in zip(self._parts, WIDTHS, strict=True):
            part.append(self._minima(*_shingles(hashed, lengths, width)))

    def _minima(self, shingles: Hashes, counts: Ids) -> Signatures:
        signatures = np.empty((len(counts), PERMUTATIONS), np.uint32)
        ends = np.cumsum(counts)
        begin = 0
        while begin < len(counts):
            # Texts together until their shingles fill a chunk that stays in the cache.
            first = int(ends[begin] - counts[begin])
            end = max(begin + 1, int(np.searchsorted(ends, first + _CHUNK, side="right")))
            part = shingles[first : int(ends[end - 1])]
            starts = (ends - counts)[begin:end] - first
            for at in range(PERMUTATIONS):
                mixed = (part * self._factors[at] + self._terms[at]) >> np.uint64(32)
                signatures[begin:end, at] = np.minimum.reduceat(mixed, starts)
            begin = end
        return signatures

    def signatures(self) -> Sketches:
        """Signatures of all distinct texts by number, one array a width of `WIDTHS`.

        Each is ``(texts, PERMUTATIONS)`` uint32.
        """
        empty = np.empty((0, PERMUTATIONS), np.uint32)
        return tuple(np.concatenate(part) if part else empty for part in self._parts)


def _hash(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")


def _shingles(hashed: Hashes, lengths: Ids, width: int) -> tuple[Hashes, Ids]:
    """Hashes of all runs of `width` words, text by text, and how many each text has."""
    counts = lengths - (width - 1)
    total = hashed[: len(hashed) - width + 1].copy()
    for at in range(1, width):
        total = total * _ROLL + hashed[at : len(hashed) - width + 1 + at]
    total = (total ^ (total >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    ends = np.cumsum(lengths)
    # The last runs of each text reach into the next one.
    inside = np.ones(len(hashed), bool)
    for at in range(width - 1):
        inside[ends - 1 - at] = False
    return total[inside[: len(total)]], counts


def alike(sketches: Sketches) -> Ids:
    """Groups of texts that are alike.

    Parameters
    ----------
    sketches
        As `Sketcher.signatures` gives them.

    Returns
    -------
    (texts,) int64: group of each text, numbered by first text.

    Notes
    -----
    Within a band, each text is compared with the first one and with the one before it of those that
    share its key, so the work grows with the texts and not with their pairs.
    """
    texts = len(sketches[0])
    ends = [
        _pairs(signatures, rows, before)
        for signatures in sketches
        for rows, before in _candidates(signatures)
    ]
    one = np.concatenate([pair[0] for pair in ends]) if ends else np.empty(0, np.int64)
    other = np.concatenate([pair[1] for pair in ends]) if ends else np.empty(0, np.int64)
    group = components(one, other, texts)
    return _without_chains(group, sketches)


def _candidates(signatures: Signatures) -> Iterator[tuple[Ids, Ids]]:
    """For each band, pairs of texts with the same key: with the first and the one before."""
    for band in range(BANDS if len(signatures) else 0):
        block = np.ascontiguousarray(signatures[:, band * ROWS : (band + 1) * ROWS])
        key = np.zeros(len(block), np.uint64)
        for column in block.T:
            key = (key ^ column) * _ROLL
            key ^= key >> np.uint64(31)
        order = np.argsort(key, kind="stable")
        same = key[order[1:]] == key[order[:-1]]
        place = np.arange(len(order))
        opening = np.concatenate([[True], ~same])
        first = np.maximum.accumulate(np.where(opening, place, 0))
        later = np.flatnonzero(~opening)
        yield order[later], order[first[later]]
        chained = later[first[later] < later - 1]
        yield order[chained], order[chained - 1]


def _pairs(signatures: Signatures, one: Ids, other: Ids) -> tuple[Ids, Ids]:
    """Those of the pairs whose signatures agree far enough."""
    kept = np.zeros(len(one), bool)
    for begin in range(0, len(one), _CHUNK):
        part = slice(begin, begin + _CHUNK)
        agreement = (signatures[one[part]] == signatures[other[part]]).mean(axis=1)
        kept[part] = agreement >= MIN_JACCARD
    return one[kept], other[kept]


def _without_chains(group: Ids, sketches: Sketches) -> Ids:
    """Groups of three and more split so that each member is like the middle of its own."""
    sizes = np.bincount(group)
    order = np.argsort(group, kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)])
    group = group.copy()
    fresh = len(sizes)
    for number in np.flatnonzero(sizes >= 3).tolist():
        left = order[starts[number] : starts[number + 1]]
        for _ in range(_ROUNDS):
            near = _near_middle(left, sketches)
            left = left[~near]
            if len(left) == 0:
                break
            group[left] = fresh
            fresh += 1
        # What is like no middle by now is left alone.
        group[left] = fresh + np.arange(len(left))
        fresh += len(left)
    first = np.unique(group, return_index=True)[1]
    rank = np.empty(fresh, np.int64)
    rank[group[np.sort(first)]] = np.arange(len(first))
    return rank[group]


def _near_middle(members: Ids, sketches: Sketches) -> NDArray[np.bool_]:
    """Which members are like the one that a sample of them is most like."""
    sample = members[:: max(1, len(members) // _SAMPLE)]
    best = np.zeros(len(members))
    for signatures in sketches:
        own = signatures[sample]
        middle = int(np.argmax([(own == row).mean() for row in own]))
        np.maximum(best, (signatures[members] == own[middle]).mean(axis=1), out=best)
    near = best >= MIN_AGREEMENT
    if not near.any():
        near[0] = True
    return near
