"""Answers written so that they take little room: rows as columns, decimals as whole numbers.

A general compressor finds little in rows of numbers; by column it finds most. What is packed here
is unpacked, equal to the last digit, by ``web/src/data/packing.ts``. Names of fields stand once a
list instead of once a row, and digits without their leading zeros.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any, Final

_MARK: Final = ""
"""The one key of an object that stands for a packed list; no answer has such a key."""

_FEW: Final = 3
"""Lists shorter than this are left as they are."""

_NUMBERED: Final = re.compile(r"(.*?[^0-9])(0|[1-9][0-9]{0,8})", re.DOTALL)
"""A beginning, and a number that is written in one way only."""

_MOST: Final = 2**53
"""The largest whole number that a browser's numbers hold with all below it."""


def pack(value: Any) -> Any:
    """Pack the lists in a value of JSON.

    Parameters
    ----------
    value
        Objects, lists, texts, numbers, truth values and ``None``.

    Returns
    -------
    Any
        JSON again. A list of objects of the same fields is ``{"": ["rows", fields, columns]}``; a
        list of decimal numbers is ``{"": ["decimals", exponent, digits]}``, ``None`` for itself; a
        list of texts that end in numbers is ``{"": ["numbered", beginning, differences]}``.

    Raises
    ------
    ValueError
        An object has the empty text as a key.
    """
    if isinstance(value, dict):
        if _MARK in value:
            raise ValueError("an object with an empty key cannot be packed")
        return {key: pack(one) for key, one in value.items()}
    if not isinstance(value, list):
        return value
    if len(value) >= _FEW:
        first = value[0]
        if isinstance(first, dict) and first:
            keys = first.keys()
            if all(isinstance(one, dict) and one.keys() == keys for one in value):
                columns = [pack([one[key] for one in value]) for key in keys]
                return {_MARK: ["rows", list(keys), columns]}
        packed = None
        if isinstance(first, str):
            packed = _numbered(value)
        elif any(isinstance(one, float) for one in value):
            packed = _decimals(value)
        if packed is not None:
            return packed
    return [pack(one) for one in value]


def _decimals(values: list[Any]) -> dict[str, list[Any]] | None:
    """Numbers as whole multiples of one power of ten; ``None`` where something else is among them.

    The power is the finest that any of them needs, so that each comes back exactly.
    """
    digits: list[int | None] = []
    exponents: list[int] = []
    for value in values:
        if value is None:
            digits.append(None)
            exponents.append(0)
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        whole, exponent = _split(value)
        digits.append(whole)
        exponents.append(exponent)
    finest = min(exponents)
    scaled = [
        None if n is None else n * 10 ** (e - finest)
        for n, e in zip(digits, exponents, strict=True)
    ]
    if max(abs(n or 0) for n in scaled) > _MOST:
        return None
    return {_MARK: ["decimals", finest, scaled]}


def _numbered(values: list[Any]) -> dict[str, list[Any]] | None:
    """Ids such as ``request-12`` by how far each number is from the one before."""
    found = _NUMBERED.fullmatch(values[0])
    if found is None:
        return None
    beginning = found[1]
    numbers = []
    for value in values:
        match = _NUMBERED.fullmatch(value) if isinstance(value, str) else None
        if match is None or match[1] != beginning:
            return None
        numbers.append(int(match[2]))
    differences = [after - before for before, after in pairwise([0, *numbers])]
    return {_MARK: ["numbered", beginning, differences]}


def _split(value: float) -> tuple[int, int]:
    """A number as digits and a power of ten, at most zero: 0.0123 as 123 and -4."""
    if isinstance(value, int):
        return value, 0
    mantissa, _, power = repr(value).partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = fraction.rstrip("0")
    digits, exponent = int(whole + fraction), int(power or 0) - len(fraction)
    return (digits * 10**exponent, 0) if exponent > 0 else (digits, exponent)
