"""Who writes when, about what and in which language: a run's rows before any text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from clio.testing.taxonomy import Taxonomy, Topic

Languages = Literal["natural", "even"] | Sequence[str]

DAY: Final = 86_400
"""Seconds of a day."""

_DUPLICATE_EVERY: Final = 997
_EMPTY_EVERY: Final = 2500

_FAVOURITES: Final = 4
_FAVOURITE_SHARE: Final = 0.5
_WEEKDAYS: Final = (1.0, 1.05, 1.05, 1.0, 0.9, 0.6, 0.65)
_HOURS: Final = (
    *(1.2, 0.8, 0.5, 0.4, 0.4, 0.6, 1.2, 2.2, 3.6, 4.8, 5.4, 5.2),
    *(4.6, 5.0, 5.4, 5.4, 5.0, 4.4, 4.2, 4.6, 5.0, 4.8, 3.6, 2.2),
)
_EARLY_OR_LATE: Final = 2.0
"""Standard deviation, in hours, of an account's day against its country's."""


@dataclass(frozen=True, slots=True)
class _Country:
    """Share of the accounts, hours ahead of UTC, and share of its accounts by language.

    The accounts that are not named here write English.
    """

    share: float
    ahead: int
    writing: Mapping[str, float]


_COUNTRIES: Final = {
    "US": _Country(0.25, -6, {"es": 0.01, "zh": 0.002}),
    "IN": _Country(0.11, 5, {"hi": 0.06}),
    "GB": _Country(0.10, 0, {}),
    "BR": _Country(0.06, -3, {"pt": 0.15}),
    "CA": _Country(0.05, -5, {"fr": 0.06, "zh": 0.01}),
    "FR": _Country(0.05, 1, {"fr": 0.15}),
    "ES": _Country(0.05, 1, {"es": 0.12, "ca": 0.08}),
    "DE": _Country(0.05, 1, {"tr": 0.02, "ru": 0.01}),
    "MX": _Country(0.04, -6, {"es": 0.15}),
    "AU": _Country(0.04, 10, {}),
    "JP": _Country(0.04, 9, {"ja": 0.2}),
    "NG": _Country(0.03, 1, {}),
    "TR": _Country(0.02, 3, {"tr": 0.2}),
    "ZA": _Country(0.02, 2, {"af": 0.2}),
    "UA": _Country(0.02, 2, {"uk": 0.2, "ru": 0.05}),
    "EG": _Country(0.02, 2, {"ar": 0.25}),
    "TW": _Country(0.02, 8, {"zh": 0.25}),
    "KZ": _Country(0.01, 5, {"ru": 0.3}),
    "AM": _Country(0.01, 4, {"hy": 0.3, "ru": 0.05}),
    "GE": _Country(0.01, 4, {"ka": 0.3}),
}
_OWN_LANGUAGE: Final = 0.85
"""Share of such an account's conversations that are in its language; the others are English."""

