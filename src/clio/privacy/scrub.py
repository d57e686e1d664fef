"""Personal identifiers in text, found by shape and checksum, replaced by placeholders.

Runs on texts before any writer sees them and on everything a writer returns. Rules only: e-mail,
URL, phone, payment card (Luhn), IBAN (ISO 7064 mod 97-10), network addresses, secrets, national
ids, coordinates, street addresses, dates of birth, handles, long numbers; what each looks like
stands in `clio.privacy.scrubbing`. Names are not found here; the wording gate
(`clio.privacy.wording`) is what keeps them out of a release.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from clio.privacy.scrubbing import money, national, network, numbers, phones, places, secrets
from clio.privacy.scrubbing.checksums import luhn
from clio.privacy.scrubbing.rule import Rule
from clio.privacy.scrubbing.visible import clean, fold, lowered, visible

__all__ = ["KINDS", "PLACEHOLDER", "clean", "finds", "luhn", "scrub", "spans"]

KINDS = (
    "address",
    "card",
    "date",
    "email",
    "handle",
    "iban",
    "id",
    "ip",
    "location",
    "mac",
    "number",
    "phone",
    "secret",
    "url",
)
PLACEHOLDER = re.compile(r"\[(?:" + "|".join(KINDS) + r")\]")

_HINT: Final = re.compile(r"\d|@|://|www\.|\w\.[^\W\d_]{2}|[\w+/=-]{16}|[:=]|-----|::|bearer\s")
"""No rule can match a folded text without one of these, or one of `_SAID`."""
_SAID: Final = re.compile(
    r"[\s_-](?:dot|punto|ponto|point|punkt|punt|kropka|точка|pont|tečka|piste)[\s_-]|"
    r"[\[({<]\s?\w{2,15}\s?[\])}>]"
)
_DIGIT: Final = re.compile(r"\d")
_DOTTED: Final = re.compile(r"\.[^\W\d_]")
_LONG: Final = re.compile(r"[\w+/=-]{16}")

_RULES: Final[tuple[Rule, ...]] = (
    *secrets.RULES,
    *network.RULES,
    *money.RULES,
    *national.RULES,
    *numbers.RULES,
    *secrets.OPAQUE,
    *places.RULES,
    *phones.RULES,
    *numbers.LONG,
)
"""In order: the first that claims a stretch of text has it."""

_PLAN: Final = tuple(
    (rule, rule.needs, tuple(piece for piece in rule.needs if piece.isascii())) for rule in _RULES
)
_PLAN_WITHOUT_DIGITS: Final = tuple(step for step in _PLAN if not step[0].digits)

_TAKEN: Final = "\x00"
"""Stands where something was found already: no rule matches it, and no text holds it."""
_PLAIN_PASSES: Final = 4
"""After as many passes, what is found is widened, so that passes grow with the logarithm of the
text at most, whatever it was made to do."""


def _rules_for(lower: str) -> Iterator[Rule]:
    """The rules that have a chance."""
    digits = len(_DIGIT.findall(lower))
    marks = ("dotted " if _DOTTED.search(lower) else "") + ("long" if _LONG.search(lower) else "")
    hay = lower + _TAKEN + marks
    plain = lower.isascii()
    for rule, pieces, ascii_pieces in _PLAN if digits else _PLAN_WITHOUT_DIGITS:
        if digits < rule.digits:
            continue
        if not pieces:
            yield rule
            continue
        for piece in ascii_pieces if plain else pieces:
            if piece in hay:
                yield rule
                break


def _found(text: str) -> list[tuple[int, int, str]]:
    """Where identifiers lie in a visible text, and of which kind; they do not overlap."""
    folded = fold(text)
    view = folded.text
    if _HINT.search(view) is None and _SAID.search(lowered(view)) is None:
        return []
    if "[" in view:
        view = PLACEHOLDER.sub(lambda match: _TAKEN * len(match[0]), view)
    lower = lowered(view)
    found: list[tuple[int, int, str]] = []
    for rule in _rules_for(lower):
        hits: list[tuple[int, int]] = []
        for match in rule.pattern.finditer(view if rule.cased else lower):
            if match[0] and (rule.check is None or rule.check(match)):
                hits.append(match.span(rule.pattern.groupindex.get("it", 0)))
        if hits:
            view, lower = _without(view, hits), _without(lower, hits)
            found += ((start, end, rule.kind) for start, end in hits)
    return sorted((*folded.span(start, end), kind) for start, end, kind in found)


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    pieces: list[str] = []
    last = 0
    for start, end in spans:
        pieces += (text[last:start], _TAKEN * (end - start))
        last = end
    return "".join(pieces) + text[last:]


def _replaced(text: str, found: list[tuple[int, int, str]], margin: int) -> str:
    pieces: list[str] = []
    last = 0
    for start, end, kind in found:
        if end <= last:
            continue
        pieces += (text[last : max(last, start - margin)], f"[{kind}]")
        last = end + margin
    return "".join(pieces) + text[last:]


def spans(text: str) -> list[tuple[int, int, str]]:
    """Start, end and kind of the identifiers that a first look finds in a text as it stands."""
    return _found(text)


def finds(text: str) -> bool:
    """Whether a text holds an identifier that `scrub` would replace."""
    return bool(_found(visible(text)))


def scrub(text: str) -> str:
    """Replace identifiers by placeholders such as ``[email]``.

    Identifiers are found in any disguise that folding undoes (invisible characters, full-width
    and other digits, percent-encoding, entities), and replaced in the text itself: where nothing
    is found, it stays as it is, but for hidden characters that no spelling needs. The result is
    a fixed point: scrubbing it again changes nothing.

    Parameters
    ----------
    text
        Any text, of any length; the cost is linear in it, times a logarithm at the very worst.

    Returns
    -------
    str
        The text with placeholders, see `KINDS`.
    """
    text = visible(text)
    passes = 0
    while found := _found(text):
        passes += 1
        text = visible(_replaced(text, found, 0 if passes <= _PLAIN_PASSES else 2**passes))
    return text
