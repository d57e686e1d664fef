"""The order of the stages, the files of a run, and the engine that runs them."""

from clio.pipeline.advising import Advice, advise
from clio.pipeline.estimating import Estimate, estimate, estimate_describing
from clio.pipeline.inspecting import Inspection, Spread, inspect
from clio.pipeline.progress import NoProgress, Progress
from clio.pipeline.runner import Run, default_directory, describe, run

__all__ = [
    "Advice",
    "Estimate",
    "Inspection",
    "NoProgress",
    "Progress",
    "Run",
    "Spread",
    "advise",
    "default_directory",
    "describe",
    "estimate",
    "estimate_describing",
    "inspect",
    "run",
]
