"""Who may look at what is restricted, and who did: one-time tokens and the log of every look.

Both lie in the folder ``restricted/`` of a run. A token is kept as its SHA-256, as the name of a
file that is removed when the token is used: of two who bring the same one, one gets in. Losing the
folder to a thief loses no token.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import orjson

from clio.filesystem import sync

LOG_FILE: Final = "access.log"
TOKENS_FOLDER: Final = "tokens"

TOKEN_LIFE: Final = timedelta(minutes=15)
"""How long a one-time link may lie about before it is used."""

_FILE: Final = 0o600
_FOLDER: Final = 0o700
_BYTES: Final = 32
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}")


def record(restricted: Path, action: str, details: Mapping[str, Any] | None = None) -> None:
    """Write a line into the log of looks, durably. What cannot be logged must not be shown.

    Parameters
    ----------
    restricted
        The folder ``restricted/`` of a run.
    action
        What is done: ``look``, ``reveal``, ``export``, ``token``, ``enter``, ``leave``.
    details
        What else is known of it; never text of a conversation, an account or a token.

    Raises
    ------
    OSError
        It cannot be written.
    """
    moment = datetime.now(UTC).isoformat(timespec="milliseconds")
    line = orjson.dumps({"at": moment, "uid": os.getuid(), "action": action, **(details or {})})
    path = restricted / LOG_FILE
    # One write to a file opened for appending: lines of several processes don't mix.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _FILE)
    try:
        os.fchmod(descriptor, _FILE)
        os.write(descriptor, line + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def looks(restricted: Path) -> list[dict[str, Any]]:
    """What the log holds, the oldest first; a line that was cut off is left out."""
    path = restricted / LOG_FILE
    found = []
    for line in path.read_bytes().splitlines() if path.is_file() else []:
        try:
            found.append(orjson.loads(line))
        except ValueError:
            continue
    return found


def issue(restricted: Path) -> str:
    """Make a one-time token; only its hash is kept.

    Parameters
    ----------
    restricted
        The folder ``restricted/`` of a run.

    Returns
    -------
    str
        43 characters that may stand in an address: 256 random bits.

    Raises
    ------
    OSError
        It cannot be kept.
    """
    folder = restricted / TOKENS_FOLDER
    folder.mkdir(mode=_FOLDER, exist_ok=True)
    folder.chmod(_FOLDER)
    now = datetime.now(UTC)
    for path in folder.iterdir():
        if _expiry(path) <= now:
            path.unlink(missing_ok=True)
    token = secrets.token_urlsafe(_BYTES)
    path = folder / _hashed(token)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE)
    with os.fdopen(descriptor, "w") as file:
        file.write((now + TOKEN_LIFE).isoformat())
    sync(folder)
    return token


def redeem(restricted: Path, token: str) -> bool:
    """Use a token up; whether it was good.

    Parameters
    ----------
    restricted
        The folder ``restricted/`` of a run.
    token
        What somebody brings.
    """
    if _TOKEN.fullmatch(token) is None:
        return False
    path = restricted / TOKENS_FOLDER / _hashed(token)
    good = _expiry(path) > datetime.now(UTC)
    try:
        path.unlink()
        sync(path.parent)
    except FileNotFoundError:  # it is none, or another was faster
        return False
    return good


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _expiry(path: Path) -> datetime:
    """Until when the token of a file is good; long ago where that cannot be read."""
    try:
        return datetime.fromisoformat(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return datetime.min.replace(tzinfo=UTC)
