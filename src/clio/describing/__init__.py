"""Clusters to titles and summaries, without a language model.

``describe_groups`` names clusters by contrast with their neighbours; ``describe_parents`` names
groups of clusters by what their children share.
"""

from clio.describing.asking import Writer
from clio.describing.description import Description, Members
from clio.describing.groups import describe_groups
from clio.describing.headings import families, free_phrases
from clio.describing.keywords import (
    Histogram,
    describe_by_keywords,
    describe_keywords_by_model,
)
from clio.describing.model import (
    ModelDescriptions,
    describe_groups_by_model,
    describe_parents_by_model,
)
from clio.describing.parents import describe_parents
from clio.describing.template_words import GRAMMAR_WORDS, TEMPLATE_WORDS

__all__ = [
    "GRAMMAR_WORDS",
    "TEMPLATE_WORDS",
    "Description",
    "Histogram",
    "Members",
    "ModelDescriptions",
    "Writer",
    "describe_by_keywords",
    "describe_groups",
    "describe_groups_by_model",
    "describe_keywords_by_model",
    "describe_parents",
    "describe_parents_by_model",
    "families",
    "free_phrases",
]
