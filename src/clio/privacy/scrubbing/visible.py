"""Texts as they look: without hidden characters, and folded for search with a way back.

Identifiers are looked for in a folded copy (`fold`), where full-width digits, ligatures, entities
and percent-encoding are undone; each character of the copy knows where it came from, so that what
is found there is replaced in the text itself and the rest of it stays as it was.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_HIDDEN: Final = (
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Zero-width, bidirectional, variation and tag characters, soft hyphens and fillers: invisible
carriers of text. Control characters too, but for tab, line feed and carriage return."""
_INVISIBLE: Final = re.compile(f"[{_HIDDEN}]")

_JOINING: Final = (
    "\u0620-\u064a\u066e-\u06d3\u06fa-\u06ff\u0710-\u074f\u0750-\u077f\u08a0-\u08c9"
    "\u0900-\u0963\u0971-\u09e3\u09f0-\u0a65\u0a70-\u0ae5\u0af0-\u0b65\u0b70-\u0be5\u0c00-\u0c65"
    "\u0c80-\u0ce5\u0d00-\u0d65\u0d7a-\u0de5\u0f40-\u0fbc\u1000-\u103f\u1780-\u17d3\u1820-\u18aa"
)
"""Letters and marks of scripts whose spelling uses joiners: Arabic, Syriac, the Indic scripts,
Tibetan, Burmese, Khmer, Mongolian."""
_PICTURE: Final = "\u2190-\u2bff\U0001f000-\U0001faff"
_NEEDED: Final = (
    f"(?<=[{_JOINING}])[\u200c\u200d]|(?<=[\u1820-\u18aa])[\u180b-\u180e]|"
    f"(?<=[{_PICTURE}])\ufe0f?\u200d(?=[{_PICTURE}])|"
    f"(?<=[{_PICTURE}\u203c\u2049\u3030\u303d\u00a9\u00ae])[\ufe0e\ufe0f]|"
    "(?<=[0-9#*])\ufe0f(?=\u20e3)|(?<=[\u3400-\u9fff])[\U000e0100-\U000e01ef]"
)
"""Hidden characters that spelling or an emoji needs: at most one after a visible one."""
_KEEP_OR_DROP: Final = re.compile(f"({_NEEDED})|[{_HIDDEN}]")

_DASHES: Final = dict.fromkeys(map(ord, "‐‑‒–—―−﹘﹣－"), "-")
_ESCAPE: Final = re.compile(
    r"%[0-9a-f]{2}|&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,12});|\\u[0-9a-f]{4}|\\x[0-9a-f]{2}",
    re.IGNORECASE,
)
_ESCAPE_ROUNDS: Final = 3
"""Encodings within encodings are undone as often as this."""


def clean(text: str) -> str:
    """NFKC form of a text without invisible, bidirectional, tag and control characters."""
    if text.isascii():
        return _INVISIBLE.sub("", text)
    # Twice: removing a character can bring together what NFKC then composes.
    for _ in range(2):
        text = unicodedata.normalize(
            "NFKC", _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
        )
    return _INVISIBLE.sub("", text)


def visible(text: str) -> str:
    """A text without hidden characters, save the joiners and selectors that its script needs."""
    if text.isascii():
        return _INVISIBLE.sub("", text)
    return _KEEP_OR_DROP.sub(lambda match: match[1] or "", text)


@dataclass(frozen=True)
class Folded:
    """A copy of a text in which identifiers are looked for.

    Attributes
    ----------
    text
        The copy.
    origins
        Where the characters of the copy begin in the text, and its length at the end; None where
        both are the same, character by character.
    ends
        Where they end.
    """

    text: str
    origins: list[int] | None = None
    ends: list[int] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where a stretch of the copy lies in the text."""
        if self.origins is None or self.ends is None:
            return start, end
        return self.origins[start], self.ends[end - 1]


def _unescaped(piece: str) -> str:
    if piece[0] == "&":
        plain = html.unescape(piece)
        return piece if plain == piece else plain
    code = int(piece[1:] if piece[0] == "%" else piece[2:], 16)
    # Bytes beyond ASCII are parts of characters, which no identifier of ours is made of.
    return chr(code) if 0x20 <= code < 0x7F or piece[:2] in ("\\u", "\\U") else piece


def _normal(piece: str) -> str:
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", piece))


_UNUSUAL: Final = re.compile(r"[^\x00-\x7f]")


def _mapped(folded: Folded, pattern: re.Pattern[str], change: Callable[[str], str]) -> Folded:
    """The copy with every match of a pattern changed, and the way back kept."""
    text = folded.text
    origins = folded.origins or list(range(len(text)))
    ends = folded.ends or list(range(1, len(text) + 1))
    pieces: list[str] = []
    new_origins: list[int] = []
    new_ends: list[int] = []
    last = 0
    for match in pattern.finditer(text):
        start, end = match.span()
        plain = change(match[0])
        if plain == match[0]:
            continue
        pieces += (text[last:start], plain)
        new_origins += origins[last:start] + [origins[start]] * len(plain)
        new_ends += ends[last:start] + [ends[end - 1]] * len(plain)
        last = end
    if not pieces:
        return folded
    pieces.append(text[last:])
    return Folded("".join(pieces), new_origins + origins[last:], new_ends + ends[last:])


def fold(text: str) -> Folded:
    """A text ready for search: NFKC, plain dashes, nothing hidden, escapes undone.

    Parameters
    ----------
    text
        Any text.

    Returns
    -------
    Folded
        The copy and the way back.
    """
    folded = Folded(text)
    if not text.isascii():
        folded = Folded(text.translate(_DASHES))
        if not unicodedata.is_normalized("NFKC", text) or _INVISIBLE.search(text):
            folded = _mapped(folded, _UNUSUAL, _normal)
    for _ in range(_ESCAPE_ROUNDS):
        if not ("%" in folded.text or "&" in folded.text or "\\" in folded.text):
            break
        before = folded
        folded = _mapped(folded, _ESCAPE, _unescaped)
        if folded is before:
            break
    return folded


def lowered(text: str) -> str:
    """Lower case, character by character: the result is as long as the text."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(low if len(low := c.lower()) == 1 else c for c in text)
