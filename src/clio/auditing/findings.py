"""What an audit says: findings and figures, none of which quotes what was audited."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

_ID: Final = re.compile(r"[a-z][a-z0-9_]{0,40}-\d{1,9}|__root__")
"""What a cluster's id looks like; anything else may be somebody's words and is not repeated."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that should not be.

    Attributes
    ----------
    check
        Name of the check that found it.
    where
        Table and row, or the file's place; never a text.
    message
        What is wrong.
    """

    check: str
    where: str
    message: str


@dataclass(frozen=True)
class Passed:
    """What one check did.

    Attributes
    ----------
    check
        Its name.
    looked
        What was looked at, for the report.
    figures
        Numbers worth knowing.
    findings
        What it found.
    """

    check: str
    looked: str
    findings: Sequence[Finding] = ()
    figures: Mapping[str, float | int | str] = field(default_factory=dict)


@dataclass(frozen=True)
class AuditReport:
    """The outcome of an audit.

    Attributes
    ----------
    release
        Number of the release.
    preset
        Its privacy preset.
    scope
        ``run`` where the private tables were at hand, ``release`` where it stood alone.
    checks
        What was done, in order.
    notes
        What was not looked at, and why.
    """

    release: int | None
    preset: str | None
    scope: str
    checks: Sequence[Passed]
    notes: Sequence[str] = ()

    @property
    def findings(self) -> list[Finding]:
        """All findings, in the order of the checks."""
        return [finding for check in self.checks for finding in check.findings]

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def as_json(self) -> dict[str, Any]:
        """The report for scripts."""
        return {
            "release": self.release,
            "preset": self.preset,
            "scope": self.scope,
            "clean": self.clean,
            "checks": [asdict(check) for check in self.checks],
            "notes": list(self.notes),
        }


def row_of(table: str, number: int, cluster_id: Any = None) -> str:
    """Place of a row: its table, its number from 1, and the cluster where that is an id."""
    place = f"{table}, row {number + 1}"
    known = isinstance(cluster_id, str) and _ID.fullmatch(cluster_id)
    return f"{place} ({cluster_id})" if known else place
