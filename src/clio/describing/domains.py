"""Broad fields from a closed list, for groups whose own words are too rare to be shown.

The nearest field by vectors names the group. The list holds only fields that say nothing private of
those who ask; where a group is nearest to another (health, law, belief), it stays without one.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from clio.describing.description import Embed

# Title, and what its vector is taken of.
_FIELDS: Final = (
    ("Grammar and spelling", "correcting the grammar and spelling of a text"),
    ("Essays and school work", "essay for school or university"),
    ("Stories and fiction", "writing a story or a novel"),
    ("Languages", "learning a foreign language"),
    ("Science", "explaining physics, astronomy, geology and other science"),
    ("Mathematics", "solving a problem in mathematics"),
    ("Statistics", "statistics and research methods"),
    ("History", "history of the world"),
    ("Computers", "computers, software and networks"),
    ("Programming", "programming and source code"),
    ("Video games", "playing a video game"),
    ("Sports", "sports, teams and matches"),
    ("Music", "music, songs and instruments"),
    ("Films and books", "films, series and books"),
    ("Cooking", "cooking food, recipes and meals"),
    ("Travel", "travel, trips and hotels"),
    ("Gardens", "gardening and plants"),
    ("Repairs", "repairing things at home"),
    ("Shopping", "shopping and products"),
    ("Marketing", "marketing and advertising a business"),
    ("Business", "running a business or company"),
    ("Weather", "weather and climate"),
)  # fmt: skip
_UNNAMED: Final = (
    "health, symptoms and medicine", "mental health, stress and feelings", "law, courts and police",
    "crime, violence and weapons", "politics, elections and war", "religion and belief",
    "race, ethnicity and nationality", "sex and sexuality", "marriage, family and children",
    "income, debt and insurance", "jobs, salary and quitting work", "immigration and visas",
    "insults and offensive language", "drugs and alcohol", "stealing, hacking and privacy",
    "disgusting things", "wording a message to somebody",
    "talking to an assistant", "philosophy and opinions", "people",
)  # fmt: skip
# How near a group must be to its field, and by how much nearer than to those that go unnamed.
NEAR: Final = 0.25
MARGIN: Final = 0.03


def fields_of(centroids: NDArray[np.float32], embed: Embed) -> list[str]:
    """The field of each group; empty where it is near none that may be named.

    Parameters
    ----------
    centroids
        Unit centres of the groups, (g, d) float32.
    embed
        From texts to unit vectors of the centroids' space.
    """
    vectors = embed([*(probe for _, probe in _FIELDS), *_UNNAMED])
    similar = centroids @ vectors.T
    named, unnamed = similar[:, : len(_FIELDS)], similar[:, len(_FIELDS) :].max(axis=1)
    best = named.argmax(axis=1)
    near = named.max(axis=1)
    fine = (near >= NEAR) & (near >= unnamed + MARGIN)
    return [_FIELDS[at][0] if clear else "" for at, clear in zip(best.tolist(), fine, strict=True)]


def field_words() -> frozenset[str]:
    """All words of the titles, lower case."""
    return frozenset(word for title, _ in _FIELDS for word in title.lower().split())
