"""Errors that a user can meet, each with a stable code.

Every message is one line that says what happened and what to do about it; none holds text of a
conversation. The codes are explained in ``docs/errors.md``.

::

    ClioError
    ├── InputError       CLIO-IN    the input cannot be read at all
    ├── SettingsError    CLIO-SET   a setting is out of bounds or unknown
    ├── RunError         CLIO-RUN   the run directory is missing, in use or not a run
    ├── ReleaseError     CLIO-REL   there is no release, or it is of another version
    ├── TooSmallError    CLIO-SMALL nothing in the corpus may be released
    └── FailuresError    CLIO-FAIL  more rows failed than the settings allow
"""

from __future__ import annotations

from typing import ClassVar


class ClioError(Exception):
    """Base of all errors meant for a user.

    Parameters
    ----------
    message
        What happened and what to do, in one line.
    """

    code: ClassVar[str] = "CLIO"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return f"{self.message} [{self.code}]"


class InputError(ClioError):
    """The input is missing, empty or of no known format."""

    code = "CLIO-IN"


class SettingsError(ClioError):
    """A setting is unknown, malformed or below what the privacy rules allow."""

    code = "CLIO-SET"


class RunError(ClioError):
    """The run directory cannot be used: missing, locked by another process, or not a run."""

    code = "CLIO-RUN"


class ReleaseError(ClioError):
    """A release is missing, incomplete or written by another schema version."""

    code = "CLIO-REL"


class TooSmallError(ClioError):
    """The corpus holds too few accounts or conversations for anything to be released."""

    code = "CLIO-SMALL"


class FailuresError(ClioError):
    """More rows failed than ``max_failed_share`` allows; the run stopped by itself."""

    code = "CLIO-FAIL"
