"""Check digits, by which a number proves to be one of a kind."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

_VERHOEFF_TIMES: Final = tuple(
    tuple(
        (a + b) % 5
        if a < 5 and b < 5
        else 5 + (a + b) % 5
        if a < 5
        else 5 + (a - 5 - b) % 5
        if b < 5
        else (a - b) % 5
        for b in range(10)
    )
    for a in range(10)
)
"""Multiplication in the dihedral group of order 10."""
_VERHOEFF_STEP: Final = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def luhn(digits: Sequence[int]) -> bool:
    """Whether the digits pass the check of ISO/IEC 7812-1 (mod 10)."""
    doubled = (sum(divmod(2 * d, 10)) for d in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def mod_97(code: str) -> bool:
    """Whether letters and digits pass ISO/IEC 7064 mod 97-10 as in an IBAN, head moved last."""
    return int("".join(str(int(c, 36)) for c in code[4:] + code[:4])) % 97 == 1


def verhoeff(digits: Sequence[int]) -> bool:
    """Whether the digits pass Verhoeff's dihedral check (1969)."""
    check = 0
    for place, digit in enumerate(reversed(digits)):
        for _ in range(place % 8):
            digit = _VERHOEFF_STEP[digit]
        check = _VERHOEFF_TIMES[check][digit]
    return check == 0


def mod_11_2(digits: Sequence[int]) -> bool:
    """Whether digits, the last of which may be 10 (written X), pass ISO/IEC 7064 mod 11-2."""
    return sum(d * pow(2, place, 11) for place, d in enumerate(reversed(digits))) % 11 == 1


def weighted(digits: Sequence[int], weights: Sequence[int]) -> int:
    """Sum of digits times weights, as far as both go."""
    return sum(d * w for d, w in zip(digits, weights, strict=False))


def base58_check(code: str) -> bool:
    """Whether a base58 code ends in the first four bytes of its double SHA-256, as Bitcoin's do."""
    number = 0
    for character in code:
        number = number * 58 + _BASE58.index(character)
    if number >= 1 << 200:
        return False
    data = number.to_bytes(25, "big")
    return hashlib.sha256(hashlib.sha256(data[:-4]).digest()).digest()[:4] == data[-4:]
