"""An audit of a release that stands alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from clio.auditing.checks import NOISED_CHECKS, RELEASE_CHECKS, differences
from clio.auditing.findings import AuditReport, Finding, Passed
from clio.auditing.subject import Subject, read_subject

NOT_PROVEN: Final = (
    "a release alone does not say which accounts used a word: audit the run for that"
)


def audit_release(directory: Path, previous: Path | None = None) -> AuditReport:
    """Audit a release, or an export of one as Parquet or CSV, without anything private.

    Parameters
    ----------
    directory
        The folder that holds ``release.json``.
    previous
        Another release, to subtract from it.

    Returns
    -------
    AuditReport
        A release that cannot be read is a finding, not an error.
    """
    subject, findings = read_subject(directory)
    if subject is None:
        return AuditReport(None, None, "release", [Passed("structure", "files", findings)])
    checks = release_checks(subject, findings)
    if previous is not None:
        checks.append(compare(subject, previous))
    return AuditReport(
        subject.info.number, subject.info.preset, "release", checks, notes_of(subject, alone=True)
    )


def release_checks(subject: Subject, findings: Sequence[Finding]) -> list[Passed]:
    """All checks of a release alone; `findings` are those of reading it."""
    noised = subject.info.privacy.epsilon is not None
    checks = [Passed("files", "files that can be read as tables", findings)]
    checks += [check(subject) for check in (NOISED_CHECKS if noised else RELEASE_CHECKS)]
    return checks


def compare(subject: Subject, previous: Path) -> Passed:
    """What the difference from another release reveals."""
    other, findings = read_subject(previous)
    if other is None:
        return Passed(differences.NAME, "the other release", findings)
    return differences.check(subject, other)


def notes_of(subject: Subject, *, alone: bool) -> list[str]:
    """What was not looked at, and why."""
    notes = [NOT_PROVEN] if alone else []
    if subject.info.privacy.epsilon is not None:
        notes.append("counts are noised: thresholds, sums and subtraction were not looked at")
    if not subject.thresholds.publishable:
        notes.append("the preset personal promises nothing to others: do not share it")
    others = [facet.name for facet in subject.info.facets if not facet.primary]
    if others:
        notes.append(
            "differences between the trees of several facets were not looked at: "
            "only the primary one is proven against subtraction"
        )
    return notes
