"""What a requester asks for, in their own words: the wish and what it is about."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache

from clio.analysts.lexicon import Phrases, lines_of, tokens_of, words_of
from clio.analysts.sentences import Sentence, cleaned, collapsed, sentences
from clio.conversation import Conversation

MAX_CHARACTERS = 320
"""A turn of at most so many characters is its own request; a longer one is cut down to them."""

_ASK_CHARACTERS = 240
_SUBJECT_CHARACTERS = 110
"""Of the sentence that asks, and of one that says what it is about, so much is kept."""

_TURNS = 4
"""A wish is looked for in so many turns."""

_ALONE = 0.7
"""What a word loses that no other sentence has: such words say little, but not nothing."""

_LEAD = 0.3
"""How much less a sentence is worth for each that stands before it: documents say first what they
are about."""

_BEFORE = ("please", "pls", "plz", "kindly", "now", "then", "also", "and", "just")
"""Words that may stand before an imperative."""

_WORD = re.compile(r"[^\W\d_]{3,}")
_GREETING = re.compile(
    r"^(?:(?:hi+|hello|hey+|greetings|good (?:morning|afternoon|evening|day)|dear|hola|buenas|"
    r"bonjour|salut|hallo|guten tag|ciao|olá|oi|merhaba|selam|привет|здравствуйте|добрый день|"
    r"привіт|вітаю|你好|您好|こんにちは|안녕하세요|مرحبا|السلام عليكم|नमस्ते|բարև|გამარჯობა|"
    r"thanks|thank you|ok|okay|well|so|yes|no|please)\b"
    r"(?: (?:there|everyone|all|assistant|chatgpt|chat gpt|gpt|claude|ai|bot|again|sir|friend))*"
    r"[\s,.!:;।，。！、～-]+)+",
    re.IGNORECASE,
)
_ROLE = re.compile(
    r"^(?:please )?(?:i want you to (?:act|be|behave|pretend|play)|(?:you )?(?:will |should )?act "
    r"(?:as|like)|you(?:'re| are|r) (?:an? |the |now |going )|from now on|imagine (?:that )?you|"
    r"pretend|assume the role|take (?:on )?the role|play the role|as an? (?:expert|experienced|"
    r"professional|senior)|your (?:role|name|job) is|actúa como|eres un|aja como|atue como|você é|"
    r"agis comme|tu es un|du bist ein|представь|ты —|действуй как|你是|你现在是|扮演|あなたは)",
    re.IGNORECASE,
)
_QUESTION = ("?", "？", "؟", "՞", ";")
_INTRODUCES = (":", "：")


def extract_request(conversation: Conversation) -> str | None:
    """What the requester asks for, in at most 320 of their own characters, or ``None``.

    The first turn that asks for something is taken. A turn that only greets is passed over, and
    one that does not ask is read together with the next. What a later turn adds about the same
    subject follows where there is room.
    """
    turns = [
        (text, score)
        for text, score in map(_request_of, conversation.requester_turns()[:_TURNS])
        if any(map(str.isalnum, text))
    ]
    if not turns:
        return None
    request, score = turns[0]
    about = content_words(request)
    for text, _ in turns[1:]:
        # The first turn is a fragment, or the second goes on about what the first named.
        if (score <= 0 and len(request) < 40) or about & content_words(text):
            request = f"{request}{'' if request[-1] in '.!?。！？' else '.'} {text}"
            score = 1.0
        if len(request) >= MAX_CHARACTERS:
            break
    return shortened(request, MAX_CHARACTERS)


def shortened(text: str, length: int) -> str:
    """At most `length` characters of a text, whole words where it has any, and "…" if it is cut."""
    if len(text) <= length:
        return text
    cut = text.rfind(" ", length // 2, length)
    return text[: cut if cut > 0 else length - 1].rstrip(" ,;:") + "…"


def _request_of(turn: str) -> tuple[str, float]:
    """The request of one turn, and how much it reads like one."""
    text = cleaned(turn)
    text = _GREETING.sub("", text, count=1).strip() or text
    whole = collapsed(text)
    if len(whole) <= MAX_CHARACTERS:
        return whole, asks(whole)
    parts = sentences(text)
    if not parts:
        return shortened(whole, MAX_CHARACTERS), 0.0
    scores = _scores(parts)
    best = max(range(len(parts)), key=lambda at: (scores[at], -at))
    kept = {best: shortened(parts[best].text, _ASK_CHARACTERS)}
    left = MAX_CHARACTERS - len(kept[best])
    for at in _by_subject(parts, best):
        if left < 40:
            break
        kept[at] = shortened(parts[at].text, min(_SUBJECT_CHARACTERS, left - 1))
        left -= len(kept[at]) + 1
    return shortened(" ".join(kept[at] for at in sorted(kept)), MAX_CHARACTERS), scores[best]


def _scores(parts: Sequence[Sentence]) -> list[float]:
    """How much each sentence reads like the wish, its place among the others counted in."""
    scores = []
    for at, part in enumerate(parts):
        score = asks(part.text)
        if part.pasted:
            score -= 3.0
        if at == 0 or at == len(parts) - 1:
            score += 0.6
        elif 1 < at < len(parts) - 2 and len(parts) > 8:
            # Amid a document imperatives and questions are mostly the document's.
            score -= 1.0
        # "Explain this in simple terms:" stands before what is pasted.
        if part.text.endswith(_INTRODUCES) and at < 3:
            score += 1.0
        scores.append(score)
    return scores


def asks(sentence: str) -> float:
    """How much a sentence reads like the wish of a requester; 0 where nothing says so."""
    tokens = tokens_of(sentence)
    score = 0.0
    if tokens and tokens[tokens[0] in _BEFORE and len(tokens) > 1] in words_of("imperatives.txt"):
        score += 2.0
    if _phrases("wishes.txt").found_in(sentence, tokens):
        score += 1.5
    if sentence.rstrip("\"')” ").endswith(_QUESTION):
        score += 1.5
    if _is_boilerplate(sentence, tokens):
        score -= 3.0
    if _ROLE.match(sentence):
        score -= 1.0
    if len(tokens) < 3 and sentence.isascii():
        score -= 1.0
    elif len(tokens) > 60:
        score -= 0.5
    return score


def _by_subject(parts: Sequence[Sentence], best: int) -> Iterator[int]:
    """Sentences that say most about the turn's subject, best first, each for what it adds.

    A sentence is worth the words that others have too and that none before it has said, over the
    root of its length, so that neither a stray line nor the longest sentence wins (after centrality
    in extractive summaries: Erkan and Radev 2004, LexRank).
    """
    words = [content_words(part.text) for part in parts]
    counts = Counter(word for of in words for word in of)
    said = set(words[best])
    left = {
        at
        for at, part in enumerate(parts)
        if at != best and not _is_boilerplate(part.text, tokens_of(part.text))
    }
    while left:
        worth = {
            at: sum(counts[word] - _ALONE for word in words[at] - said)
            / math.sqrt(len(words[at]) + 4)
            / (1 + _LEAD * at)
            for at in left
        }
        at = max(left, key=lambda at: (worth[at], -at))
        if worth[at] <= 0:
            return
        yield at
        said |= words[at]
        left.discard(at)


def content_words(text: str) -> set[str]:
    """Words of a text that may say something of a subject, in lower case."""
    return set(_WORD.findall(text.lower())) - words_of("function_words.txt")


def _is_boilerplate(sentence: str, tokens: list[str]) -> bool:
    return bool(_phrases("boilerplate.txt").found_in(sentence, tokens))


@cache
def _phrases(name: str) -> Phrases:
    return Phrases(lines_of(name))