_HOMES: Final = {
    **{"en": ("US", "GB", "AU"), "es": ("ES", "MX"), "pt": ("BR",), "fr": ("FR", "CA")},
    **{"ca": ("ES",), "af": ("ZA",), "tr": ("TR",), "uk": ("UA",), "ru": ("KZ",)},
    **{"ja": ("JP",), "zh": ("TW",), "hi": ("IN",), "ar": ("EG",), "hy": ("AM",), "ka": ("GE",)},
}
"""Where accounts live that write one language alone."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class Schedule:
    """The rows of a run, in order of time, which plants claim and change.

    Attributes
    ----------
    taxonomy
        What there is to write about.
    seconds
        int64, shape (n,): since the first midnight, not decreasing.
    account, topic, language
        int64, shape (n,): the number of the account, and indices into the taxonomy's topics and
        languages.
    country, manner
        By number of the account: its code, and how it writes, in [0, 1).
    repeats, empty
        bool, shape (n,): rows that are those before them once more, and rows in which nobody says
        anything.
    free
        bool, shape (n,): rows that no plant has claimed. Empty rows, repeated ones and those
        before them are never free.
    """

    def __init__(
        self,
        taxonomy: Taxonomy,
        seconds: Ints,
        account: Ints,
        topic: Ints,
        language: Ints,
        country: list[str],
        manner: Floats,
    ) -> None:
        self.taxonomy = taxonomy
        self.seconds = seconds
        self.account = account
        self.topic = topic
        self.language = language
        self.country = country
        self.manner = manner
        at = np.arange(len(seconds) + 1)
        repeats = at % _DUPLICATE_EVERY == _DUPLICATE_EVERY // 2
        self.repeats: Bools = repeats[:-1]
        self.empty: Bools = at[:-1] % _EMPTY_EVERY == _EMPTY_EVERY // 20
        self.free: Bools = ~(self.empty | self.repeats | repeats[1:])

    def __len__(self) -> int:
        return len(self.seconds)

    def within(self, first_day: float, days: float) -> Bools:
        """Free rows of a window of time, which begins `first_day` days after the start."""
        after = self.seconds - first_day * DAY
        return np.asarray(self.free & (after >= 0) & (after < days * DAY))

    def topic_at(self, name: str) -> int:
        """The index of a topic.

        Raises
        ------
        ValueError
            There is none of this name.
        """
        for at, topic in enumerate(self.taxonomy.topics):
            if topic.name == name:
                return at
        raise ValueError(f"no topic is named {name!r}")

    def sample(self, among: Bools, count: int, rng: np.random.Generator) -> Ints:
        """Some of the rows, sorted; which ones depends little on what else is among them.

        Raises
        ------
        ValueError
            There are fewer than `count`.
        """
        chosen = np.where(among, rng.random(len(self)), 2.0)
        if count > np.count_nonzero(among):
            raise ValueError(f"{count} rows are wanted where {np.count_nonzero(among)} are free")
        return np.sort(np.argsort(chosen, kind="stable")[:count])

    def claim(self, rows: Ints) -> None:
        """Take rows away from later plants."""
        self.free[rows] = False

    def set_topic(self, rows: Ints, topic: Ints | int) -> None:
        """Make rows speak about topics; in English, where their languages cannot."""
        self.topic[rows] = topic
        for at, language in enumerate(self.taxonomy.languages):
            known = np.array([t.name in language.voices for t in self.taxonomy.topics])
            lost = rows[(self.language[rows] == at) & ~known[self.topic[rows]]]
            self.language[lost] = 0

    def add_accounts(self, count: int, rng: np.random.Generator) -> Ints:
        """Numbers of accounts that write nothing yet."""
        first = len(self.country)
        country = {name: entry.share for name, entry in _COUNTRIES.items()}
        self.country = self.country + _pick(rng, country, count)
        self.manner = np.append(self.manner, rng.random(count))
        return np.arange(first, first + count)


def schedule(
    taxonomy: Taxonomy,
    rng: np.random.Generator,
    n: int,
    *,
    accounts: int,
    weeks: int,
    concerning: float,
    languages: Languages,
) -> Schedule:
    """Draw the rows of a run.

    Parameters
    ----------
    taxonomy
        What there is to write about.
    rng
        Where chance comes from.
    n, accounts, weeks
        How many rows, accounts and weeks.
    concerning
        Share of the rows with a concerning topic.
    languages
        ``"natural"``, ``"even"`` or codes.

    Raises
    ------
    ValueError
        A language is unknown, or nothing can be written about in all of them.
    """
    rank = drawn(rng.random(n), _activity(accounts))
    numbers = rng.permutation(accounts)
    if languages == "natural":
        country = _pick(rng, {name: entry.share for name, entry in _COUNTRIES.items()}, accounts)
        own = _own_languages(taxonomy, country, rng)
        account = numbers[rank]
        language = np.where(rng.random(n) < _OWN_LANGUAGE, own[account], 0)
    else:
        even = _chosen(taxonomy, languages)
        language = rng.integers(0, len(even), n)
        if accounts >= len(even):
            # Accounts of neighbouring ranks write different languages, each always the same one.
            rank = rank // len(even) * len(even) + language
            rank = np.where(rank < accounts, rank, rank - len(even))
        account = numbers[rank]
        language = even[language]
        home = np.empty(accounts, dtype=np.int64)
        home[numbers] = even[np.arange(accounts) % len(even)]
        country = [_one_of(_HOMES[taxonomy.languages[at].code], rng) for at in home]
    manner = rng.random(accounts)

    ahead = np.array([_COUNTRIES[name].ahead for name in country])
    habit = np.rint(rng.normal(0, _EARLY_OR_LATE, accounts)).astype(np.int64) - ahead
    seconds = _moments(rng, habit[account], weeks)
    order = np.argsort(seconds, kind="stable")
    seconds, account, language = seconds[order], account[order], language[order]
    if languages == "natural":
        topic = _popular(taxonomy, rng, seconds // (7 * DAY), account, accounts, weeks, concerning)
        topic, language = _spoken(taxonomy, rng, topic, language)
    else:
        topic = drawn(rng.random(n), _uniform(taxonomy, even, concerning))
    return Schedule(taxonomy, seconds, account, topic, language, country, manner)


def drawn(uniform: Floats, shares: Floats) -> Ints:
    """Indices with probabilities proportional to `shares`, by inversion."""
    edges = np.cumsum(shares)
    at = np.searchsorted(edges, uniform * edges[-1], side="right")
    # Rounding may reach past the last share that is not nought.
    last = np.flatnonzero(shares)[-1]
    return np.asarray(np.minimum(at, last), dtype=np.int64)


def _pick(rng: np.random.Generator, shares: Mapping[str, float], size: int) -> list[str]:
    names = list(shares)
    return [names[at] for at in drawn(rng.random(size), np.array(list(shares.values())))]


def _one_of(options: Sequence[str], rng: np.random.Generator) -> str:
    return options[int(rng.random() * len(options))]


def _activity(people: int) -> Floats:
    """Share of each account by rank: Zipf's law, flattened at its head.

    The shift keeps the most active account well under 2 % wherever there are some hundred.
    """
    ranks = np.arange(people) + 20 + 2000 / people
    return np.asarray(ranks**-0.8)


def _own_languages(taxonomy: Taxonomy, country: list[str], rng: np.random.Generator) -> Ints:
    """Language of each account, as an index."""
    index = {language.code: at for at, language in enumerate(taxonomy.languages)}
    own = []
    for name, uniform in zip(country, rng.random(len(country)).tolist(), strict=True):
        chosen = 0
        for code, share in _COUNTRIES[name].writing.items():
            if uniform < share:
                chosen = index.get(code, 0)
                break
            uniform -= share
        own.append(chosen)
    return np.array(own, dtype=np.int64)


def _chosen(taxonomy: Taxonomy, languages: Languages) -> Ints:
    index = {language.code: at for at, language in enumerate(taxonomy.languages)}
    codes = list(index) if languages == "even" else list(dict.fromkeys(languages))
    unknown = [code for code in codes if code not in index]
    if unknown or not codes:
        raise ValueError(f"languages are 'natural', 'even' or some of {', '.join(index)}")
    return np.array([index[code] for code in codes], dtype=np.int64)


def _moments(rng: np.random.Generator, later: Ints, weeks: int) -> Ints:
    """Seconds since the first midnight, with the rhythm of weeks and days.

    `later` has, for each row, by how many hours its account's day comes after that of `_HOURS`.
    """
    days = np.tile(_WEEKDAYS, weeks) * np.linspace(1.0, 1.3, 7 * weeks)
    day = drawn(rng.random(len(later)), days)
    hour = (drawn(rng.random(len(later)), np.asarray(_HOURS)) + later) % 24
    return np.asarray(day * DAY + hour * 3_600 + rng.integers(0, 3_600, len(later)))


def _mixed(topics: Sequence[Topic], weights: Floats, concerning: float) -> Floats:
    """The weights scaled so that concerning topics have their share, and rare ones none."""
    kind = np.array([topic.kind for topic in topics])
    shares = np.zeros(len(topics))
    for name, part in (("regular", 1 - concerning), ("concerning", concerning)):
        whole = weights[kind == name].sum()
        if whole > 0:
            shares[kind == name] = weights[kind == name] / whole * part
        elif part > 0:
            raise ValueError(f"there is no {name} topic to write about")
    return shares


def _uniform(taxonomy: Taxonomy, languages: Ints, concerning: float) -> Floats:
    """Each topic alike that all of the languages have texts for."""
    voices = [taxonomy.languages[at].voices for at in languages]
    shared = [all(topic.name in known for known in voices) for topic in taxonomy.topics]
    return _mixed(taxonomy.topics, np.array(shared, dtype=np.float64), concerning)


def _popular(
    taxonomy: Taxonomy,
    rng: np.random.Generator,
    week: Ints,
    account: Ints,
    people: int,
    weeks: int,
    concerning: float,
) -> Ints:
    """Topic of each row: one of the account's favourites, or what is popular that week."""
    topics = taxonomy.topics
    share = np.array([topic.share for topic in topics])
    steady = np.array([topic.trend == "steady" for topic in topics])
    usual = _mixed(topics, share * steady, concerning)
    favourites = drawn(rng.random((people, _FAVOURITES)), usual).astype(np.int16)
    chosen = favourites[account, rng.integers(0, _FAVOURITES, len(account))].astype(np.int64)
    popular = np.empty_like(chosen)
    uniform = rng.random(len(account))
    for at in range(weeks):
        progress = at / max(1, weeks - 1)
        factor = {
            "steady": 1.0,
            "grow": 0.6 + 5 * progress,
            "new": 40 * max(0.0, progress - 0.5),
        }
        now = _mixed(topics, share * [factor[topic.trend] for topic in topics], concerning)
        rows = week == at
        popular[rows] = drawn(uniform[rows], now)
    return np.where(rng.random(len(account)) < _FAVOURITE_SHARE, chosen, popular)


def _spoken(
    taxonomy: Taxonomy, rng: np.random.Generator, topic: Ints, language: Ints
) -> tuple[Ints, Ints]:
    """Topics and languages of rows that have texts.

    Where a row's language has none for its topic, the topic becomes another of its kind; where
    the language has none of this kind, the language becomes English.
    """
    uniform = rng.random(len(topic))
    share = np.array([t.share for t in taxonomy.topics])
    kinds = np.array([t.kind for t in taxonomy.topics])
    topic, language = topic.copy(), language.copy()
    for at, other in enumerate(taxonomy.languages):
        known = np.array([t.name in other.voices for t in taxonomy.topics])
        lost = (language == at) & ~known[topic]
        for name in ("regular", "concerning"):
            of_kind = kinds == name
            rows = np.flatnonzero(lost & of_kind[topic])
            possible = share * known * of_kind
            if possible.any():
                topic[rows] = drawn(uniform[rows], possible)
            else:
                language[rows] = 0
    return topic, language
