"""What the gate runs before a release is seen: the audit of a release alone, failing closed."""

from __future__ import annotations

from pathlib import Path

from clio.auditing.auditing import audit_release
from clio.errors import ReleaseError


def refuse_unsafe(directory: Path) -> None:
    """Audit a release that was written aside, before it is given its name.

    Parameters
    ----------
    directory
        The folder of the release.

    Raises
    ------
    ReleaseError
        Something was found. Any other error, of a check that breaks, keeps the release back too.
    """
    findings = audit_release(directory).findings
    if findings:
        first = findings[0]
        more = f" and {len(findings) - 1:,} more" if len(findings) > 1 else ""
        raise ReleaseError(
            f"the audit keeps the new release back: {first.where} {first.message}{more}; the last "
            "release stands as it was: please report this as a mistake of Clio's gate"
        )
