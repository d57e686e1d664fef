"""What is asked of a conversation: computed facets, and questions for an analyst.

To add a computed facet, write it in a file of this package and add it to `COMPUTED`.
"""

from clio.facets.asked import MODEL_FACETS, OFFLINE_FACETS, REQUEST, standard_facets
from clio.facets.base import ComputedFacet
from clio.facets.language import LANGUAGE, detect_language
from clio.facets.own import own_facets
from clio.facets.shape import CODE, TURNS, WORDS
from clio.facets.time import TIME_OF_DAY, WEEKDAY

COMPUTED: tuple[ComputedFacet, ...] = (LANGUAGE, TURNS, WORDS, CODE, WEEKDAY, TIME_OF_DAY)

__all__ = [
    "COMPUTED",
    "MODEL_FACETS",
    "OFFLINE_FACETS",
    "REQUEST",
    "ComputedFacet",
    "detect_language",
    "own_facets",
    "standard_facets",
]
