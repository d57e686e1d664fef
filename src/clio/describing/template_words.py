"""The words that templates and the grammar may add by themselves."""

from __future__ import annotations

from typing import Final

from clio.describing.acts import ACT_THEMES
from clio.describing.headings import heading_words
from clio.describing.lexicon import closed_words

_TEMPLATES: Final = (
    "ask report discuss find inform people requests request many kinds kind different things ways "
    "same want write help ideas improve fix plan compare recommend solve learn get make often "
    "mention words word something someone place assistant user language languages other another "
    "among main explain sensitive matters"
)
_COLLOQUIAL: Final = frozenset(("u", "y'all", "gonna", "gotta", "wanna", "&"))

GRAMMAR_WORDS: Final = frozenset(
    {
        *_TEMPLATES.split(),
        *(word for text in ACT_THEMES.items() for part in text for word in part.lower().split()),
        *(closed_words() - _COLLOQUIAL),
    }
)
"""Function words and the words of the templates, which may stand anywhere."""

TEMPLATE_WORDS: Final = GRAMMAR_WORDS | heading_words()
"""Words that may stand in a title or summary without any account having used them: function words
the generic verbs and nouns of the templates, and the words of the shipped headings."""
