"""Which words may leave: those that enough accounts of the cluster used, and harmless ones.

A title or summary passes when each of its content tokens is used by enough accounts *of its
cluster*, or is on a closed list of function words and generic verbs and nouns, or stands in a
phrase that Clio ships as the name of a general subject ("house plants"); when none of its
sensitive terms lacks more accounts still; when no five words in a row were copied from a
conversation; and when it holds no identifier and no number of four or more digits. How common a
word is in general never counts: *diabetes* and *Smith* are common words.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from importlib import resources
from itertools import repeat

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clio.conversation import normalise_text
from clio.privacy.scrub import PLACEHOLDER, clean, finds
from clio.settings import Thresholds

WINDOW = 5
MAX_CHARS = 1000
ROOT_TITLE = "All conversations"
ROOT_SUMMARY = "Everything that was assigned to a cluster."

# Scripts written without spaces between words: Thai, Lao, Myanmar, Khmer, kana, Han.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)


def _marks() -> str:
    """Combining marks, which belong to words but not to ``\\w``, as a character class."""
    return "".join(
        re.escape(chr(c))
        for c in range(0x300, 0x1AFF)
        if unicodedata.category(chr(c)) in ("Mn", "Mc")
    )


_TOKEN = re.compile(
    rf"(?P<unspaced>[{_UNSPACED}]+)|(?:(?![{_UNSPACED}])[^\W_])"
    rf"(?:(?![{_UNSPACED}])[^\W_]|[{_marks()}]|['’](?=[^\W_]))*"
)
_LONG_NUMBER = re.compile(r"\d(?:[\s.,:/_'’-]{0,2}\d){3}")
_VOWEL = re.compile("[aeiouy]")
# Letters, marks, digits, spaces, punctuation, and a few signs of prose; no emoji, no private use.
_FINE_SIGNS = frozenset("+<=>$€£¥%&|°^`~")


@lru_cache(maxsize=1 << 16)
def fold(token: str) -> str:
    """Fold a normalised token so that its inflections meet: flights, flight; booked, booking, book.

    Strips English plurals, ``'s``, ``-ed`` and ``-ing``, then a final ``e`` and a doubled letter,
    on words of Latin letters; leaves all others alone. Both sides of a comparison are folded, so
    that the result need not be a word.
    """
    token = token.replace("’", "'")
    if token.endswith("'s"):
        token = token[:-2]
    if not token.isalpha() or not token.isascii():
        return token
    if len(token) > 4 and token.endswith("ies"):
        token = token[:-3] + "y"
    elif len(token) > 4 and token.endswith(("sses", "shes", "ches", "xes", "zes")):
        token = token[:-2]
    elif len(token) > 3 and token.endswith("s") and not token.endswith(("ss", "us", "is")):
        token = token[:-1]
    for ending in ("ing", "ed"):
        stem = token[: -len(ending)]
        if token.endswith(ending) and len(stem) >= 3 and _VOWEL.search(stem):
            token = stem
            break
    if len(token) > 3 and token.endswith("e"):
        token = token[:-1]
    if len(token) > 3 and token[-1] == token[-2]:
        token = token[:-1]
    return token


def _pieces(text: str) -> list[tuple[str, bool]]:
    """Words, and single characters of unspaced scripts, in order; placeholders left out."""
    text = normalise_text(PLACEHOLDER.sub(" ", clean(text)))
    found: list[tuple[str, bool]] = []
    for match in _TOKEN.finditer(text):
        if match.lastgroup == "unspaced":
            found += [(character, True) for character in match[0]]
        else:
            found.append((match[0], False))
    return found


def _words(text: str) -> list[str]:
    """Normalised words; runs of unspaced scripts as overlapping pairs of characters."""
    text = normalise_text(PLACEHOLDER.sub(" ", clean(text)))
    found: list[str] = []
    for match in _TOKEN.finditer(text):
        run = match[0]
        if match.lastgroup != "unspaced" or len(run) < 3:
            found.append(run)
        else:
            found += [run[i : i + 2] for i in range(len(run) - 1)]
    return found


def _read(name: str) -> list[str]:
    text = resources.files("clio.privacy").joinpath(name).read_text(encoding="utf-8")
    lines = (line.split("#", 1)[0] for line in text.splitlines())
    return [word for line in lines for word in line.split()]


class _Lexicon:
    """Words and, marked by ``*`` behind or before them, beginnings and endings of words."""

    def __init__(self, entries: Iterable[str]) -> None:
        words = list(entries)
        self._words = frozenset(fold(w) for w in words if "*" not in w)
        stems = sorted(w[:-1] for w in words if w.endswith("*"))
        self._stems = re.compile("|".join(map(re.escape, stems)) or r"(?!)")
        self._endings = tuple(sorted(w[1:] for w in words if w.startswith("*")))

    def __contains__(self, token: str) -> bool:
        return (
            fold(token) in self._words
            or self._stems.match(token) is not None
            or token.endswith(self._endings)
        )


SENSITIVE = _Lexicon(_read("sensitive.txt"))
FREE: frozenset[str] = frozenset(fold(word) for word in _read("free.txt") if word not in SENSITIVE)


def content_tokens(text: str) -> list[str]:
    """Folded tokens of a text that need support, in order, without repetition.

    Words in any script by Unicode rules; runs of scripts without spaces (Chinese, Japanese, Thai,
    Khmer, Lao, Burmese) as overlapping pairs of characters. Function words and generic words of the
    shipped list are left out.
    """
    return list(content_words(text))


def content_words(text: str) -> dict[str, str]:
    """The tokens of `content_tokens`, each with a word of the text that folds to it."""
    words = {fold(word): word for word in _words(text)}
    return {token: word for token, word in words.items() if token not in FREE}


def windows(text: str, n: int = WINDOW) -> list[str]:
    """All runs of `n` words in a row, normalised, joined by spaces, without repetition.

    A character of a script without spaces counts as half a word.
    """
    pieces = _pieces(text)
    found = (_window(pieces, start, n) for start in range(len(pieces)))
    return [window for window in dict.fromkeys(found) if window is not None]


def _window(pieces: Sequence[tuple[str, bool]], start: int, n: int) -> str | None:
    """The shortest run from `start` that weighs `n` words; None where the text ends before."""
    halves = 0
    for end in range(start, len(pieces)):
        halves += 1 if pieces[end][1] else 2
        if halves >= 2 * n:
            return " ".join(piece for piece, _ in pieces[start : end + 1])
    return None


@lru_cache(maxsize=1024)
def _any_of(phrases: frozenset[str]) -> re.Pattern[str]:
    """A pattern for shipped phrases standing as words of their own; the longest wins."""
    ordered = sorted(map(normalise_text, phrases), key=lambda phrase: (-len(phrase), phrase))
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, ordered)) or '(?!)'})(?!\w)")


def phrases_in(text: str, phrases: frozenset[str]) -> list[str]:
    """The shipped phrases, normalised, that stand in a text."""
    return _any_of(phrases).findall(normalise_text(clean(text)))


def check(
    title: str,
    summary: str,
    token_support: Mapping[str, int],
    window_support: Mapping[str, int],
    thresholds: Thresholds,
    shipped: frozenset[str] = frozenset(),
    families: frozenset[str] = frozenset(),
) -> list[str]:
    """Why a title and summary may not be released.

    Parameters
    ----------
    title, summary
        What a writer proposed.
    token_support
        Accounts of the cluster by token of `content_tokens`; a missing token has none.
    window_support
        Accounts of the whole corpus by window of `windows`, 0 where nobody wrote it. A missing
        window was not looked for and is refused.
    thresholds
        `word_accounts`, `sensitive_word_accounts`, `window_accounts`.
    shipped
        Phrases that Clio ships: their words need no support, but for sensitive ones in what others
        may see.
    families
        Shipped phrases whose family of words enough accounts used: theirs need nothing more. See
        `clio.privacy.families`.

    Returns
    -------
    list[str]
        Reasons out of ``empty``, ``length``, ``characters``, ``placeholder``, ``identifier``,
        ``number``, ``word``, ``sensitive``, ``copied``, sorted; empty where it passes. Reasons
        never quote the text.
    """
    reasons = set()
    if not _words(title):
        reasons.add("empty")
    for text in (title, summary):
        if len(text) > MAX_CHARS:
            reasons.add("length")
            continue
        if not _plain(text):
            reasons.add("characters")
        if PLACEHOLDER.search(clean(text).casefold()):
            reasons.add("placeholder")
        elif finds(text):
            reasons.add("identifier")
        if _LONG_NUMBER.search(clean(text)):
            reasons.add("number")
        own = _any_of(families).sub(" ", normalise_text(clean(text)))
        rest = _any_of(shipped).sub(" ", own)
        # One's own subjects may be named; those of others only with the accounts that it takes.
        for word in _words(own if thresholds.publishable else rest):
            if word in SENSITIVE and (
                token_support.get(fold(word), 0) < thresholds.sensitive_word_accounts
            ):
                reasons.add("sensitive")
        for word in _words(rest):
            free = word in SENSITIVE or fold(word) in FREE
            if not free and token_support.get(fold(word), 0) < thresholds.word_accounts:
                reasons.add("word")
        for window in windows(text):
            accounts = window_support.get(window, 1)
            if 0 < accounts < thresholds.window_accounts or window not in window_support:
                reasons.add("copied")
    return sorted(reasons)


def _plain(text: str) -> bool:
    """Whether a text is made of letters, digits and common signs, with nothing invisible."""
    return clean(text) == unicodedata.normalize("NFKC", text) and all(
        unicodedata.category(c)[0] in "LMNPZ" or c in _FINE_SIGNS or c == "\n" for c in text
    )


def token_occurrences(
    texts: Iterable[str],
    cluster: NDArray[np.int64],
    account: NDArray[np.int64],
    wanted: Sequence[Collection[str]],
    origin: NDArray[np.int64] | None = None,
) -> pa.Table:
    """Who used the wanted tokens where: one row for each text and wanted token in it.

    Tables of several shards may be concatenated before `count_tokens`.

    Parameters
    ----------
    texts
        One for each conversation.
    cluster, account
        Its cluster, an index into `wanted` (negative: none), and its account, a code that means the
        same account in all shards.
    wanted
        For each cluster the tokens to look for, from `content_tokens` of its titles.
    origin
        Digest of what the requester wrote, where that is not the text: a model says many things
        in the same words. ``None``: the text's own.

    Returns
    -------
    pa.Table
        ``cluster`` (int64), ``token`` (string), ``account`` (int64), ``text`` (digest, int64);
        private.
    """
    sets = [frozenset(tokens) for tokens in wanted]
    rows: list[tuple[int, str, int, int]] = []
    written = repeat(None) if origin is None else origin.tolist()
    for text, at, who, own in zip(texts, cluster.tolist(), account.tolist(), written, strict=False):
        if at < 0 or not sets[at]:
            continue
        found = sets[at].intersection(map(fold, _words(text)))
        if found:
            digest = _digest(text) if own is None else own
            rows += [(at, token, who, digest) for token in sorted(found)]
    return pa.table(
        {
            "cluster": pa.array([row[0] for row in rows], type=pa.int64()),
            "token": pa.array([row[1] for row in rows], type=pa.string()),
            "account": pa.array([row[2] for row in rows], type=pa.int64()),
            "text": pa.array([row[3] for row in rows], type=pa.int64()),
        }
    )


def _digest(text: str) -> int:
    """Digest of the normalised text, the same in every process."""
    normal = " ".join(_words(text)).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(normal, digest_size=8).digest(), "big", signed=True)


def count_tokens(occurrences: pa.Table) -> pa.Table:
    """Accounts that independently used each token in each cluster.

    A text that several accounts wrote alike counts as one account, however many they are, so that
    pasting it around gives it no support; and no more than the distinct accounts are counted.

    Parameters
    ----------
    occurrences
        Rows of `token_occurrences`, of all shards, in any order.

    Returns
    -------
    pa.Table
        ``cluster`` (int64), ``token`` (string), ``accounts`` (int64), sorted.
    """
    keys = ["cluster", "token"]
    rows = occurrences.group_by([*keys, "account", "text"]).aggregate([])
    writers = rows.group_by([*keys, "text"]).aggregate([("account", "count"), ("account", "min")])
    many = np.asarray(writers.column("account_count")) > 1
    shared = writers.filter(pa.array(many)).group_by(keys).aggregate([("text", "count")])
    single = writers.filter(pa.array(~many)).group_by(keys)
    alone = single.aggregate([("account_min", "count_distinct")])
    distinct = rows.group_by(keys).aggregate([("account", "count_distinct")])
    total = {(r["cluster"], r["token"]): 0 for r in distinct.to_pylist()}
    for part, name in ((shared, "text_count"), (alone, "account_min_count_distinct")):
        for r in part.to_pylist():
            total[r["cluster"], r["token"]] += r[name]
    for r in distinct.to_pylist():
        key = (r["cluster"], r["token"])
        total[key] = min(total[key], r["account_count_distinct"])
    found = sorted(total.items())
    return pa.table(
        {
            "cluster": pa.array([key[0] for key, _ in found], type=pa.int64()),
            "token": pa.array([key[1] for key, _ in found], type=pa.string()),
            "accounts": pa.array([count for _, count in found], type=pa.int64()),
        }
    )


def token_counts(
    texts: Iterable[str],
    cluster: NDArray[np.int64],
    account: NDArray[np.int64],
    wanted: Sequence[Collection[str]],
    origin: NDArray[np.int64] | None = None,
) -> pa.Table:
    """`count_tokens` of `token_occurrences`, for a corpus in one piece."""
    return count_tokens(token_occurrences(texts, cluster, account, wanted, origin))


def window_occurrences(
    texts: Iterable[str], accounts: NDArray[np.int64], wanted: Collection[str]
) -> pa.Table:
    """Who wrote the wanted windows: rows ``window``, ``account``, distinct.

    Linear in the texts; a window is only put together where its first word is one that some wanted
    window begins with. Tables of several shards may be concatenated before `count_windows`.
    """
    targets = frozenset(wanted)
    first = frozenset(window.split(" ", 1)[0] for window in targets)
    found: set[tuple[str, int]] = set()
    if targets:
        for text, who in zip(texts, accounts.tolist(), strict=True):
            pieces = _pieces(text)
            for start, (piece, _) in enumerate(pieces):
                if piece in first:
                    window = _window(pieces, start, WINDOW)
                    if window in targets:
                        found.add((str(window), who))
    rows = sorted(found)
    return pa.table(
        {
            "window": pa.array([w for w, _ in rows], type=pa.string()),
            "account": pa.array([a for _, a in rows], type=pa.int64()),
        }
    )


def count_windows(occurrences: pa.Table, wanted: Collection[str]) -> dict[str, int]:
    """Distinct accounts by window, with 0 for those that nobody wrote; sorted by window."""
    counts = dict.fromkeys(sorted(wanted), 0)
    table = occurrences.group_by(["window"]).aggregate([("account", "count_distinct")])
    for row in table.to_pylist():
        if row["window"] in counts:
            counts[row["window"]] = row["account_count_distinct"]
    return counts


def window_counts(
    texts: Iterable[str], accounts: NDArray[np.int64], wanted: Collection[str]
) -> dict[str, int]:
    """`count_windows` of `window_occurrences`, for a corpus in one piece."""
    return count_windows(window_occurrences(texts, accounts, wanted), wanted)
