"""Titles and summaries of a generated release: distinct, and like those that people search for."""

from __future__ import annotations

from typing import Final

AREAS: Final = (
    ("Writing and editing", "texts"),
    ("Software development", "programs"),
    ("Learning and homework", "lessons"),
    ("Everyday decisions", "plans"),
    ("Business and work", "offers"),
    ("Health and wellbeing", "habits"),
    ("Creative and role play", "stories"),
    ("Data and analysis", "figures"),
    ("Translation and languages", "phrases"),
    ("Beliefs and inner life", "thoughts"),
)
"""Titles of the top level, and what each of them is about in one word."""

SUBJECTS: Final = (
    ("cover letters", "essays", "product descriptions", "wedding speeches", "press releases"),
    ("Python errors", "SQL queries", "web pages", "spreadsheet formulas", "build scripts"),
    ("algebra exercises", "biology concepts", "history essays", "exam questions", "proofs"),
    ("trips and itineraries", "dinner recipes", "used cars", "moving house", "garden beds"),
    ("business plans", "interview questions", "contracts", "sales e-mails", "meeting notes"),
    ("sleep problems", "training plans", "allergy symptoms", "lab results", "stress at work"),
    ("fantasy characters", "song lyrics", "short horror stories", "board games", "poems"),
    ("survey results", "time series", "chart designs", "budget tables", "customer lists"),
    ("business letters", "song texts", "grammar questions", "menus", "technical manuals"),
    ("dream interpretation", "tarot cards", "prayers", "moral dilemmas", "birth charts"),
)
"""Subjects of each area."""

VERBS: Final = (
    "Write",
    "Improve",
    "Explain",
    "Compare",
    "Check",
    "Plan",
    "Shorten",
    "Translate",
    "Discuss",
    "List",
    "Design",
    "Correct",
)

AUDIENCES: Final = (
    "beginners",
    "children",
    "a small team",
    "older readers",
    "a job application",
    "a school class",
    "a family of four",
    "an online shop",
    "a newsletter",
    "a first meeting",
    "a public talk",
    "night shifts",
)

TWISTS: Final = (
    "step by step",
    "in plain words",
    "under a deadline",
    "with examples",
    "on a small budget",
    "from old notes",
    "without jargon",
    "as a table",
    "in two languages",
    "for the second time",
    "with a friend",
    "after a change of plans",
)


def subject(area: int, place: int) -> str:
    """The subject of the `place`-th cluster within an area; numbered once they are used up."""
    subjects = SUBJECTS[area % len(SUBJECTS)]
    turn, which = divmod(place, len(subjects))
    return subjects[which] + (f", part {turn + 1}" if turn else "")


def title(place: list[int]) -> str:
    """Title of the cluster that one reaches from the top by these numbers, one a level.

    Siblings have different titles as long as there are words, and numbered ones after that.
    """
    area, *below = place
    if not below:
        return AREAS[area % len(AREAS)][0] + (
            f", part {area // len(AREAS) + 1}" if area >= len(AREAS) else ""
        )
    about = subject(area, below[0])
    words = [about[0].upper() + about[1:]]
    for depth, number in enumerate(below[1:]):
        choices = (AUDIENCES, VERBS, TWISTS)[depth % 3]
        turn, which = divmod(number, len(choices))
        word = choices[which] + (f" {turn + 1}" if turn else "")
        if depth % 3 == 0:
            words.append(f"for {word}")
        elif depth % 3 == 1:
            words = [word, about, *words[1:]]
        else:
            words.append(word)
    return " ".join(words)


def summary(place: list[int]) -> str:
    """One or two sentences about the same cluster."""
    area, *below = place
    kind = AREAS[area % len(AREAS)][1]
    if not below:
        return f"People bring all kinds of {kind}: they draft them, mend them and ask what is best."
    about = subject(area, below[0])
    number = sum((i + 1) * n for i, n in enumerate(below))
    # The words of the title, where it has them.
    audience = AUDIENCES[(below[1] if len(below) > 1 else number) % len(AUDIENCES)]
    verb = VERBS[(below[2] if len(below) > 2 else number) % len(VERBS)].lower()
    return (
        f"People ask to {verb} {about}, often for {audience}. "
        f"Most come back with their own {kind} {TWISTS[number % len(TWISTS)]}."
    )
