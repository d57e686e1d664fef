"""The attacks of ``attacks.toml`` as conversations."""

from __future__ import annotations

import base64
import codecs
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clio.conversation import Conversation, Message, Role
from clio.prompting import guard

from .obeying import EFFECTS, Effect

LEAKED = guard(b"the run's key", "another prompt")
"""The codes that an attacker saw once."""


def _offset(base: int) -> Callable[[str], str]:
    return lambda text: "".join(chr(base + ord(character)) for character in text)


def _bits(text: str) -> str:
    bits = "".join(f"{ord(character):08b}" for character in text)
    return bits.translate({ord("0"): "\u200b", ord("1"): "\u200d"})


HIDING: Mapping[str, Callable[[str], str]] = {
    "plain": lambda text: text,
    "tags": _offset(0xE0000),
    "variation": _offset(0xE0100),
    "zero-width": _bits,
    "bidi": lambda text: f"\u202e{text[::-1]}\u202c\u2066\u2069",
    "homoglyph": lambda text: text.translate(str.maketrans("aeosy", "аеоѕу")),
    "styled": lambda text: "".join(
        chr(0x1D41A + ord(c) - ord("a")) if c.isalpha() else c for c in text
    ),
    "controls": lambda text: "\x00\x08\x1b[2J" + "\x7f".join(text) + "\x9b",
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "rot13": lambda text: codecs.encode(text, "rot13"),
    "hex": lambda text: text.encode().hex(),
    "reversed": lambda text: text[::-1],
}

ENCODED = frozenset({"plain", "homoglyph", "styled", "base64", "rot13", "hex", "reversed"})
"""Ways of hiding that leave visible text, which stays where it is: as data."""


@dataclass(frozen=True)
class Attack:
    """One attack.

    Attributes
    ----------
    name
        Family and number.
    conversation
        What is read.
    invisible
        A payload that no reader would see, so that the model must not either.
    effect
        What a model that obeys answers.
    """

    name: str
    family: str
    conversation: Conversation
    invisible: str
    effect: Effect


def _attack(family: str, number: int, table: Mapping[str, Any]) -> Attack:
    hidden, by = table.get("hidden", ""), table.get("by", "plain")
    times = table.get("repeat", 1)
    payload = HIDING[by](hidden)
    if "turns" in table:
        texts = table["turns"] * times
    else:
        texts = [table["text"] * times + (f" {payload}" if payload else "")]
    codes = {"{nonce}": LEAKED.nonce, "{secret}": LEAKED.secret}
    messages = []
    for i, text in enumerate(texts):
        for place, code in codes.items():
            text = text.replace(place, code)
        messages.append(Message((Role.USER, Role.ASSISTANT)[i % 2], text))
    return Attack(
        f"{family}-{number}",
        family,
        Conversation(f"{family}-{number}", "u", None, tuple(messages)),
        "" if by in ENCODED else payload,
        EFFECTS[table["obeyed"]],
    )


def load_attacks() -> tuple[Attack, ...]:
    tables = tomllib.loads((Path(__file__).parent / "attacks.toml").read_text(encoding="utf-8"))
    return tuple(
        _attack(family, number, table)
        for family, attacks in tables.items()
        for number, table in enumerate(attacks, start=1)
    )


ATTACKS = load_attacks()
