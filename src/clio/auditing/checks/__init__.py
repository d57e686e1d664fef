"""The checks of an audit, one file each. To add one: a file here and a line in a list.

A check is a function that returns what it did (`clio.auditing.findings.Passed`). Those of
`RELEASE_CHECKS` take the release alone, so that the gate can run them before a release is seen.
What needs private tables takes what the pipeline counted there: `clio.pipeline.auditing` calls
those in order, and whatever else (a model's opinion, planted canaries) is handed to it as
functions.
"""

from collections.abc import Callable

from clio.auditing.checks import structure, subtraction, sums, thresholds, wording
from clio.auditing.findings import Passed
from clio.auditing.subject import Subject

ReleaseCheck = Callable[[Subject], Passed]

RELEASE_CHECKS: tuple[ReleaseCheck, ...] = (
    structure.check,
    sums.check,
    thresholds.check,
    thresholds.check_rounding,
    subtraction.check,
    wording.check_patterns,
    wording.check_words,
)
"""What can be seen of a release alone, in order."""

NOISED_CHECKS: tuple[ReleaseCheck, ...] = (wording.check_patterns, wording.check_words)
"""What holds where counts were noised: no threshold and no sum is exact there."""

__all__ = ["NOISED_CHECKS", "RELEASE_CHECKS", "ReleaseCheck"]
