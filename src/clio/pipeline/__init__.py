"""The order of the stages, the files of a run, and the engine that runs them."""

from clio.pipeline.progress import NoProgress, Progress
from clio.pipeline.runner import Run, default_directory, run

__all__ = ["NoProgress", "Progress", "Run", "default_directory", "run"]
