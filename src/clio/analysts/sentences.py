"""A turn as sentences, each told apart by whose words it holds: the requester's, or pasted ones.

What is pasted is known by its form, in any language: quotation marks and brackets around more than
a phrase, lines marked as quoted, a letter between its salutation and its close, the other speaker
of a copied chat.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_READ = 6_000
"""So many characters are read at the head of a turn and at its tail: instructions stand before or
after pasted text, hardly ever in its middle."""

_WINDOW = 16
"""So many sentences at the head and at the tail are looked at."""

_CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_MARKUP = re.compile(
    r"<[^<>\n]{1,80}>|[*_#>`|~=-]{2,}|^[ \t]*(?:[-*#•●▪·|]+|\d{1,2}[.)])[ \t]+", re.M
)
_ADDRESS = re.compile(r"https?://\S+|www\.\S+")
_SPACE = re.compile(r"\s+")
_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?!\d)|(?<=[。！？؟।])\s*|\n+")
_CLAUSE_END = re.compile(r"(?<=[,;:)…，；])\s*|(?<=\.{3})\s*|\s+[-–—]\s+")
_LONG = 240
"""A sentence of more characters is read clause by clause."""

_CODE_SIGNS = re.compile(r"[{};=<>\\$|]|\(\)")

_PASTED = re.compile(
    r"\"[^\"]{80,}(?:\"|\Z)|“[^“”]{80,}(?:”|\Z)|«[^«»]{80,}(?:»|\Z)|「[^「」]{40,}(?:」|\Z)"
    r"|(?<!\w)'{2,3}[^']{80,}(?:'{2,3}|\Z)|\{[^{}]{80,}(?:\}|\Z)|\[[^\[\]]{80,}(?:\]|\Z)"
    r"|^>.*$",
    re.MULTILINE,
)
_LETTER = re.compile(
    r"(?:\b(?:[Dd]ear|DEAR|Hi|Hello|Hey|Good (?:morning|afternoon|evening)|Estimad[oa]s?|"
    r"Querid[oa]|"
    r"Prezad[oa]s?|Cher|Chère|Bonjour|Sehr geehrte[rs]?|Liebe[rs]?|Hallo|Уважаем\w+|Шановн\w+)"
    r" [^\n,!?]{2,40}[,!:\n]).*?"
    r"(?:(?:\b(?:(?:[Bb]est|[Kk]ind|[Ww]arm(?:est)?) )?[Rr]egards|\b[Ss]incerely|\b[Yy]ours \w+|"
    r"\bMit freundlichen Grüßen|\bAtentamente|\bAtenciosamente|\bCordialement|\bС уважением|"
    r"\bЗ повагою)[^\n.?]{0,60}|\Z)",
    re.DOTALL,
)
_SPEAKER = re.compile(
    r"^[ \t]*(user|human|me|you|chatgpt|gpt|assistant|ai|bot|system)[ \t]*:[ \t]*", re.I | re.M
)
_REQUESTERS = ("user", "human", "me")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a turn.

    Attributes
    ----------
    text
        White space collapsed, markup and addresses taken out.
    pasted
        Not the requester's own words, by its form.
    """

    text: str
    pasted: bool = False


def collapsed(text: str) -> str:
    """`text` with runs of white space as one blank."""
    return _SPACE.sub(" ", text).strip()


def cleaned(turn: str) -> str:
    """A turn without code blocks, markup and addresses; of a very long one its head and tail."""
    if len(turn) > 2 * _READ:
        turn = f"{turn[:_READ]}\n{turn[-_READ:]}"
    if "`" in turn:
        turn = _CODE.sub("\n", turn)
    return _MARKUP.sub(" ", _ADDRESS.sub(" ", turn)).strip()


def sentences(text: str) -> list[Sentence]:
    """The sentences at the head and at the tail of a cleaned turn, in order."""
    found: list[Sentence] = []
    for part, pasted in _parts(text):
        for piece in _END.split(part):
            for line in _clauses(collapsed(piece)):
                if any(map(str.isalnum, line)):
                    found.append(Sentence(line, pasted or _is_data(line)))
    if len(found) > 2 * _WINDOW:
        return found[:_WINDOW] + found[-_WINDOW:]
    return found


def _parts(text: str) -> Iterator[tuple[str, bool]]:
    """Stretches of a text, each with whether it is pasted."""
    for stretch, spoken in _speakers(text):
        if spoken:
            yield stretch, True
            continue
        for outer, quoted in _split(_PASTED, stretch):
            if quoted:
                yield outer, True
            else:
                yield from _split(_LETTER, outer)


def _split(pattern: re.Pattern[str], text: str) -> Iterator[tuple[str, bool]]:
    """What lies between the matches of a pattern, and the matches."""
    at = 0
    for match in pattern.finditer(text):
        yield text[at : match.start()], False
        yield match.group(), True
        at = match.end()
    yield text[at:], False


def _speakers(text: str) -> Iterator[tuple[str, bool]]:
    """A copied chat by its speakers, each stretch with whether another one than the user speaks."""
    labels = list(_SPEAKER.finditer(text))
    if not labels:
        yield text, False
        return
    yield text[: labels[0].start()], False
    ends = [label.start() for label in labels[1:]] + [len(text)]
    for label, end in zip(labels, ends, strict=True):
        yield text[label.end() : end], label.group(1).lower() not in _REQUESTERS


def _clauses(sentence: str) -> Iterator[str]:
    """A long sentence in stretches of clauses; any other as it is."""
    if len(sentence) <= _LONG:
        yield sentence
        return
    stretch = ""
    for clause in _CLAUSE_END.split(sentence):
        if len(stretch) + len(clause) > _LONG // 2 and stretch:
            yield stretch
            stretch = clause
        else:
            stretch = f"{stretch} {clause}".strip()
    yield stretch


def _is_data(line: str) -> bool:
    """Whether a line is code or a row of figures."""
    return (
        len(_CODE_SIGNS.findall(line)) > max(2, len(line) // 20)
        or sum(map(str.isdigit, line)) > len(line) // 4
    )
