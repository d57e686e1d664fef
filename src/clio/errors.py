"""Errors that a user can meet, each with a stable code.

Every message is one line that says what happened and what to do about it; none holds text of a
conversation. The codes are explained in ``docs/errors.md``.

::

    ClioError
    ├── InputError         CLIO-IN    the input cannot be read at all
    ├── SettingsError      CLIO-SET   a setting is out of bounds or unknown
    ├── RunError           CLIO-RUN   the run directory is missing, damaged, in use or not a run
    ├── ReleaseError       CLIO-REL   there is no release, or it is of another version
    ├── TooSmallError      CLIO-SMALL nothing in the corpus may be released
    ├── FailuresError      CLIO-FAIL  more rows failed than the settings allow
    ├── ModelError         CLIO-MODEL the model cannot be asked: no key, no such model, no server
    ├── BudgetError        CLIO-COST  the run's limit on cost or calls is reached
    ├── EpsilonError       CLIO-DP    the run's privacy budget is used up, or unknown
    ├── WaitingError       CLIO-WAIT  answers are awaited that somebody else has to bring
    ├── DiskError          CLIO-DISK  a file cannot be written or read: full, read-only, failing
    ├── OutOfMemoryError   CLIO-MEM   memory ran out
    └── UnexpectedError    CLIO-BUG   a mistake of Clio's own
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from typing import ClassVar, Final


class ClioError(Exception):
    """Base of all errors meant for a user.

    Parameters
    ----------
    message
        What happened and what to do, in one line. Characters that would break the line, or that
        cannot be printed, are replaced: names of files and settings may hold any.
    """

    code: ClassVar[str] = "CLIO"

    def __init__(self, message: str) -> None:
        self.message = "".join(c if c.isprintable() else "\ufffd" for c in message)
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message} [{self.code}]"


class InputError(ClioError):
    """The input is missing, empty or of no known format."""

    code = "CLIO-IN"


class SettingsError(ClioError):
    """A setting is unknown, malformed or below what the privacy rules allow."""

    code = "CLIO-SET"


class RunError(ClioError):
    """The run directory cannot be used: missing, damaged, locked by another process, no run."""

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


class ModelError(ClioError):
    """A language model cannot be asked: no key, no such model, the server is gone."""

    code = "CLIO-MODEL"


class BudgetError(ClioError):
    """The run's limit on cost or calls is reached; everything so far is kept."""

    code = "CLIO-COST"


class EpsilonError(ClioError):
    """An export would spend more differential privacy than the run's budget; nothing is spent."""

    code = "CLIO-DP"


class WaitingError(ClioError):
    """Answers are awaited that somebody else has to bring; exit status 3."""

    code = "CLIO-WAIT"


class DiskError(ClioError):
    """A file cannot be written or read: the disk is full, read-only, failing or forbidden."""

    code = "CLIO-DISK"


class OutOfMemoryError(ClioError):
    """Memory ran out."""

    code = "CLIO-MEM"


class UnexpectedError(ClioError):
    """Something that should not happen did: a mistake of Clio's own."""

    code = "CLIO-BUG"


_AGAIN: Final = "run the same command again: what is done is kept"

_FULL: Final = ("no space left", f"free some and {_AGAIN}")
_FORBIDDEN: Final = ("no permission", f"grant it, or name another place, and {_AGAIN}")
_FILES: Final = ("too many open files", f"raise the limit (ulimit -n) and {_AGAIN}")

DISK_ADVICE: Final[Mapping[int, tuple[str, str]]] = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: ("the disk quota is used up", _FULL[1]),
    errno.EROFS: ("the file system is read-only", f"make it writable and {_AGAIN}"),
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EMFILE: _FILES,
    errno.ENFILE: _FILES,
    errno.EIO: ("the disk reports an error", f"check it, or name another place, and {_AGAIN}"),
    errno.ENAMETOOLONG: ("the name is too long", "name a shorter one"),
    errno.ENOTDIR: ("a part of the path is a file", "name another one"),
    errno.ENOENT: ("it is missing", _AGAIN),
}
"""What an error number of the operating system means and what to do about it."""


def from_machine(error: OSError | MemoryError) -> ClioError:
    """What the operating system refused, as one line that says what to do.

    Parameters
    ----------
    error
        As Python raised it. Of its text only the names of files are kept.
    """
    if isinstance(error, MemoryError) or error.errno == errno.ENOMEM:
        return OutOfMemoryError(f"memory ran out; free some, or use a larger machine, and {_AGAIN}")
    number = error.errno
    if number is None:
        what, advice = "it cannot be read or written", f"check the disk and {_AGAIN}"
    else:
        what, advice = DISK_ADVICE.get(number, (os.strerror(number), _AGAIN))
    if isinstance(error.filename, str | bytes):
        return DiskError(f"{os.fsdecode(error.filename)}: {what}; {advice}")
    return DiskError(f"{what}; {advice}")
