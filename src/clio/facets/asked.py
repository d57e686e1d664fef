"""Facets that an analyst answers.

Without a model `OFFLINE_FACETS` are answered, by rules. A language model answers all of
`MODEL_FACETS` in one call, so each word of these is sent with every conversation: `docs/facets.md`
holds what they cost.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from clio.facet import Facet

REQUEST = Facet(
    name="request",
    kind="text",
    question="What does the user ask the assistant for?",
    description='The overall aim of all turns, starting with a verb; "" if nothing is asked',
    high=240,
    clustered=True,
)

TASK = Facet(
    name="task",
    kind="text",
    question="What kind of work does the assistant do?",
    description="Start with a verb",
    high=180,
)

TOPIC = Facet(
    name="topic",
    kind="text",
    question="What is it about?",
    description="Six words at most",
    high=60,
)

DOMAIN = Facet(
    name="domain",
    kind="category",
    question="Which field is it in?",
    options=(
        "software",
        "data",
        "writing",
        "translation",
        "education",
        "science",
        "business",
        "marketing",
        "law",
        "health",
        "entertainment",
        "design",
        "engineering",
        "household",
        "travel",
        "personal",
        "news",
        "philosophy",
        "other",
    ),
    breakdown=True,
)

CONCERN = Facet(
    name="concern",
    kind="scale",
    question="How concerning is it for safety?",
    description=(
        "1 harmless, such as homework; 2 touchy but lawful, such as a heated debate; 3 unclear "
        "intent, worth a look; 4 probable harm to oneself or others; 5 explicit threat or serious "
        "crime. Judge the aim, not the subject"
    ),
    low=1,
    high=5,
    breakdown=True,
    measure=True,
)

CONCERN_CLASS = Facet(
    name="concern_class",
    kind="category",
    question="Which kind of concern?",
    options=(
        "none",
        "self-harm",
        "violence",
        "weapons",
        "sexual",
        "children",
        "hate",
        "fraud",
        "hacking",
        "manipulation",
        "privacy",
        "drugs",
        "other",
    ),
    breakdown=True,
)

REFUSED = Facet(
    name="refused",
    kind="boolean",
    question="Did the assistant decline any part of it?",
    breakdown=True,
)

INTERACTION = Facet(
    name="interaction",
    kind="category",
    question="How do the two work together?",
    description=(
        "directive: handed over whole; feedback loop: errors reported until it works; task "
        "iteration: refined together; learning: the user wants to understand; validation: the "
        "user's work is checked"
    ),
    options=("directive", "feedback loop", "task iteration", "learning", "validation", "none"),
    breakdown=True,
)

_MOODS = ("negative", "neutral", "positive")

SENTIMENT_START = Facet(
    name="sentiment_start",
    kind="category",
    question="The user's mood at first?",
    options=_MOODS,
    breakdown=True,
)

SENTIMENT_END = Facet(
    name="sentiment_end",
    kind="category",
    question="The user's mood at last?",
    options=_MOODS,
    breakdown=True,
)

SUCCESS = Facet(
    name="success",
    kind="boolean",
    question="Did the user get what they asked for?",
    nullable=True,
    breakdown=True,
)

MODEL_FACETS: tuple[Facet, ...] = (
    REQUEST,
    TASK,
    TOPIC,
    DOMAIN,
    CONCERN,
    CONCERN_CLASS,
    REFUSED,
    INTERACTION,
    SENTIMENT_START,
    SENTIMENT_END,
    SUCCESS,
)
"""What a language model is asked of every conversation, the primary facet first."""

OFFLINE_FACETS: tuple[Facet, ...] = (
    REQUEST,
    Facet(
        name="task",
        kind="category",
        question=TASK.question,
        description="By rules, from how the request begins; none where that does not tell",
        options=(
            *("write", "edit", "summarise", "translate", "inform", "how-to", "recommend"),
            *("compare", "plan", "calculate", "program", "find ideas", "analyse", "carry out"),
            *("draw", "play a part"),
        ),
        breakdown=True,
        nullable=True,
    ),
    Facet(
        name="topic",
        kind="text",
        question=TOPIC.question,
        description="By rules, one of a closed list; none where few of its words stand there",
        high=TOPIC.high,
        nullable=True,
    ),
    # Neither broken down nor measured: rules see what words say, not what somebody intends.
    Facet(
        name="concern",
        kind="scale",
        question=CONCERN.question,
        description="By rules: 1 harmless words alone, 4 and 5 grave ones; none for all else",
        low=1,
        high=5,
        nullable=True,
    ),
)
"""What the extractive analyst answers, in the order of the columns."""


def standard_facets(clustered: Collection[str] = (REQUEST.name,)) -> tuple[Facet, ...]:
    """`MODEL_FACETS`, with the free texts named in `clustered` grouped by meaning."""
    return tuple(
        replace(facet, clustered=facet.kind == "text" and facet.name in clustered)
        for facet in MODEL_FACETS
    )
