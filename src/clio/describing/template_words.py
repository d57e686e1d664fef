"""The words that templates and the grammar may add by themselves."""

from __future__ import annotations

from typing import Final

from clio.describing.acts import ACT_THEMES
from clio.describing.domains import field_words
from clio.describing.lexicon import closed_words

_TEMPLATES: Final = (
    "ask report discuss find inform people requests request many kinds kind different things ways "
    "same want write help often mention words word something someone place assistant user language "
    "languages other another among main"
)
_COLLOQUIAL: Final = frozenset(("u", "y'all", "gonna", "gotta", "wanna", "&"))

TEMPLATE_WORDS: Final = frozenset(
    {
        *_TEMPLATES.split(),
        *(word for text in ACT_THEMES.items() for part in text for word in part.lower().split()),
        *field_words(),
        *(closed_words() - _COLLOQUIAL),
    }
)
"""Words that may stand in a title or summary without any account having used them: function words
and the generic verbs and nouns of the templates."""
