"""Accounts of a case: by the owner's own files for who may act, by new pseudonyms for reviewers."""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import orjson

from clio.access import record
from clio.errors import RunError
from clio.pipeline import files
from clio.pipeline.failures import explained
from clio.pipeline.networks import network_accounts_file, networks_file
from clio.pipeline.run_directory import RunDirectory
from clio.privacy.pseudonyms import make_key, pseudonym
from clio.settings import settings_from
from clio.sources import expand, read

CASE_FILE: Final = "case.json"

_BANDS: Final = (1, 3, 10, 30, 100, 300, 1000)
"""Lower ends of the bands that an export counts an account's conversations in: an exact count
could be the same in another export, and join the two."""

_NAME_CHARS: Final = 12


@dataclass(frozen=True, slots=True)
class Revealed:
    """An account of a case as the owner knows it, with its conversations in the files given."""

    account: str
    conversations: int


@dataclass(frozen=True, slots=True)
class Case:
    """What the owner's files say of a case.

    Attributes
    ----------
    network_id
        Which case.
    accounts
        Those that were found, by id.
    missing
        How many of its accounts none of the files names.
    """

    network_id: str
    accounts: tuple[Revealed, ...]
    missing: int


def reveal(path: str | Path, case: str, inputs: Sequence[str | Path]) -> Case:
    """Find the accounts of a case by hashing the ids in the owner's own files with the run's key.

    The run holds no id, so nobody without those files can do this. It is noted in the log of looks
    before a file is read.

    Parameters
    ----------
    path
        The run directory.
    case
        A `network_id` of ``restricted/networks.parquet``.
    inputs
        Files of conversations, as for `clio.run`.

    Raises
    ------
    ClioError
        With one line that says what to do: there is no such case, or no key any more.
    """
    directory = RunDirectory(Path(path))
    with explained(directory), directory.opened():
        key = directory.private_key()
        if key is None:
            raise RunError(f"the key of {directory.path} is gone, so that no account can be found")
        wanted = {row["account"] for row in _accounts(directory, case)}
        record(directory.restricted, "reveal", {"case": case, "inputs": len(inputs)})
        settings = settings_from(directory.state.settings)
        found: Counter[str] = Counter()
        names: dict[str, str] = {}
        for row in read(expand(list(inputs), format=settings.format), format=settings.format):
            account = row.conversation.user_id if row.conversation is not None else None
            if account is None:
                continue
            if account not in names:
                names[account] = pseudonym(key, account)
            if names[account] in wanted:
                found[account] += 1
    ordered = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
    return Case(case, tuple(Revealed(*pair) for pair in ordered), len(wanted) - len(found))


def export_case(path: str | Path, case: str, to: str | Path) -> Path:
    """Write a case for reviewers, under pseudonyms that are made for this export alone.

    Parameters
    ----------
    path
        The run directory.
    case
        A `network_id` of ``restricted/networks.parquet``.
    to
        A new folder; made for its owner alone.

    Returns
    -------
    Path
        The file: what the case is, and its accounts with their conversations in bands. The key of
        the new pseudonyms is kept nowhere, so that two exports cannot be joined.

    Raises
    ------
    ClioError
        With one line that says what to do: there is no such case, or the folder stands already.
    """
    directory, folder = RunDirectory(Path(path)), Path(to)
    with explained(directory), directory.opened():
        rows = _accounts(directory, case)
        networks = files.read_table(networks_file(directory)).to_pylist()
        network = next(row for row in networks if row["network_id"] == case)
        if folder.exists():
            raise RunError(f"{folder} stands already; name a new folder")
        record(directory.restricted, "export", {"case": case})
        folder.mkdir(mode=files.PRIVATE_FOLDER, parents=True)
        folder.chmod(files.PRIVATE_FOLDER)
        key = make_key()
        accounts = [
            {
                "account": hmac.new(key, row["account"].encode(), sha256).hexdigest()[:_NAME_CHARS],
                "conversations": _band(row["conversations"]),
                "common": _band(row["common"]),
            }
            for row in rows
        ]
        accounts.sort(key=lambda row: row["account"])
        target = folder / CASE_FILE
        files.write_json(target, {"network": _plain(network), "accounts": accounts})
    return target


def _accounts(directory: RunDirectory, case: str) -> list[dict[str, Any]]:
    """Rows of the accounts of a case.

    Raises
    ------
    RunError
        There is none of that name.
    """
    path = network_accounts_file(directory)
    rows = files.read_table(path).to_pylist() if path.is_file() else []
    found = [row for row in rows if row["network_id"] == case]
    if not found:
        raise RunError(
            f"{directory.path} has no case of that name; clio networks {directory.path} looks for "
            "networks and names them"
        )
    return found


def _band(count: int) -> str:
    """A count as a band, such as ``10 to 29``."""
    at = sum(count >= lowest for lowest in _BANDS)
    if at == 0:
        return "0"
    if at == len(_BANDS):
        return f"{_BANDS[-1]} or more"
    low, high = _BANDS[at - 1], _BANDS[at] - 1
    return str(low) if low == high else f"{low} to {high}"


def _plain(network: dict[str, Any]) -> dict[str, Any]:
    """The row of a network for JSON, with days for moments."""
    row = {k: v.date().isoformat() if isinstance(v, datetime) else v for k, v in network.items()}
    return {**row, "parts": orjson.loads(row["parts"])}
