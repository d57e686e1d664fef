"""Indirect questions: "how old are you" to "how old the assistant is"."""

from __future__ import annotations

from typing import Final

from clio.describing.chunks import Sentence
from clio.describing.lexicon import BE, DO, HAVE, MODAL, look_up, participle, third_person, word_set
from clio.describing.phrases import Noun, Question

FRAMES: Final = word_set("frames")
# Said of going to a place in one way or another.
_GOING: Final = frozenset(("go", "fly", "travel"))


def indirect(sentence: Sentence, i: int) -> list[Question] | None:
    """Indirect questions, shortest first: "where are you from" to "where the assistant is from"."""
    tags, tokens, n = sentence.tags, sentence.tokens, len(sentence.tags)
    words: list[str] = []
    lemmas: list[str] = []

    def add(k: int) -> None:
        words.append(tokens[k])
        word = sentence.words[k]
        if word is not None and word.lemma:
            lemmas.append(word.lemma)

    j = i
    if tags[i] == "W":
        words.append(tokens[i])
        j += 1
        while j < n and tags[j] in "NAR" and len(words) < 4 and tokens[j] not in ("exactly",):
            if tags[j] != "R" or tokens[j] in ("long", "often", "far"):
                add(j)
            j += 1
        if j < n and tokens[j] in ("much", "many") and tokens[i] == "how":
            words.append(tokens[j])
            j += 1
            while j < n and tags[j] in "NA" and len(words) < 4:
                add(j)
                j += 1
    else:
        words.append("whether")
    if j >= n:
        return None
    # "who made you": the question word is the subject
    if tags[j] == "V" and tokens[i] in ("who", "what") and sentence.words[j] is not None:
        word = sentence.words[j]
        if word is not None and word.form in "ds" and word.verb not in ("mean",):
            add(j)
            if j + 1 < n and tokens[j + 1] == "you":
                words.append("the assistant")
                return [Question(tuple(words), tuple(lemmas))]
        return None
    if tags[j] == "T" and tokens[i] in ("what", "where", "when", "how", "which", "who"):
        return (
            _infinitive(sentence, j + 1, words, lemmas)
            if tokens[i] != "how" or (len(words) > 1)
            else None
        )
    if (
        tokens[j] == "you"
        and j + 1 < n
        and tokens[j + 1] in ("are", "were")
        and words[0] != "whether"
    ):
        auxiliary = tokens[j + 1]  # "how old you are", as in "how old are you"
        return _clause(sentence, j + 2, words, lemmas, auxiliary, ("the assistant",), False)
    if tags[j] != "X":
        return None
    auxiliary = tokens[j]
    j += 1
    while j < n and (tags[j] == "R"):
        j += 1
    if j >= n:
        return None
    if auxiliary in BE and len(words) > 1 and tags[j] == "V":
        return _tails(sentence, j, [*words, auxiliary], lemmas)
    subject_word = tokens[j]
    noun: Noun | None = None
    if subject_word in ("there", "this", "that", "these", "those", "a"):
        return None
    if subject_word in ("i", "we", "one"):
        if auxiliary in ("did", "have", "do", "am", "was") and words[0] != "whether":
            passive = _passive(sentence, j + 1, words, lemmas, auxiliary)
            if passive or auxiliary != "do":
                return passive
        if auxiliary in MODAL or auxiliary == "do":
            if tokens[i] == "how" and len(words) == 1:
                return None
            if words[0] == "whether":
                return None
            return _infinitive(sentence, j + 1, words, lemmas)
        return None
    if subject_word == "you":
        if words == ["whether"] and auxiliary in MODAL:
            return None
        if tokens[i] == "how" and len(words) == 1:
            return None
        subject, plural = ("the assistant",), False
        j += 1
    elif subject_word == "it":
        subject, plural = ("it",), False
        j += 1
    elif tags[j] in "DSNA#":
        noun, end = sentence.noun(j)
        if noun is None or len(noun.words) > 4:
            return None
        determiner = {"my": "a", "your": "the assistant's", "their": "the", "a": "a"}.get(
            noun.determiner, "the" if noun.determiner == "the" else ""
        )
        if noun.plural and determiner == "a":
            determiner = ""
        subject = (*((determiner,) if determiner else ()), *noun.words)
        plural = noun.plural
        lemmas.extend(noun.lemmas)
        j = end
    else:
        return None
    found = _clause(sentence, j, words, lemmas, auxiliary, subject, plural) or []
    if tags[i] == "W" and subject_word not in ("you", "it") and words[0] not in ("what", "who"):
        # what is asked of many different things: "how far a place is"
        rest = lemmas[: len(lemmas) - len(noun.lemmas)]  # type: ignore[union-attr]
        name = ("a place",) if "far" in words else ("something",)
        found = [*found, *(_clause(sentence, j, words, rest, auxiliary, name, False) or [])]
    return found


def _infinitive(
    sentence: Sentence, j: int, words: list[str], lemmas: list[str]
) -> list[Question] | None:
    """ "what to do", "when to change the oil"."""
    tags, tokens, n = sentence.tags, sentence.tokens, len(sentence.tags)
    while j < n and tags[j] == "R":
        j += 1
    if j < n and tokens[j] in ("need", "know", "want", "like"):
        return None
    if j >= n or not (tags[j] == "V" or tokens[j] in ("be", "do", "have")):
        return None
    return _tails(sentence, j, [*words, "to"], lemmas)


