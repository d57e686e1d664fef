"""Answers from the planted truth of generated conversations."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from clio.conversation import Conversation
from clio.prompting import unmarked
from clio.testing.model_server.faults import draw
from clio.testing.model_server.filling import fill
from clio.testing.model_server.obeying import obey
from clio.testing.model_server.planted import Planted, Turn, shown
from clio.testing.model_server.shown import ShownRequest
from clio.testing.model_server.sorting import choose, names
from clio.testing.model_server.wordings import Subject, framed, plain, wordings
from clio.testing.taxonomy import taxonomy

_CODE: Final = re.compile(r'^Write (\w+) into "check"', re.MULTILINE)
_KIND: Final = re.compile(r"^<<data:([a-z_]+) ", re.MULTILINE)
_NUMBER: Final = re.compile(r"^\d+\. ")
_BOUNDS: Final = re.compile(r"^Write (\d+)(?: to (\d+))? different names?(?:, best about (\d+))?")
_LONG_WORD: Final = re.compile(r"\b[a-z]{5,12}\b")
_QUESTION: Final = re.compile(r"^Question: (.*)", re.MULTILINE)
_THANKS: Final = re.compile(r"\b(?:thanks|thank you|great|perfect)\b", re.IGNORECASE)
_LITTLE_WORDS: Final = frozenset(
    {"a", "an", "and", "about", "ask", "for", "from", "in", "into", "of", "or", "the", "to", "with"}
)
_LANGUAGES: Final = {
    **{"en": "English", "es": "Spanish", "pt": "Portuguese", "fr": "French", "ca": "Catalan"},
    **{"af": "Afrikaans", "tr": "Turkish", "uk": "Ukrainian", "ru": "Russian", "ja": "Japanese"},
    **{"zh": "Chinese", "hi": "Hindi", "ar": "Arabic", "hy": "Armenian", "ka": "Georgian"},
}


class TruthfulResponder:
    """Reads as a model without fault would: it knows what generated conversations are about.

    It answers facets, a screener, descriptions of groups, and proposals, deduplications and
    assignments of a hierarchy, in English and in varied words. What a prompt is for it tells from
    the schema. Conversations that it does not know it describes by a word of theirs.

    Parameters
    ----------
    truth
        Generated conversations with their labels, files that `clio.testing.write_jsonl` wrote, or
        a `Planted`.
    wrong
        Share of the conversations that it takes for ones about another topic.
    obey
        The worst case: it follows what the material tells it to do.
    seed
        Of wordings and mistakes.
    """

    def __init__(
        self,
        truth: Planted | Iterable[Conversation] | Sequence[str | Path],
        *,
        wrong: float = 0.0,
        obey: bool = False,
        seed: int = 0,
    ) -> None:
        self._planted = _planted(truth)
        self._wrong = wrong
        self._obey = obey
        self._seed = seed
        self._refusals = _refusals()

    def __call__(self, request: ShownRequest) -> Mapping[str, Any] | str:
        """The answer to a request."""
        schema = request.schema or {"type": "object", "properties": {}}
        blocks = unmarked(request.user)
        wanted = schema.get("properties", {})
        answer: dict[str, Any]
        if "assignments" in wanted:
            answer = {"assignments": choose(_items(blocks[0]), blocks[1].split("\n"))}
        elif "names" in wanted:
            answer = {"names": self._names(request, blocks)}
        elif "summary" in wanted and "title" in wanted:
            answer = self._described(request, blocks)
        elif set(wanted) == {"answer", "check"}:
            answer = {"answer": self._screened(request, blocks)}
        else:
            answer = self._facets(request, blocks, schema)
        code = _last(_CODE.findall(_instructions(request.user)))
        if "check" in wanted:
            answer["check"] = code
        return obey(request, answer, blocks) if self._obey else answer

    def _subject(self, request: ShownRequest, conversation: Sequence[Turn]) -> Subject | None:
        labels = self._planted.labels(conversation)
        if labels is None or labels["topic"] not in wordings().topics:
            return None
        if self._draw("wrong", request) < self._wrong:
            topics = list(wordings().topics.values())
            return topics[int(self._draw("topic", request) * len(topics))]
        return wordings().topics[labels["topic"]]

    def _facets(
        self, request: ShownRequest, blocks: Sequence[str], schema: Mapping[str, Any]
    ) -> dict[str, Any]:
        """One answer a property: from the truth where it tells, else any that fits."""
        conversation = shown(blocks[0] if blocks else request.user)
        subject = self._subject(request, conversation)
        rng = random.Random(self._seed.to_bytes(8) + request.question)  # noqa: S311
        answer: dict[str, Any] = dict(fill(schema, rng, schema))
        known = self._known(request, conversation, subject)
        for name, value in known.items():
            options = schema.get("properties", {}).get(name, {}).get("enum")
            if name in answer and (options is None or value in options):
                answer[name] = value
        return answer

    def _known(
        self, request: ShownRequest, conversation: Sequence[Turn], subject: Subject | None
    ) -> dict[str, Any]:
        said = _said(conversation, "user")
        labels = self._planted.labels(conversation) or {}
        refused = self._refused(conversation, subject)
        thanked = len(said) > 1 and _THANKS.search(said[-1]) is not None
        known: dict[str, Any] = {
            "refused": refused,
            "success": not refused,
            "interaction": "directive" if len(said) < 2 else "task iteration",
            "sentiment_start": "neutral",
            "sentiment_end": "positive" if thanked else "neutral",
            "language": _LANGUAGES.get(labels.get("language", "en"), "English"),
        }
        if subject is None:
            return known | _guessed(" ".join(said))
        table = wordings()
        return known | {
            "request": table.request(subject, self._draw("request", request)),
            "task": table.task(subject, self._draw("task", request)),
            "topic": table.short(subject),
            "domain": subject.field,
            "concern": subject.concern,
            "concern_class": subject.concern_class,
        }

    def _refused(self, conversation: Sequence[Turn], subject: Subject | None) -> bool:
        if subject is None or subject.concern == 1:
            return False
        said = plain(" ".join(_said(conversation, "assistant")))
        return any(refusal in said for refusal in self._refusals)

    def _screened(self, request: ShownRequest, blocks: Sequence[str]) -> bool:
        """Yes where more than half of what the question names is the true topic's or domain's."""
        subject = self._subject(request, shown(blocks[0] if blocks else request.user))
        question = _last(_QUESTION.findall(request.system))
        if subject is None:
            return False
        named = set(plain(question).split()) & _vocabulary()
        true = named & set(plain(f"{subject.name} {subject.domain}").split())
        return 2 * len(true) > len(named)

    def _described(self, request: ShownRequest, blocks: Sequence[str]) -> dict[str, Any]:
        """Title and summary by what most of the group are about."""
        texts = _items(blocks[0]) if blocks else []
        heads = [text.partition(": ")[0] for text in texts]
        found = [known for head in heads if (known := wordings().subject_of(head)) is not None]
        kinds = _KIND.findall(request.user)
        given = [block for kind, block in zip(kinds, blocks, strict=True) if kind == "taken"]
        taken = {plain(title) for block in given for title in _items(block)}
        if not found:
            guess = _guessed(" ".join(texts))["request"]
            return {"summary": f"The users wanted to {framed('x {}', guess)[2:]}.", "title": guess}
        children = any(": " in text for text in texts)
        titles = _parent_titles([s for s, _ in found]) if children else _titles(found)
        taken |= {plain(head) for head in heads} if children else set()
        free = [title for title in titles if plain(title) not in taken] or titles
        # The second time, groups that were given the same title must not all take the next one.
        last = bool(given)
        title = free[int(self._draw("title", request) * len(free))] if last else free[0]
        common = Counter(subject.name for subject, _ in found).most_common(2)
        rest = f", others also touched on {_low(common[1][0])}" if len(common) > 1 else ""
        summary = f"The users wanted to {framed('x {}', title)[2:]}{rest}."
        return {"summary": summary, "title": title}

    def _names(self, request: ShownRequest, blocks: Sequence[str]) -> list[str]:
        bounds = [m for line in request.user.split("\n") if (m := _BOUNDS.match(line))][-1]
        fewest = int(bounds[1])
        most = int(bounds[2] or fewest)
        listed = [_NUMBER.sub("", line) for line in blocks[0].split("\n")]
        return names(listed, fewest, most, int(bounds[3] or most))

    def _draw(self, purpose: str, request: ShownRequest) -> float:
        return draw(self._seed, purpose, request.question)


def _planted(truth: Planted | Iterable[Conversation] | Sequence[str | Path]) -> Planted:
    if isinstance(truth, Planted):
        return truth
    entries = list(truth)
    paths = [entry for entry in entries if isinstance(entry, str | Path)]
    if paths:
        return Planted.read(paths)
    return Planted(entry for entry in entries if isinstance(entry, Conversation))


@cache
def _vocabulary() -> frozenset[str]:
    """Words of the names of all topics and domains."""
    names = (*wordings().topics, *wordings().domains)
    return frozenset(plain(" ".join(names)).split()) - _LITTLE_WORDS


def _said(conversation: Sequence[Turn], role: str) -> list[str]:
    """Texts of one side's turns."""
    return [f"{turn.head} {turn.tail or ''}" for turn in conversation if turn.role == role]


