"""Keyed pseudonyms: the only form in which an account is ever stored.

HMAC-SHA256 under a key made for each run, so that a pseudonym can neither be looked up in a table
of hashed ids nor be followed from one run to another, and so that destroying the key cuts the last
tie to the account.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from clio.conversation import Conversation, normalise_text

KEY_BYTES = 32
PSEUDONYM_CHARS = 32
"""128 bits: under 1e-20 chance that any two of a billion accounts collide."""


def make_key() -> bytes:
    """Random key for one run, from the operating system's generator."""
    return secrets.token_bytes(KEY_BYTES)


def account_of(conversation: Conversation) -> str:
    """The account of a conversation, as it goes into `pseudonym`.

    An id is prefixed ``id:``; without one, each distinct normalised text of the requester counts
    as one account and is prefixed ``text:``. The prefixes keep an id that looks like a text, or a
    text that looks like an id, from ever meaning the same account.
    """
    if conversation.user_id is not None:
        return f"id:{conversation.user_id}"
    # Unit separators keep ["a b"] and ["a", "b"] apart; normalising removes them from the turns.
    turns = (normalise_text(turn) for turn in conversation.requester_turns())
    return "text:" + "\x1f".join(turns)


def pseudonym(key: bytes, account: str) -> str:
    """Keyed pseudonym of an account.

    Parameters
    ----------
    key
        The run's key, 32 bytes.
    account
        What `account_of` returns.

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
    message = account.encode("utf-8", "surrogatepass")
    return hmac.new(key, message, hashlib.sha256).hexdigest()[:PSEUDONYM_CHARS]
