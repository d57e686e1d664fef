"""What goes in and what comes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MIXED_TITLE = "Requests of many kinds"
OTHER_LANGUAGES = "Requests in other languages"
GUARDED_TITLE = "Requests on sensitive matters"
Embed = Callable[[Sequence[str]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Description:
    """A title, a summary and further titles.

    Attributes
    ----------
    title
        A phrase of at most ten words, without a final stop.
    summary
        One or two sentences.
    fallback
        Further titles in order of preference, for when the title may not be released.
    """

    title: str
    summary: str
    fallback: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Members:
    """A sample of each group's members, flattened; one text an account and group.

    Attributes
    ----------
    texts
        The clustered facet's text, (n,).
    group
        Group of each text, (n,) int32, from 0.
    account
        Code of the account of each, (n,) int32; only equality matters.
    language
        BCP-47 tag of each, or ``unknown``.
    """

    texts: Sequence[str]
    group: NDArray[np.int32]
    account: NDArray[np.int32]
    language: Sequence[str]