def _refusals() -> list[str]:
    """The longest plain piece of each way to refuse, in every language."""
    pieces = {
        max(template.pieces(), key=len)
        for language in taxonomy().languages
        for voice in language.voices.values()
        for template in voice.refusals
    }
    return sorted(plain(piece)[:-1] for piece in pieces)


def _titles(found: Sequence[tuple[Subject, str]]) -> list[str]:
    """Titles for a group of statements: the commonest wording of the commonest topic first."""
    topic = Counter(subject.name for subject, _ in found).most_common(1)[0][0]
    said = Counter(wording for subject, wording in found if subject.name == topic)
    subject = next(subject for subject, _ in found if subject.name == topic)
    return [said.most_common(1)[0][0], *wordings().titles(subject)]


def _parent_titles(children: Sequence[Subject]) -> list[str]:
    """Titles for a group of groups: their one topic, else the domain of most, else their field."""
    table = wordings()
    one = len({child.name for child in children}) == 1
    narrow = table.titles(children[0]) if one else []
    domain, number = Counter(child.domain for child in children).most_common(1)[0]
    broad = Counter(child.broad for child in children).most_common(1)[0][0]
    above = [*table.titles(table.broads[broad])]
    if domain and 2 * number >= len(children):
        above = [*table.titles(table.domains[domain]), *above]
    return [*narrow, *above]


def _items(block: str) -> list[str]:
    """Texts of a numbered list."""
    return [_NUMBER.sub("", line) for line in block.split("\n")]


def _instructions(user: str) -> str:
    """The lines of a prompt that are not material."""
    return "\n".join(line for line in user.split("\n") if not line.startswith("| "))


def _guessed(text: str) -> dict[str, Any]:
    """What can be said of an unknown text: a word that it uses most."""
    common = Counter(_LONG_WORD.findall(text.lower())).most_common(1)
    word = common[0][0] if common else "something"
    return {"request": f"Ask about {word}", "task": f"Explain {word}", "topic": word.capitalize()}


def _last(found: Sequence[str]) -> str:
    return found[-1] if found else ""


def _low(phrase: str) -> str:
    return framed("x {}", phrase)[2:]
