"""Payment cards, bank accounts, wallets: numbers that prove themselves."""

from __future__ import annotations

import re
from typing import Final

from clio.privacy.scrubbing.checksums import base58_check, luhn, mod_97
from clio.privacy.scrubbing.rule import Rule, digits_of


def _card(match: re.Match[str]) -> bool:
    return luhn(digits_of(match[0]))


def _iban(match: re.Match[str]) -> bool:
    compact = re.sub(r"[\s-]", "", match[0])
    return 15 <= len(compact) <= 34 and compact.isascii() and mod_97(compact)


def _wallet(match: re.Match[str]) -> bool:
    code = match[0]
    return code[0] not in "13" or base58_check(code)


RULES: Final = (
    Rule(
        "iban",
        re.compile(
            r"[a-z](?<![a-z\d_-].)[a-z]\d{2}(?:[ -]?[a-z0-9]{4}){2,7}(?:[ -]?[a-z0-9]{1,3})?(?![a-z\d_])"  # noqa: E501
        ),
        _iban,
        digits=6,
    ),
    Rule(
        "card", re.compile(r"\d(?<![a-z\d_.+].)(?:[ .-]?\d){11,18}(?![a-z\d_])"), _card, digits=12
    ),
    Rule(
        "id",
        re.compile(
            r"\b(?:0x[0-9a-fA-F]{40}|(?:bc1|ltc1|BC1)[02-9ac-hj-np-zAC-HJ-NP-Z]{25,60}|"
            r"[13][1-9A-HJ-NP-Za-km-z]{25,34}|addr1[02-9ac-hj-np-z]{50,100})\b"
        ),
        _wallet,
        needs=("long",),
        cased=True,
    ),
)
