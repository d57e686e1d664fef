"""Passwords, keys and tokens: by their makers' prefixes, by what is said of them, by entropy."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections import Counter
from typing import Final

from clio.privacy.scrubbing.network import MAIL
from clio.privacy.scrubbing.rule import Rule

_CREDENTIAL: Final = (
    r"pass(?:word|wd|code|phrase)|pwd|secret|api[_ -]?key|access[_ -]?key|auth[_ -]?token|"
    r"access[_ -]?token|private[_ -]?key|client[_ -]?secret|passwort|kennwort|mot de passe|"
    r"contraseña|senha|wachtwoord|hasło|lösenord|пароль|密码|密碼|パスワード|비밀번호|كلمة المرور|पासवर्ड"  # noqa: E501
)
_HINTS: Final = (
    "pass", "pwd", "secret", "key", "token", "kennwort", "contraseña", "senha", "wachtwoord",
    "hasło", "lösenord", "пароль", "密码", "密碼", "パスワード", "비밀번호", "كلمة", "पासवर्ड",
)  # fmt: skip
_MIN_ENTROPY: Final = 3.0
"""Bits a character, by the frequencies within the token itself; words of a name have fewer."""
_CHANGE: Final = re.compile(r"\d[A-Za-z]|[A-Za-z]\d")


def _random(match: re.Match[str]) -> bool:
    token = match["it"]
    counts = Counter(token)
    entropy = -sum(n / len(token) * math.log2(n / len(token)) for n in counts.values())
    digits = sum(c.isdigit() for c in token)
    return entropy >= _MIN_ENTROPY and digits >= 2 and len(_CHANGE.findall(token)) >= 2


def _opaque(match: re.Match[str]) -> bool:
    """A long run without spaces is a secret when it mixes digits and letters as words do not."""
    run = match[0]
    digits = sum(c.isdigit() for c in run)
    letters = sum(c.isalpha() for c in run)
    return len(run) >= 24 and digits >= 4 and letters >= 4 and len(_CHANGE.findall(run)) >= 3


def _encoded_mail(match: re.Match[str]) -> bool:
    run = match[0].rstrip("=")
    try:
        data = base64.b64decode(run + "=" * (-len(run) % 4), validate=True)
        return MAIL.search(data.decode("ascii")) is not None
    except (binascii.Error, UnicodeDecodeError):
        return False


RULES: Final = (
    Rule(
        "secret",
        re.compile(r"-----begin [a-z0-9 ]{3,40}-----.*?(?:-----end [a-z0-9 ]{3,40}-----|\Z)", re.S),
        needs=("-----begin ",),
    ),
    Rule(
        "secret",
        re.compile(
            r"\b(?:sk|pk|rk)[-_](?:[A-Za-z]+[0-9]*[-_]){0,3}[\w-]{16,}|\bwhsec_\w{16,}|"
            r"\bgh[opusr]_\w{20,}|\bgithub_pat_\w{20,}|\b(?:AKIA|ASIA|AROA|AIDA)[0-9A-Z]{16}\b|"
            r"\bAIza[\w-]{30,}|\bya29\.[\w-]{20,}|\bxox[abeoprs]-[\w-]{10,}|\bxapp-[\w-]{10,}|"
            r"\bglpat-[\w-]{16,}|\b(?:hf|npm)_\w{20,}|\bSG\.[\w-]{16,}\.[\w-]{16,}|\bdop_v1_\w{20,}|"
            r"\bpypi-[\w-]{20,}|\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"
        ),
        needs=("long",),
        cased=True,
    ),
    Rule("secret", re.compile(r"\bbearer\s+(?=[^\s\x00]*\d)[\w.~+/-]{12,}=*"), needs=("bearer",)),
    Rule(
        "secret",
        re.compile(
            rf"(?<![a-z0-9])(?:{_CREDENTIAL})[\"']?\s{{0,3}}(?:[:=：]\s{{0,3}}(?![\[\x00])[^\s\x00]{{4,}}|"
            r"\b(?:is|ist|est|es|é|è|to|:)\s{1,3}(?=[^\s\d\x00]*\d)[^\s\x00]{4,}|"
            r"(?:は|是|为|是：)\s?(?=[^\s\d\x00]*\d)[^\s\x00]{4,})"
        ),
        lambda match: (
            re.search(
                r"[:=]\s*[\w.]*\w[(\[]|[=:]\s*(?:none|null|true|false|str|string)\b", match[0]
            )
            is None
        ),
        needs=_HINTS,
    ),
    Rule(
        "secret",
        re.compile(
            r"(?:[Kk]ey|KEY|[Tt]oken|TOKEN|[Ss]ecret|SECRET|auth|AUTH)[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?P<it>[\w+/=.~-]{12,})(?!\()"
        ),
        _random,
        needs=("key", "token", "secret", "auth"),
        digits=2,
        cased=True,
    ),
    Rule(
        "email", re.compile(r"[A-Za-z0-9+/]{16,}={0,2}"), _encoded_mail, cased=True, needs=("long",)
    ),
    Rule(
        "id", re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b"), needs=("-",), digits=6
    ),
)
OPAQUE: Final = (
    Rule(
        "secret",
        re.compile(r"[A-Za-z0-9+/_=-]{24,}"),
        _opaque,
        cased=True,
        needs=("long",),
        digits=4,
    ),
)
"""Tried after all that is known by name."""
