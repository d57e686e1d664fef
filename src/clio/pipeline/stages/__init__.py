"""The stages and their order. To add a stage: one file here and one line in `STAGES`."""

from clio.pipeline.stage import Stage
from clio.pipeline.stages.cluster import CLUSTER
from clio.pipeline.stages.describe import DESCRIBE
from clio.pipeline.stages.edits import EDITS
from clio.pipeline.stages.embed import EMBED
from clio.pipeline.stages.facets import EXTRACT
from clio.pipeline.stages.hierarchy import HIERARCHY
from clio.pipeline.stages.layout import LAYOUT
from clio.pipeline.stages.read import READ
from clio.pipeline.stages.release import RELEASE
from clio.pipeline.stages.texts import TEXTS

STAGES: tuple[Stage, ...] = (
    READ,
    EXTRACT,
    TEXTS,
    EMBED,
    CLUSTER,
    DESCRIBE,
    HIERARCHY,
    LAYOUT,
    EDITS,
    RELEASE,
)
