"""The words that templates and the grammar may add by themselves."""

from __future__ import annotations

from typing import Final

from clio.describing.lexicon import closed_words

_TEMPLATES: Final = (
    "ask report solve say greet thank give answer cancel repeat inform people requests request "
    "many kinds various different things some others mention want write help often words word "
    "something someone place assistant user arithmetic problem meaning means unclear last goodbye "
    "yes no language other another among covers such themes discuss find this ways "
    "different often mention choose called name"
    " same kind repetition cancellation goodbyes thanks answers greetings greeting names meanings"
    " arithmetic"
)

TEMPLATE_WORDS: Final = frozenset({*_TEMPLATES.split(), *closed_words(), "assistant's", "user's"})
"""Words that may stand in a title or summary without any account having used them: function words
and the generic verbs and nouns of the templates."""
