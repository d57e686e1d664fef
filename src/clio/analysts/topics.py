"""What a request is about, from a closed list; null where no topic's words stand out."""

from __future__ import annotations

from collections import defaultdict
from functools import cache

from clio.analysts.lexicon import Phrases, groups_of, tokens_of

TOPICS: tuple[str, ...] = tuple(groups_of("topics.txt"))
"""The closed list of topics, in the order of ``words/topics.txt``."""

_STRONG = 2
"""What a word counts that hardly stands in another matter; others count 1."""

_SURE, _AHEAD = 3, 2
"""A topic must come to so much, and be so much ahead of any other."""


def topic_of(request: str) -> str | None:
    """The topic of a request as one of `TOPICS`, or ``None``."""
    words, topics = _lexicon()
    scores: dict[str, int] = defaultdict(int)
    for line in set(words.found_in(request, tokens_of(request))):
        for topic, weight in topics[line]:
            scores[topic] += weight
    if not scores:
        return None
    first, second = (*sorted(scores.values(), reverse=True), 0)[:2]
    if first < _SURE or first - second < _AHEAD:
        return None
    return max(scores, key=lambda topic: scores[topic])


@cache
def _lexicon() -> tuple[Phrases, dict[str, list[tuple[str, int]]]]:
    """All words, and by word the topics that it speaks for and how much."""
    topics: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for topic, lines in groups_of("topics.txt").items():
        for line in lines:
            topics[line.rstrip("!")].append((topic, _STRONG if line.endswith("!") else 1))
    return Phrases(topics), dict(topics)
