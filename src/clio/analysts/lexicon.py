"""Lists of words and phrases beside the analysts, and how a text is compared with them.

``*`` behind a word: any ending. ``^`` before a phrase: at the start of a text only. ``#`` begins a
comment. Scripts without spaces are searched for anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files

_TOKEN = re.compile(r"\w+(?:['’&.-]\w+|\+\+|#)*")
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u1100-\u11ff\u2e80-\ud7ff]")


def tokens_of(text: str) -> list[str]:
    """Words of a text in lower case."""
    return _TOKEN.findall(text.lower().replace("’", "'"))


def lines_of(name: str) -> Iterator[str]:
    """Lines of a list in ``words/``, without comments."""
    for line in files("clio.analysts").joinpath("words", name).read_text("utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            yield line.strip()


def groups_of(name: str) -> dict[str, list[str]]:
    """Phrases by group, from a list where ``= NAME`` begins a group and commas part phrases."""
    groups: dict[str, list[str]] = {}
    for line in lines_of(name):
        if line.startswith("= "):
            phrases = groups.setdefault(line[2:], [])
        else:
            phrases += [phrase for part in line.split(",") if (phrase := part.strip())]
    return groups


@cache
def words_of(name: str) -> frozenset[str]:
    """All words of a list that is one word beside the other."""
    return frozenset(" ".join(lines_of(name)).split())


class Phrases:
    """Finds phrases in a text in one pass over its words.

    Parameters
    ----------
    lines
        Phrases as in the lists.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._whole: dict[str, set[str]] = {}
        self._stems: dict[str, set[str]] = {}
        unspaced = []
        for line in lines:
            if _UNSPACED.search(line):
                unspaced.append(re.escape(line.strip("^*")))
            else:
                first = line.removeprefix("^").split()[0]
                if first.endswith("*"):
                    self._stems.setdefault(first[:3], set()).add(line)
                else:
                    self._whole.setdefault(first, set()).add(line)
        self._unspaced = re.compile("|".join(unspaced)) if unspaced else None

    def found_in(self, text: str, tokens: list[str]) -> list[str]:
        """The phrases that `text`, whose words are `tokens`, holds, in order."""
        found = []
        whole, stems = self._whole, self._stems
        for at, token in enumerate(tokens):
            lines = whole.get(token)
            if lines is not None:
                found += [line for line in lines if _matches(line, tokens, at)]
            lines = stems.get(token[:3])
            if lines is not None:
                found += [line for line in lines if _matches(line, tokens, at)]
        if self._unspaced is not None and not text.isascii():
            found += self._unspaced.findall(text)
        return found


def _matches(line: str, tokens: list[str], at: int) -> bool:
    """Whether a phrase stands in the words from a place on."""
    if line[0] == "^":
        if at:
            return False
        line = line[1:]
    words = line.split()
    if at + len(words) > len(tokens):
        return False
    return all(
        token.startswith(word[:-1]) if word[-1] == "*" else token == word
        for word, token in zip(words, tokens[at:], strict=False)
    )
