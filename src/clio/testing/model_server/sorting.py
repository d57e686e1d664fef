"""Names for groups of groups, and which of them each group belongs to, by what is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from clio.testing.model_server.wordings import Subject, plain, wordings


def names(listed: Sequence[str], fewest: int, most: int, best: int) -> list[str]:
    """Names over groups, or out of a list of names.

    Domains, as far as their number fits; more are joined under broad names, the rarest first, and
    fewer are divided into topics, the most varied first.

    Parameters
    ----------
    listed
        Groups as ``title: summary``, or names.
    fewest, most, best
        How many names are wanted.
    """
    found = [_subject(line) for line in listed]
    known = [subject for subject in found if subject is not None]
    chosen = _fitted(known, fewest, most, best)
    said = [_name(subject) for subject in chosen]
    # Where that is not enough, what was listed stands for itself.
    spare = [line.partition(": ")[0] for line in listed]
    taken = {plain(name) for name in said}
    for name in spare:
        if len(said) >= fewest:
            break
        if plain(name) not in taken:
            taken.add(plain(name))
            said.append(name)
    return said[:most]


def choose(groups: Sequence[str], options: Sequence[str]) -> list[dict[str, Any]]:
    """For each group, numbered from 1, the option that is nearest to what it is about."""
    about = [_subject(option) for option in options]
    chosen = []
    for number, group in enumerate(groups, 1):
        subject = _subject(group)
        nearness = [_nearness(subject, option) for option in about]
        best = nearness.index(max(nearness))
        chosen.append({"group": number, "name": options[best]})
    return chosen


def _subject(line: str) -> Subject | None:
    found = wordings().subject_of(line.partition(": ")[0])
    return None if found is None else found[0]


def _name(subject: Subject) -> str:
    return wordings().titles(subject)[0]


def _fitted(known: Sequence[Subject], fewest: int, most: int, best: int) -> list[Subject]:
    table = wordings()
    topics: dict[str, list[Subject]] = {}
    for subject in known:
        if subject.level == "topic":
            topics.setdefault(subject.domain, []).append(subject)
    sizes = Counter(subject.domain for subject in known if subject.domain)
    domains = [table.domains[name] for name, _ in sizes.most_common()]
    broads = list(dict.fromkeys(subject for subject in known if subject.level == "broad"))
    while domains and len(domains) + len(broads) > most:
        joined = table.broads[domains[-1].broad]
        domains = [domain for domain in domains if domain.broad != joined.broad]
        broads = list(dict.fromkeys([*broads, joined]))
    chosen = [*domains, *broads][:most]
    for domain in sorted(topics, key=lambda name: (-len(set(topics[name])), name)):
        if len(chosen) >= fewest:
            break
        parts = list(dict.fromkeys(topics[domain]))
        if table.domains[domain] in chosen:
            chosen.remove(table.domains[domain])
        chosen += parts[: max(best - len(chosen), 1)]
    return chosen


def _nearness(subject: Subject | None, option: Subject | None) -> int:
    if subject is None or option is None:
        return 0
    if option.name == subject.name:
        return 4
    if option.level == "domain" and option.name == subject.domain:
        return 3
    if option.domain and option.domain == subject.domain:
        return 2
    return int(option.broad == subject.broad)