def _passive(
    sentence: Sentence, j: int, words: list[str], lemmas: list[str], auxiliary: str
) -> list[Question] | None:
    """ "how much did I spend on food" to "how much was spent on food"."""
    tags, tokens, n = sentence.tags, sentence.tokens, len(sentence.tags)
    while j < n and tags[j] == "R":
        j += 1
    if j >= n or (tags[j] != "V" and tokens[j] not in HAVE):
        return None
    past = auxiliary in ("did", "was", "have")
    many = len(words) > 1 and (words[1] == "many" or look_up(words[-1]).plural)
    word = sentence.words[j]
    if tokens[j] == "have" or (tokens[j] in HAVE):
        after = tokens[j + 1] if j + 1 < n else ""
        if after in ("left", "remaining", "available"):
            be = "are" if many else "is"
            lemma = ("leave",) if after == "left" else (after,)
            if after == "remaining":
                lemma = ("remain",)
            return [Question((*words, be, after), (*lemmas, *lemma))]
        if words[0] == "how" and len(words) > 2 and many:
            return [Question((*words, "there are"), tuple(lemmas))]
        return None
    if word is None or not word.verb or (word.verb in ("need", "want") and words[0] != "what"):
        return None
    if word.verb in FRAMES and word.verb != "need":
        return None
    be = ("were" if many else "was") if past else ("are" if many else "is")
    done = participle(word.verb)
    own = [*lemmas, word.verb]
    j += 1
    if words[0] in ("when", "where", "how") and len(words) == 1:
        if j < n and tags[j] in "DSNA":
            noun, _ = sentence.noun(j)
            if noun is not None and len(noun.words) <= 4:
                lead = ("a",) if not noun.plural else ()
                lead = ("the",) if noun.determiner in ("the", "my") else lead
                be = ("were" if noun.plural else "was") if past else be
                return [Question((*words, *lead, *noun.words, be, done), (*own, *noun.lemmas))]
        return None
    base = [*words, be, done]
    if words[0] not in ("how", "what") or (words[0] == "how" and len(words) < 2):
        return None
    if tokens and words == ["what"] and word.verb == "do":
        return None
    return [Question(tuple(base), tuple(own)), *_tails(sentence, j, base, own)]


def _tails(sentence: Sentence, j: int, words: list[str], lemmas: list[str]) -> list[Question]:
    """The question cut after each word at which it may end."""
    tags, tokens, n = sentence.tags, sentence.tokens, len(sentence.tags)
    found: list[Question] = []
    words, lemmas = list(words), list(lemmas)
    taken = 0
    while j < n and tags[j] in "VNADSIQTP#" and taken < 6:
        written = tokens[j]
        if tags[j] == "#" or (tags[j] == "P" and written != "it"):
            break
        word = sentence.words[j]
        if tags[j] == "S":
            written = "the" if written != "your" else "the assistant's"
        following = tags[j + 1] if j + 1 < n else "."
        going = tags[j] == "V" and following == "I" and tokens[j + 1] == "to"
        if going and written in _GOING:
            written, word = "travel", look_up("travel")
        words.append(written)
        if word is not None and word.lemma:
            lemmas.append(word.lemma)
        taken += 1
        if tags[j] == "V" and following in "DSNA#" and j + 1 < n:
            found.append(Question((*words, "something"), tuple(lemmas)))
        elif going:
            found.append(Question((*words, "to a place"), tuple(lemmas)))
        elif tags[j] in "VNQP" and not (tags[j] == "N" and following in "NA"):
            found.append(Question(tuple(words), tuple(lemmas)))
        if tags[j] == "A" and following not in "NA":
            found.append(Question(tuple(words), tuple(lemmas)))
        if tags[j] == "I" and following in ".,":
            found.append(Question(tuple(words), tuple(lemmas)))
        j += 1
    return found


def _clause(
    sentence: Sentence,
    j: int,
    words: list[str],
    lemmas: list[str],
    auxiliary: str,
    subject: tuple[str, ...],
    plural: bool,
) -> list[Question] | None:
    tags, tokens, n = sentence.tags, sentence.tokens, len(sentence.tags)
    while j < n and tags[j] == "R":
        j += 1
    if auxiliary in BE:
        verb = "are" if plural else "is"
        if auxiliary in ("was", "were"):
            verb = "were" if plural else "was"
        base = [*words, *subject, verb]
        tails = _tails(sentence, j, base, lemmas) if j < n else []
        if words[0] == "whether" or (words == ["what"] and subject != ("the assistant",)):
            return tails if words[0] == "whether" else None
        bare = (
            words[0] == "why"
            or words == ["how"]
            or auxiliary in ("was", "were")
            or (j < n and (tags[j] in "VA" or (words == ["where"] and tags[j] == "I")))
            or subject == ("something",)
        )
        return [*([] if bare else [Question(tuple(base), tuple(lemmas))]), *tails]
    if auxiliary in MODAL or auxiliary in ("did", "had"):
        if auxiliary in ("did", "had"):
            return None
        return _tails(sentence, j, [*words, *subject, auxiliary], lemmas)
    if auxiliary in DO and j < n:
        word = sentence.words[j]
        verb = "have" if tokens[j] == "have" else word.verb if word is not None else ""
        if not verb:
            return None
        inflected = verb if plural else third_person(verb)
        own = [verb] if tokens[j] != "have" else []
        base = [*words, *subject, inflected]
        tails = _tails(sentence, j + 1, base, [*lemmas, *own])
        return [Question(tuple(base), (*lemmas, *own)), *tails]
    return None
