"""Invented personal details of twelve kinds, each value its own and with valid check digits.

Where a range is reserved for examples or was never given out, values come from it, so that none
belongs to anybody: example domains (RFC 2606), telephone numbers that regulators keep for films
(of North America, Britain, Ireland, France, Germany, Australia) or have never given out, addresses
of RFC 2544 and RFC 3849, the IIN 400000 of test cards, bank codes of noughts, social security
numbers of areas that were not given out by area before 2011. Names of people, streets, places,
firms and illnesses are made of invented syllables.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from itertools import product
from typing import Final

import numpy as np

_FIRST: Final = (
    *("Alma", "Bruno", "Carla", "Dario", "Edda", "Falk", "Greta", "Hugo", "Ines", "Jonas"),
    *("Katia", "Levin", "Mira", "Nils", "Odette", "Paolo", "Quirin", "Rosa", "Silvan", "Thea"),
    *("Ugo", "Vera", "Wanda", "Xenia", "Yann", "Zelda", "Anouk", "Bela", "Celia", "Dorian"),
)
_BEGINNINGS: Final = (
    *("Brand", "Corv", "Dunn", "Elst", "Farr", "Gald", "Hask", "Ivern", "Jarv", "Kest"),
    *("Lund", "Marr", "Nord", "Ostr", "Pell", "Quill", "Rav", "Selw", "Tarn", "Ulv"),
    *("Vand", "Wex", "Yarr", "Zell", "Ashw", "Bexl", "Crow", "Drax", "Ember", "Finch"),
)
_MIDDLES: Final = ("ing", "er", "or", "al", "en", "ov", "un", "il", "am", "ek")
_ENDINGS: Final = ("by", "dale", "feld", "gard", "holm", "ley", "mont", "stad", "thorpe", "wick")
_STREETS: Final = ("Lane", "Street", "Road", "Avenue", "Close", "Drive")

_SURNAMES: Final = tuple("".join(parts) for parts in product(_BEGINNINGS, _MIDDLES, _ENDINGS))
_INVENTED: Final = frozenset(_SURNAMES)
_BASE62: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_DNI: Final = "TRWAGMYFPDXBNJZSQVHLCKE"
_BIRTHS: Final = (date(1930, 1, 1), date(2007, 12, 31))


def _luhn(digits: str) -> int:
    """The sum of Luhn's rule, modulo 10; noughts end a valid number."""
    doubled = [int(digit) * (1 + at % 2) for at, digit in enumerate(reversed(digits))]
    return sum(value // 10 + value % 10 for value in doubled) % 10


def _mod97(iban: str) -> int:
    """ISO 7064 over an IBAN; 1 is valid."""
    return int("".join(str(int(letter, 36)) for letter in iban[4:] + iban[:4])) % 97


def _email(at: int) -> str:
    name = _SURNAMES[at % 3000].lower()
    host = ("example.com", "example.org", "example.net")[at % 3]
    return f"{_FIRST[at % 30].lower()}.{name}{at // 3000 or ''}@{host}"


# Of ten countries; of North American numbers the last four digits are 0100 to 0199.
_PHONES: Final[tuple[Callable[[int], str], ...]] = (
    lambda at: f"({212 + at // 100}) 555-{100 + at % 100:04}",
    lambda at: f"+44 {('20 7946', '113 496', '161 496', '131 496')[at // 1000]} 0{at % 1000:03}",
    lambda at: f"+33 1 99 00 {at // 100:02} {at % 100:02}",
    lambda at: f"+49 {('30 23125', '40 66969', '69 90009', '89 99998')[at // 1000]} {at % 1000:03}",
    lambda at: f"+353 20 91{at // 1000} {at % 1000:04}",
    lambda at: f"+61 2 5550 {at:04}",
    lambda at: f"+1-{613 + at // 100}-555-{100 + at % 100:04}",
    lambda at: f"+351 4{at // 100:02} {at % 100:03} {at % 1000:03}",
    lambda at: f"+34 4{at // 100:02} {at % 100:03} {at % 1000:03}",
    lambda at: f"+48 20{at // 1000} {at % 1000:03} {at % 1000:03}",
)


def _phone(at: int) -> str:
    return _PHONES[at % len(_PHONES)](at // len(_PHONES))


def _address(at: int) -> str:
    town = _SURNAMES[(at * 7 + 11) % 3000]
    street = f"{_SURNAMES[at % 3000]} {_STREETS[at % 6]}"
    return f"{1 + at // 3000} {street}, {town}, {1 + at % 499:05}"


def _name(at: int) -> str:
    initial = f" {chr(65 + at // 90_000)}." if at >= 90_000 else ""
    return f"{_FIRST[at // 3000 % 30]}{initial} {_SURNAMES[at % 3000]}"


def _birth(at: int) -> str:
    day = _BIRTHS[0] + timedelta(days=at)
    return day.strftime("%Y-%m-%d") if at % 2 else f"{day.day} {day:%B %Y}"


def _national(at: int) -> str:
    kind, at = at % 3, at // 3
    if kind == 0:
        return f"X{at:08}"  # a passport's
    if kind == 1:
        number = 99_000_000 + at
        return f"{number}{_DNI[number % 23]}"
    return f"{773 + at % 127}-{1 + at // 127 % 99:02}-{1 + at // 12_573 % 9999:04}"


def _card(at: int) -> str:
    digits = f"400000{at:09}"
    digits += str(-_luhn(digits + "0") % 10)
    return " ".join(re.findall("....", digits)) if at % 2 else digits


def _iban(at: int) -> str:
    country, account = ("DE", f"00000000{at:010}") if at % 2 else ("GB", f"TEST000000{at:08}")
    iban = f"{country}{98 - _mod97(f'{country}00{account}'):02}{account}"
    return " ".join(re.findall("..?.?.?", iban)) if at % 4 < 2 else iban


def _firm(at: int) -> str:
    return f"{_SURNAMES[at % 3000]} & {_SURNAMES[(at // 3000 * 7 + 1200 + at) % 3000]}"


def _ip(at: int) -> str:
    if at % 2:
        return f"2001:db8:{at // 2 // 65_536:x}:{at // 2 % 65_536:x}::{1 + at % 250:x}"
    return f"198.{18 + at // 131_072}.{at // 512 % 256}.{at // 2 % 256}"


def _disease(at: int) -> str:
    return f"{_SURNAMES[at % 3000]} syndrome, {_SURNAMES[(at // 3000 * 11 + 700 + at) % 3000]}"


def _secret(at: int) -> str:
    # Multiplication by an odd number modulo a power of two gives each number another.
    mixed = at * 0x9E3779B97F4A7C15F39CC0605CEDC835 % (1 << 128) ^ 0xA5A5 << 96
    if at % 2:
        return f"{_BEGINNINGS[at % 30]}{mixed % 100_000:05}{at:x}!{_ENDINGS[at % 10]}"
    digits = "".join(_BASE62[mixed // 62**place % 62] for place in range(22))
    return f"sk-test-{digits}"


_MAKERS: Final[dict[str, tuple[Callable[[int], str], int]]] = {
    "email": (_email, 10**8),
    "phone": (_phone, 40_000),
    "postal address": (_address, 10**7),
    "full name": (_name, 26 * 90_000),
    "date of birth": (_birth, (_BIRTHS[1] - _BIRTHS[0]).days + 1),
    "national id": (_national, 2_000_000),
    "credit card": (_card, 10**9),
    "iban": (_iban, 10**8),
    "small firm": (_firm, 600_000),
    "ip address": (_ip, 262_144),
    "rare disease": (_disease, 600_000),
    "secret": (_secret, 10**9),
}

KINDS: Final = tuple(_MAKERS)
"""The twelve kinds."""

_SHAPES: Final = {
    "email": re.compile(r"[a-z]+\.[a-z]+\d*@example\.(com|org|net)"),
    "phone": re.compile(
        r"(\+1-|\()[2-9]\d\d(-|\) )555-01\d\d|\+(44|33|49|353|61|351|34|48) [\d ]{8,13}"
    ),
    "postal address": re.compile(r"[1-9]\d* \w+ \w+, \w+, 00\d{3}"),
    "full name": re.compile(r"[A-Z]\w+( [A-Z]\.)? [A-Z]\w+"),
    "date of birth": re.compile(r"(19|20)\d\d-\d\d-\d\d|\d{1,2} [A-Z][a-z]+ (19|20)\d\d"),
    "national id": re.compile(r"X\d{8}|\d{8}[A-Z]|[78]\d\d-\d\d-\d{4}"),
    "credit card": re.compile(r"400000\d{10}|4000( \d{4}){3}"),
    "iban": re.compile(r"(DE|GB)[0-9A-Z ]{20,27}"),
    "small firm": re.compile(r"[A-Z]\w+ & [A-Z]\w+"),
    "ip address": re.compile(r"198\.1[89]\.\d{1,3}\.\d{1,3}|2001:db8(:[\da-f]{1,4}){2}::[\da-f]+"),
    "rare disease": re.compile(r"[A-Z]\w+ syndrome, [A-Z]\w+"),
    "secret": re.compile(r"sk-test-\w{22}|\w+![a-z]+"),
}


def values(kind: str, count: int, rng: np.random.Generator) -> list[str]:
    """Different values of one kind.

    Parameters
    ----------
    kind
        One of `KINDS`.
    count
        How many.
    rng
        Where chance comes from.

    Raises
    ------
    ValueError
        The kind is unknown, or has not as many values.
    """
    if kind not in _MAKERS:
        raise ValueError(f"a kind of canary is one of {', '.join(KINDS)}")
    make, most = _MAKERS[kind]
    if count > most:
        raise ValueError(f"of the kind {kind} there are no more than {most} values")
    return [make(at) for at in rng.choice(most, count, replace=False, shuffle=True).tolist()]


def invented_words(value: str) -> list[str]:
    """Words of a value that stand in no dictionary: names of people, places, firms."""
    return [word for word in re.findall(r"[A-Za-z]+", value) if word.capitalize() in _INVENTED]


def is_valid(kind: str, value: str) -> bool:
    """Whether a text has the form of a kind's values, check digits included."""
    if not _SHAPES[kind].fullmatch(value):
        return False
    compact = value.replace(" ", "")
    if kind == "credit card":
        return _luhn(compact) == 0
    if kind == "iban":
        return len(compact) == 22 and _mod97(compact) == 1
    if kind == "national id" and value[-1].isalpha():
        return _DNI[int(value[:-1]) % 23] == value[-1]
    return True
