"""From a request to the phrases in it: verb phrases, noun phrases, questions.

A light, rule-driven reading: tokens, one tag a token from the closed classes, the lexicon and the
neighbours, noun chunks, then what the requester asks for. It need not be right about each text,
only about what many accounts write alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from clio.describing.chunks import Sentence
from clio.describing.lexicon import (
    BE,
    DO,
    HAVE,
    MODAL,
    PARTICLE_VERBS,
    PARTICLES,
    has_capitals,
    look_up,
    word_set,
)
from clio.describing.phrases import Noun, NounPhrase, Parsed, Question, VerbPhrase
from clio.describing.questions import FRAMES, indirect
from clio.describing.tagging import RECIPIENTS, tokenize

# What a verb that only frames a request leaves to be asked for or about.
_ASK_FOR: Final = word_set("ask_for")
_ASK_ABOUT: Final = word_set("ask_about")
_THINKING: Final = word_set("thinking")
_MISHAPS: Final = word_set("mishaps")
# Before "to": what is wanted is to be done, not only spoken of.
_DIRECT: Final = word_set("direct")
_GOING: Final = frozenset(["get", "go", "travel", "drive", "walk", "fly"])
_ABOUT: Final = frozenset(["about", "on", "regarding", "concerning"])
_INFO: Final = word_set("info")


class _Reader(Sentence):
    """Reads the chunks of one text from left to right."""

    def __init__(self, tokens: Sequence[str]) -> None:
        super().__init__(tokens)
        self.verbs: list[VerbPhrase] = []
        self.nouns: list[NounPhrase] = []
        self.questions: list[Question] = []

    def read(self) -> None:
        """Fill verbs, nouns and questions."""
        tags, n = self.tags, len(self.tags)
        i = 0
        while i < n:
            tag = tags[i]
            if tag == "V":
                i = self._verb(i)
            elif tag in "DSNA#":
                i = self._nominal(i, "about" if i == 0 else "other")
            elif tag == "W":
                self._question(i)
                i = self._after_wh(i)
            elif tag == "P" and self.says_you_are(i):
                i = self._identity(i)
            elif tag == "X" and (i == 0 or tags[i - 1] in ".,"):
                if not (i + 1 < n and self.says_you_are(i + 1)):
                    self._question(i)
                i += 1
                if i < n and tags[i] in "DSN":
                    i = self._nominal(i, "about")
            else:
                i += 1

    def _after_wh(self, i: int) -> int:
        """After "what is" a noun phrase is what is asked about."""
        tags, tokens, n = self.tags, self.tokens, len(self.tags)
        j = i + 1
        while j < n and tags[j] == "R":
            j += 1
        if j < n and tags[j] == "X":
            if tokens[j] not in BE and tokens[j] not in DO:
                return j
            j += 1
            while j < n and tags[j] == "R":
                j += 1
            if j < n and tags[j] in "DSNA#":
                return self._nominal(j, "about")
            return j
        if j < n and (tags[j] in "NA" or tokens[j] in ("much", "many")):
            return self._nominal(j, "about")
        return j

    def _nominal(self, i: int, place: str) -> int:
        noun, end = self.noun(i)
        if noun is None:
            return i + 1
        preposition, complement, after = self.complement(end)
        if complement is not None and noun.lemmas[-1] in _INFO and preposition in _ABOUT:
            self.nouns.append(NounPhrase("about", complement, "", None))
            return after
        tags, tokens = self.tags, self.tokens
        # "my card was declined": what was reported
        if end + 1 < len(tags) and (tokens[end] in BE or tokens[end] in ("got", "has")):
            j = end + 1
            while j < len(tags) and (tags[j] == "R" or tokens[j] in BE):
                j += 1
            word = self.words[j] if j < len(tags) else None
            if word is not None and word.form == "d" and word.verb in _MISHAPS:
                self.verbs.append(VerbPhrase("report", word.verb, "", noun, "", None))
        self.nouns.append(NounPhrase(place, noun, preposition, complement))
        return after if complement is not None else end

    def _frame(self, i: int) -> str:
        """How the verb at ``i`` is asked for, by what stands before it."""
        tags, tokens = self.tags, self.tokens
        j = i - 1
        while j >= 0 and tags[j] == "R":
            j -= 1
        if j < 0 or tags[j] in ".,":
            return "do" if self.words[i].form == "b" else "other"  # type: ignore[union-attr]
        tag, before = tags[j], tokens[j]
        if tag == "T":
            back = tokens[j - 1] if j else ""
            if back in ("how", "way", "ways", "steps"):
                return "how"
            return "do" if j == 0 or back in _DIRECT or tags[j - 1] == "X" else "act"
        if tag == "C":
            return "do" if self.words[i].form == "b" else "other"  # type: ignore[union-attr]
        if tag == "I":
            return "act" if self.words[i].form in "bg" else "other"  # type: ignore[union-attr]
        if tag == "P":
            back = tokens[j - 1] if j else ""
            if back in MODAL or back in DO or back in ("did",):
                wh = tokens[j - 2] if j >= 2 else ""
                if wh == "how":
                    return "how"
                if wh in ("what", "where", "when", "why", "which", "who") or (
                    j >= 2 and tags[j - 2] in "NA"
                ):
                    return "other"
                if back in DO:
                    return "other"
                return "do" if before == "you" else "can"
            if before in ("me", "us"):
                return "do"
            if before in ("i", "we"):
                lead = tokens[j - 1] if j else ""
                return "other" if lead in ("what", "where", "when") else "state"
            return "other"
        if tag == "X" and j >= 1 and tokens[j - 1] in ("i", "we"):
            return "can" if before in MODAL else "state"
        if tag == "V":
            return "do"
        return "other"

    def _verb(self, i: int) -> int:
        tags, tokens, n = self.tags, self.tokens, len(self.tags)
        word = self.words[i]
        if word is None:
            return i + 1
        verb = word.verb or tokens[i]
        if tokens[i] in HAVE:
            verb = "have"
        elif tokens[i] in DO:
            verb = "do"
        frame = self._frame(i)
        j = i + 1
        while j < n and (tags[j] == "R" or (tags[j] == "P" and tokens[j] in RECIPIENTS)):
            j += 1
        particle = ""
        if (
            j < n
            and tags[j] in "QI"
            and tokens[j] in PARTICLES
            and (tags[j] == "Q" or verb in PARTICLE_VERBS)
            and not (verb == "pay" and tokens[j] in ("on", "in", "over"))
        ):
            behind = self.words[j + 1] if j + 1 < n else None
            if tags[j] == "Q" or (behind is not None and behind.closed in ("D", "S", "P")):
                particle = tokens[j]
                j += 1
                while j < n and tags[j] == "P" and tokens[j] in RECIPIENTS:
                    j += 1
        if j < n and verb in _ASK_ABOUT and tokens[j] in ("about", "of", "more"):
            while j < n and tokens[j] in ("about", "of", "more"):
                j += 1
            return self._nominal(j, "about") if j < n and tags[j] in "DSNA#" else j
        obj: Noun | None = None
        if verb in _THINKING or (verb == "let" and j > i + 1 and tokens[j - 1] == "us"):
            return j
        if j < n and tags[j] in "DSNA#":
            obj, end = self.noun(j)
            if obj is None:
                return j + 1
            if verb in _ASK_FOR and particle == "":
                return self._nominal(j, "for")
            if verb in _ASK_ABOUT and obj.determiner != "a":
                return self._nominal(j, "about")
            j = end
            if (
                not particle
                and j < n
                and tokens[j] in ("up", "down", "off", "on", "out", "back")
                and (j + 1 == n or tags[j + 1] not in "DSNA#")
            ):
                particle = tokens[j]
                j += 1
            if verb == "let" and j < n and tokens[j] == "know":
                verb, j = "inform", j + 1
                while j < n and tags[j] in "CR":
                    j += 1
        preposition, complement, after = self.complement(j)
        if (
            complement is None
            and obj is None
            and verb in _GOING
            and j + 1 < n
            and (tokens[j] == "to" and tags[j] == "I")
        ):
            preposition = "to"
        about = complement is not None and preposition in _ABOUT
        if complement is not None and about and obj is not None and obj.lemmas[-1] in _INFO:
            self.nouns.append(NounPhrase("about", complement, "", None))
            return after
        if verb in FRAMES and obj is None and complement is None and not preposition:
            return j
        if frame != "other" and not (obj is None and complement is None and word.form != "b"):
            if frame == "state" and word.form == "d" and obj is not None and verb in _MISHAPS:
                self.verbs.append(VerbPhrase("report", verb, "", obj, "", None))
            elif not (frame == "state" and word.form == "d"):
                self.verbs.append(VerbPhrase(frame, verb, particle, obj, preposition, complement))
        if obj is not None:
            place = "object" if frame in ("do", "how", "can", "act") else "other"
            self.nouns.append(NounPhrase(place, obj, preposition, complement))
        if complement is not None:
            self.nouns.append(NounPhrase("other", complement, "", None))
        return after if complement is not None else j

    def _identity(self, i: int) -> int:
        """ "are you a bot", "if you are human": whether the assistant is one."""
        tags, n = self.tags, len(self.tags)
        j = i + 1
        while j < n and (tags[j] == "R" or self.tokens[j] in BE):
            j += 1
        if j < n and tags[j] in "DNA":
            noun, end = self.noun(j)
            if noun is not None and noun.determiner in ("a", ""):
                for size in range(1, min(len(noun.words), 3) + 1):
                    words = noun.words[-size:]
                    article = (
                        ()
                        if noun.plural
                        or (has_capitals(words[-1]) and size == 1 and (noun.determiner == ""))
                        else ("a",)
                    )
                    self.questions.append(
                        Question(("whether", "the assistant", "is", *article, *words),
                                 noun.lemmas[-size:])
                    )  # fmt: skip
                return end
            if noun is None and tags[j] == "A":
                lemma = self.words[j].lemma  # type: ignore[union-attr]
                self.questions.append(
                    Question(("whether", "the assistant", "is", self.tokens[j]), (lemma,))
                )
                return j + 1
        return i + 1

    def _question(self, i: int) -> None:
        """An indirect question from the words at ``i``, where they make one."""
        question = indirect(self, i)
        if question is not None:
            self.questions.extend(question)


def parse(text: str) -> Parsed:
    """Read one text.

    Parameters
    ----------
    text
        A request, in English.

    Returns
    -------
    Parsed
        Its tokens, content lemmas, verb phrases, noun phrases and indirect questions.
    """
    tokens = tokenize(text)
    reader = _Reader(tokens)
    reader.read()
    bag = set()
    for token, word in zip(tokens, reader.words, strict=True):
        if word is not None and not word.closed:
            if token.endswith("'s"):
                bag.add(look_up(token[:-2]).lemma if token[:-2] else token)
            elif word.lemma:
                bag.add(word.lemma)
    return Parsed(
        tuple(tokens),
        frozenset(bag),
        tuple(reader.verbs),
        tuple(reader.nouns),
        tuple(reader.questions),
    )
