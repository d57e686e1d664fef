"""Groups of many languages, and groups of many things."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from clio.describing import Members, describe_groups
from clio.describing.description import MIXED_TITLE
from clio.describing.headings import headings

DIMENSION = 512


def place(noun: str) -> int:
    """Position of the heading with this noun phrase."""
    return next(i for i, heading in enumerate(headings()) if noun in heading.nouns)


def embedder(about: dict[str, str]):
    """Each heading on an axis of its own; a text lies on that of its subject, or on a far one."""
    probes = [f"{h.nouns[0]}: {h.probe}" if h.nouns else h.probe for h in headings()]

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = np.zeros((len(texts), DIMENSION), np.float32)
        for row, text in enumerate(texts):
            axis = place(about[text]) if text in about else DIMENSION - 1
            vectors[row, probes.index(text) if text in probes else axis] = 1
        return vectors

    return embed


def members(texts: Sequence[str], languages: Sequence[str]) -> Members:
    numbers = np.arange(len(texts), dtype=np.int32)
    return Members(texts, np.zeros(len(texts), np.int32), numbers, languages)


def test_a_group_of_many_languages_has_the_name_of_its_subject() -> None:
    said = {
        "en": "how do i play chess",
        "es": "cómo se juega al ajedrez",
        "fr": "comment jouer aux échecs",
        "tr": "satranç nasıl oynanır",
        "uk": "як грати в шахи",
    }
    texts = [f"{text} {n}" for n in range(12) for text in said.values()]
    embed = embedder(dict.fromkeys(texts, "chess"))
    centre = embed(texts[:1])
    (found,) = describe_groups(members(texts, [*said] * 12), centre, embed=embed)
    assert found.title == "Ask about chess"
    assert "chess" in found.summary


def test_a_group_of_many_things_is_named_by_those_that_enough_accounts_ask_for() -> None:
    about = {f"zzq {n} wib": "chess" for n in range(20)}
    about |= {f"vok {n} dap": "knitting and sewing" for n in range(15)}
    about |= {f"lum {n} fex": "baking bread and cakes" for n in range(3)}
    texts = list(about)
    embed = embedder(about)
    centre = np.zeros((1, DIMENSION), np.float32)
    centre[0, -2] = 1
    sample = members(texts, ["en"] * len(texts))
    (found,) = describe_groups(sample, centre, embed=embed)
    assert found.title == "Chess and knitting"
    assert found.summary == "People ask about chess, knitting and other things."
    assert found.fallback == (MIXED_TITLE,)
    (none,) = describe_groups(sample, centre, embed=embed, min_accounts=21)
    assert none.title == MIXED_TITLE
