"""The default analyst: finds a conversation's request in its own words.

It needs no model and no network. It answers `request` with the sentence or two in which the
requester says what they want, and leaves everything else without an answer: it never invents.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from clio.analysts.base import Answer
from clio.conversation import Conversation, Outcome

MAX_CHARACTERS = 320
WHOLE_CHARACTERS = 200
"""A turn of at most so many characters is its own request."""

_WINDOW = 12
"""So many sentences from the head and the tail of a long turn are looked at: instructions stand
before or after pasted text, hardly ever in its middle."""

_CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_MARKUP = re.compile(r"<[^<>\n]{1,80}>|[*_#>`|]{2,}|^\s*[-*#>|]+\s+", re.MULTILINE)
_SPACE = re.compile(r"\s+")
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+|(?<=[。！？؟।])\s*|\n+")
_GREETING = re.compile(
    r"^(?:(?:hi|hello|hey|greetings|good (?:morning|afternoon|evening|day)|dear|hola|bonjour|"
    r"salut|hallo|guten tag|ciao|olá|oi|привет|здравствуйте|你好|您好|こんにちは|안녕하세요|"
    r"thanks|thank you|ok|okay|well|so|yes|no|please)\b"
    r"(?: (?:there|everyone|all|assistant|chatgpt|gpt|claude|ai|bot|again|sir|friend))*"
    r"[\s,.!:;-]+)+",
    re.IGNORECASE,
)
_ASK = re.compile(
    r"\b(?:can|could|would|will) (?:you|i|we)\b|\bplease\b|\bhelp (?:me|us)\b|"
    r"\bi(?:'d| would)? (?:want|need|like|wish|am looking|am trying|have to)\b|\bi'm trying\b|"
    r"\btell me\b|\bgive me\b|\bshow me\b|\blet me know\b|\bhow (?:do|can|to|would|should|much|"
    r"many|long|does|is|are)\b|\bwhat(?:'s| is| are| do| does| should| would| can)\b|"
    r"\b(?:why|where|when|which|who)\b.*\?",
    re.IGNORECASE,
)
_IMPERATIVE = re.compile(
    r"^(?:please |kindly |now |then |also )*(?:write|rewrite|create|make|generate|explain|describe|"
    r"summari[sz]e|translate|list|give|tell|show|find|fix|correct|improve|edit|rephrase|"
    r"paraphrase|calculate|compute|solve|convert|compare|analy[sz]e|design|develop|build|"
    r"implement|code|debug|draft|compose|suggest|recommend|provide|answer|act|imagine|pretend|"
    r"help|plan|prepare|review|check|proofread|extract|classify|identify|discuss|define|outline|"
    r"add|change|remove|update|continue|complete|expand|shorten|simplify|format|optimi[sz]e|"
    r"book|order|set|play|send|remind|schedule|cancel|pay|transfer|start|stop|turn|call)\b",
    re.IGNORECASE,
)
_QUESTION_MARKS = ("?", "？", "؟")


def _clean(turn: str) -> str:
    return _MARKUP.sub(" ", _CODE.sub("\n", turn)).strip()


def _sentences(text: str) -> list[str]:
    parts = (_SPACE.sub(" ", part).strip() for part in _SENTENCE_END.split(text))
    return [part for part in parts if part]


def _asks(sentence: str) -> float:
    """How much a sentence reads like the wish of a requester; 0 where nothing says so."""
    score = 0.0
    if _IMPERATIVE.search(sentence):
        score += 2.0
    if _ASK.search(sentence):
        score += 1.5
    if sentence.rstrip("\"') ").endswith(_QUESTION_MARKS):
        score += 1.0
    words = sentence.count(" ") + 1
    if words < 3 and sentence.isascii():
        score -= 1.0
    elif words > 60:
        score -= 0.5
    return score


def _shorten(text: str) -> str:
    if len(text) <= MAX_CHARACTERS:
        return text
    cut = text.rfind(" ", MAX_CHARACTERS // 2, MAX_CHARACTERS)
    return text[: cut if cut > 0 else MAX_CHARACTERS]


def _request_of_turn(turn: str) -> tuple[str, float]:
    text = _clean(turn)
    without_greeting = _GREETING.sub("", text, count=1).strip()
    text = without_greeting or text
    if len(text) <= WHOLE_CHARACTERS:
        whole = _SPACE.sub(" ", text)
        return whole, max(_asks(whole), 0.5)
    sentences = _sentences(text)
    if not sentences:
        return "", 0.0
    if len(sentences) > 2 * _WINDOW:
        sentences = sentences[:_WINDOW] + sentences[-_WINDOW:]
    scores = [_asks(sentence) for sentence in sentences]
    # The first of the best: what comes later is usually detail of the same wish.
    best = max(range(len(sentences)), key=lambda i: (scores[i], -i))
    chosen = sentences[best]
    # A short ask ("Can you fix this?") needs the sentence beside it to say what it is about.
    if chosen.count(" ") < 7 and len(sentences) > 1:
        beside = best + 1 if best == 0 else best - 1
        first, second = sorted((best, beside))
        chosen = f"{_shorten(sentences[first])} {sentences[second]}"
    return _shorten(chosen), scores[best]


def extract_request(conversation: Conversation) -> str | None:
    """The requester's wish in their own words: at most two sentences, or ``None``.

    The first turn that asks for something is taken; a turn that is only a greeting is passed
    over, and a first turn of a word or two is read together with the one after it.
    """
    requests = [
        (request, score)
        for request, score in map(_request_of_turn, conversation.requester_turns()[:4])
        if any(character.isalnum() for character in request)
    ]
    if not requests:
        return None
    first, first_score = requests[0]
    if len(requests) > 1 and first_score <= 0.5 and first.count(" ") < 3 and first.isascii():
        return _shorten(f"{first}. {requests[1][0]}")
    return first


class ExtractiveAnalyst:
    """Answers `request` from the requester's own words; nothing leaves the machine."""

    name = "extractive"
    version = "1"
    answers = ("request",)

    def answer(self, conversations: Sequence[Conversation]) -> list[Answer]:
        """One answer a conversation; ``SKIPPED`` where the requester asked for nothing."""
        answers = []
        for conversation in conversations:
            request = extract_request(conversation)
            if request is None:
                answers.append(Answer(Outcome.SKIPPED, reason="no request in words"))
            else:
                answers.append(Answer(Outcome.ASSIGNED, {"request": request}))
        return answers
