"""Keyed pseudonyms: the only form in which an account is ever stored.

HMAC-SHA256 under a key made for each run, so that a pseudonym can neither be looked up in a table
of hashed ids nor be followed from one run to another, and so that destroying the key cuts the last
tie to the account.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from clio.conversation import normalise_text

KEY_BYTES = 32
PSEUDONYM_CHARS = 32
"""128 bits: under 1e-20 chance that any two of a billion accounts collide."""


def make_key() -> bytes:
    """Random key for one run, from the operating system's generator."""
    return secrets.token_bytes(KEY_BYTES)


@dataclass(frozen=True, slots=True)
class TextAccount:
    """Stands for an account where none is known: each distinct normalised text counts as one."""

    text: str


def text_account(text: str) -> TextAccount:
    """The account of a conversation without an id, from the text of its requester's turns."""
    return TextAccount(normalise_text(text))


def pseudonym(key: bytes, account: str | TextAccount) -> str:
    """Keyed pseudonym of an account.

    Ids and texts are prefixed apart, so that an id that reads like a text, or a text that reads
    like an id, never means the same account.

    Parameters
    ----------
    key
        The run's key, 32 bytes.
    account
        The account as the owner knows it, or what `text_account` returns.

    Returns
    -------
    str
        32 hexadecimal characters: the first half of HMAC-SHA256.

    Raises
    ------
    ValueError
        The key is not of 32 bytes: a short key could be guessed.
    """
    if len(key) != KEY_BYTES:
        raise ValueError(f"a pseudonym key has {KEY_BYTES} bytes")
    marked = f"text:{account.text}" if isinstance(account, TextAccount) else f"id:{account}"
    message = marked.encode("utf-8", "surrogatepass")
    return hmac.new(key, message, hashlib.sha256).hexdigest()[:PSEUDONYM_CHARS]
