"""Numbers that states give to persons, where their shape or check digits make them certain.

Runs of digits alone are found as numbers anyway (`clio.privacy.scrubbing.numbers`); these are the
ones with separators or letters.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from clio.privacy.scrubbing.checksums import luhn, mod_11_2, verhoeff, weighted
from clio.privacy.scrubbing.rule import Rule, digits_of

_DNI: Final = "TRWAGMYFPDXBNJZSQVHLCKE"
_HETU: Final = "0123456789ABCDEFHJKLMNPRSTUVWXY"
_NRIC: Final = {"S": "JZIHGFEDCBA", "T": "GFEDCBAJZIH", "F": "XWUTRQPNMLK", "G": "RQPNMLKXWUT"}
_CODICE_ODD: Final = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)  # fmt: skip  # noqa: E501
_DAY: Final = r"(?:0[1-9]|[12]\d|3[01])"
_MONTH: Final = r"(?:0[1-9]|1[0-2])"


def _cpf(text: str) -> bool:
    """Brazil, persons."""
    d = digits_of(text)
    first, second = (weighted(d, range(n, 1, -1)) * 10 % 11 % 10 for n in (10, 11))
    return len(set(d)) > 1 and [first, second] == d[9:]


def _cnpj(text: str) -> bool:
    """Brazil, firms."""
    d, weights = digits_of(text), (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)
    return all(
        (0 if (rest := weighted(d[:n], weights[13 - n :]) % 11) < 2 else 11 - rest) == d[n]
        for n in (12, 13)
    )


def _dni(text: str) -> bool:
    """Spain, DNI and NIE."""
    code = re.sub(r"[ .-]", "", text)
    return _DNI[int(code[:-1].translate(str.maketrans("XYZ", "012"))) % 23] == code[-1]


def _codice(text: str) -> bool:
    """Italy, codice fiscale."""
    values = [int(c) if c.isdigit() else ord(c) - 65 for c in text]
    odd = sum(_CODICE_ODD[v] for v in values[0:15:2])
    return (odd + sum(values[1:15:2])) % 26 == values[15]


def _nir(text: str) -> bool:
    """France, sécurité sociale."""
    code = text.replace(" ", "").replace("2A", "19").replace("2B", "18")
    return 97 - int(code[:13]) % 97 == int(code[13:])


def _swedish(text: str) -> bool:
    return luhn(digits_of(text)[-10:])


def _hetu(text: str) -> bool:
    """Finland."""
    return _HETU[int(text[:6] + text[7:10]) % 31] == text[10]


def _chinese(text: str) -> bool:
    return mod_11_2([10 if c in "Xx" else int(c) for c in text])


def _sin(text: str) -> bool:
    """Canada."""
    return luhn(digits_of(text))


def _snils(text: str) -> bool:
    """Russia."""
    d = digits_of(text)
    return weighted(d[:9], range(9, 0, -1)) % 101 % 100 == d[9] * 10 + d[10]


def _nric(text: str) -> bool:
    """Singapore."""
    total = weighted(digits_of(text), (2, 7, 6, 5, 4, 3, 2))
    return _NRIC[text[0]][total % 11] == text[-1]


def _aadhaar(text: str) -> bool:
    """India."""
    return verhoeff(digits_of(text))


def _sure(text: str) -> bool:
    """The shape alone is enough."""
    return bool(text)


def _no(text: str) -> bool:
    """A group that is only a part of a shape."""
    return not text


_SHAPES: Final[tuple[tuple[str, str, Callable[[str], bool]], ...]] = (
    ("us", r"(?!000|666|9)\d{3}(?P<s>[- ])(?!00)\d\d(?P=s)(?!0000)\d{4}", _sure),
    ("br", r"\d{3}\.\d{3}\.\d{3}-\d\d", _cpf),
    ("brf", r"\d\d\.\d{3}\.\d{3}/\d{4}-\d\d", _cnpj),
    ("es", r"(?:\d{8}|\d\d\.\d{3}\.\d{3}|[XYZ]-?\d{7})[ -]?[A-HJ-NP-TV-Z]", _dni),
    ("cf", r"[A-Z]{6}\d\d[A-EHLMPR-T]\d\d[A-Z]\d{3}[A-Z]", _codice),
    ("fr", r"[12] ?\d\d ?(?:0[1-9]|1[0-2]) ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d", _nir),
    ("gb", r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]", _sure),
    ("se", rf"(?:19|20)?\d\d{_MONTH}{_DAY}[-+]\d{{4}}", _swedish),
    ("fi", rf"{_DAY}{_MONTH}\d\d[-+A-FU-Y]\d{{3}}[0-9A-FHJ-NPR-Y]", _hetu),
    ("dk", rf"{_DAY}{_MONTH}\d\d-\d{{4}}", _sure),
    ("in", r"[2-9]\d{3} \d{4} \d{4}", _aadhaar),
    ("cn", r"[1-9]\d{5}(?:19|20)\d{2}" + _MONTH + _DAY + r"\d{3}[\dXx]", _chinese),
    ("kr", rf"\d\d{_MONTH}{_DAY}-[1-8]\d{{6}}", _sure),
    ("mx", rf"[A-Z][AEIOUX][A-Z]{{2}}\d\d{_MONTH}{_DAY}[HM][A-Z]{{5}}[A-Z\d]\d", _sure),
    ("ca", r"[1-9]\d\d(?P<c>[- ])\d{3}(?P=c)\d{3}", _sin),
    ("ru", r"\d{3}-\d{3}-\d{3}[ -]\d\d", _snils),
    ("sg", r"[STFG]\d{7}[A-Z]", _nric),
)  # fmt: skip
"""United States, Brazil, Spain, Italy, France, United Kingdom, Sweden, Finland, Denmark, India,
China, Korea, Mexico, Canada, Russia, Singapore: name of the group, shape, proof."""
_PROOFS: Final = {name: proof for name, _, proof in _SHAPES}


def _proved(match: re.Match[str]) -> bool:
    return any(value and _PROOFS.get(name, _no)(value) for name, value in match.groupdict().items())


RULES: Final = (
    # India, tax.
    Rule(
        "id",
        re.compile(r"[A-Z](?<!\w.)[A-Z]{2}[ABCFGHJLPT][A-Z]\d{4}[A-Z](?!\w)"),
        digits=4,
        cased=True,
    ),
    Rule(
        "id",
        # A cheap first character lets the search skip ahead.
        re.compile(
            r"(?=[A-Z\d])(?<![\w.+-])(?:"
            + "|".join(f"(?P<{name}>{shape})" for name, shape, _ in _SHAPES)
            + r")(?![\w-])"
        ),
        _proved,
        digits=6,
        cased=True,
    ),
)
