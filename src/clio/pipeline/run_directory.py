"""The run directory: where each tier lies, what has been done, and who may write."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field

from clio.errors import RunError
from clio.pipeline import files

STATE_VERSION = 1


class StageState(BaseModel):
    """What is known of one stage: it is ``running`` until its whole output stands.

    `files` and `bytes` are what it wrote: where they are no longer there, it is done again.
    `before` is what models had used when its first attempt began: calls, tokens, US dollars;
    `model_calls`, `tokens` and `cost` are what its attempts have added.
    """

    model_config = ConfigDict(extra="forbid")

    fingerprint: str
    done: bool = False
    files: int = 0
    bytes: int = 0
    rows_in: int = 0
    rows_out: int = 0
    outcomes: dict[str, int] = Field(default_factory=dict)
    seconds: float = 0.0
    model_calls: int = 0
    tokens: int = 0
    cost: float = 0.0
    before: tuple[int, int, float] = (0, 0, 0.0)
    details: dict[str, Any] = Field(default_factory=dict)


class Forgotten(BaseModel):
    """What was forgotten of a run.

    `rows` are counted as ``skipped``; `release` is the latest that counts some of them, whose
    numbers stand from then on.
    """

    model_config = ConfigDict(extra="forbid")

    accounts: int = 0
    rows: int = 0
    release: int | None = None


class RunState(BaseModel):
    """Contents of ``run.json``.

    `facets` are the asked ones in full; `models` is what was asked of each model, how it ended and
    what it cost, over all starts; `outstanding` says where texts lie outside the run; `purged` that
    nothing private is left.
    """

    model_config = ConfigDict(extra="forbid")

    state_version: int = STATE_VERSION
    input_fingerprint: str = ""
    inputs: list[str] = Field(default_factory=list)
    seed: int = 0
    settings: dict[str, Any] = Field(default_factory=dict)
    facets: list[dict[str, Any]] = Field(default_factory=list)
    models: dict[str, Any] = Field(default_factory=dict)
    outstanding: list[str] = Field(default_factory=list)
    versions: dict[str, str] = Field(default_factory=dict)
    stages: dict[str, StageState] = Field(default_factory=dict)
    next_cluster_number: int = 1
    outcomes: dict[str, int] = Field(default_factory=dict)
    release: int | None = None
    forgotten: Forgotten = Field(default_factory=Forgotten)
    purged: bool = False


class RunDirectory:
    """Paths of a run and its recorded state.

    Parameters
    ----------
    path
        The directory; made by `create`.
    """

    def __init__(self, path: Path) -> None:
        # Absolute, since Arrow takes a relative path with a colon for a URI.
        self.path = path.absolute()
        self.state = RunState()
        self._lock: int | None = None

    @property
    def private(self) -> Path:
        """Everything about one conversation or one account."""
        return self.path / "private"

    @property
    def restricted(self) -> Path:
        """For the safety role alone."""
        return self.path / "restricted"

    @property
    def releases(self) -> Path:
        """Immutable, numbered releases."""
        return self.path / "releases"

    @property
    def work(self) -> Path:
        """What stages hand on to one another; private."""
        return self.private / "work"

    @property
    def temporary(self) -> Path:
        """Where SQL spills to; private."""
        return self.private / "tmp"

    @property
    def forgetting(self) -> Path:
        """There while an account is being forgotten; private."""
        return self.private / "forgetting"

    def create(self) -> None:
        """Make the folders, with the modes of their tiers.

        Raises
        ------
        RunError
            The path is a file, a directory with other contents, or a run that was purged.
        """
        if self.path.exists() and not self.path.is_dir():
            raise RunError(f"{self.path} is a file; name a directory with --out")
        known = self.path.is_dir() and any(self.path.iterdir())
        if known and not (self.path / "run.json").is_file() and not self.private.is_dir():
            raise RunError(f"{self.path} holds other files; name a new directory with --out")
        if (self.path / "run.json").is_file():
            self.load()  # what was purged is not begun again
        self.path.mkdir(parents=True, exist_ok=True)
        for folder in (self.private, self.restricted):
            files.make_private(folder)
        self.releases.mkdir(exist_ok=True)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the run for this process; the kernel lets go of it however the process ends.

        Raises
        ------
        RunError
            Another process holds it, or the directory was removed or moved meanwhile.
        """
        path = self.private / ".lock"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, files.PRIVATE_FILE)
        try:
            path.chmod(files.PRIVATE_FILE)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RunError(
                    f"another process is working on {self.path}; wait for it or name another --out"
                ) from None
            self._lock = descriptor
            yield
        except FileNotFoundError:
            self._check()
            raise
        finally:
            self._lock = None
            os.close(descriptor)

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Hold a run that exists, with its state read.

        Raises
        ------
        RunError
            It is no run, or as `lock` and `load`.
        """
        if not (self.path / "run.json").is_file():
            raise RunError(f"{self.path} is no run; make one with: clio run INPUT...")
        self.load()
        with self.lock():
            self.load()
            yield

    def _check(self) -> None:
        """See that the directory is still the one that was locked."""
        if self._lock is None:
            return
        with suppress(OSError):
            if os.path.samestat(os.fstat(self._lock), (self.private / ".lock").stat()):
                return
        raise RunError(
            f"{self.path} was removed or moved while it was worked on; run the same command again"
        )

    def load(self, *, whole: bool = True) -> None:
        """Read ``run.json`` where it exists.

        Parameters
        ----------
        whole
            Whether nothing may be half gone: by a purge, or as an account was being forgotten.

        Raises
        ------
        RunError
            It is not the state of a run of this version, or is missing beside releases; the run
            was purged; or an account is half forgotten.
        """
        path = self.path / "run.json"
        if not path.is_file():
            if any(self.releases.iterdir()):
                # Numbers of releases and clusters are given once; here nobody knows which.
                raise RunError(f"{path} is missing beside releases; name another --out")
            return
        try:
            self.state = RunState.model_validate(orjson.loads(path.read_bytes()))
        except ValueError:
            raise RunError(
                f"{path} was not written by this version of Clio, or is damaged; name another --out"
            ) from None
        if self.state.state_version != STATE_VERSION:
            raise RunError(f"{path} is of another version of Clio; name another --out")
        if self.state.purged and whole:
            raise RunError(
                f"{self.path} was purged: its releases are all that is left; name another --out"
            )
        if self.forgetting.is_dir() and whole:
            raise RunError(
                f"forgetting an account of {self.path} was interrupted; finish it first: "
                f"clio forget {self.path}"
            )

    def save(self) -> None:
        """Write ``run.json``, atomically, for the owner alone.

        Raises
        ------
        RunError
            The directory was removed, moved or replaced in the meantime.
        """
        self._check()
        files.write_json(self.path / "run.json", self.state.model_dump(mode="json"))

    def private_key(self) -> bytes | None:
        """The key of the pseudonyms, or ``None`` where it was not made or was purged."""
        path = self.private / "key"
        return path.read_bytes() if path.is_file() else None

    def write_private_key(self, key: bytes) -> None:
        """Keep the key of the pseudonyms, for the owner alone."""
        files.write_bytes(self.private / "key", key)
