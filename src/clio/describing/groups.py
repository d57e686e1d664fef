"""Titles and summaries of groups of texts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clio.describing.candidates import EMPTY, Candidate, collect
from clio.describing.description import (
    GUARDED_TITLE,
    MIXED_TITLE,
    OTHER_LANGUAGES,
    Description,
    Embed,
    Members,
)
from clio.describing.evidence import Evidence, gather
from clio.describing.foreign import Phrases, best_phrases, gather_phrases
from clio.describing.headings import Nearness, shipped_phrases
from clio.describing.lexicon import gerund, look_up
from clio.describing.mixtures import mixture
from clio.describing.naming import GENERIC, SURE, Near, near_headings, ordered
from clio.describing.ordering import rerank
from clio.describing.parsing import parse
from clio.describing.phrases import Parsed
from clio.describing.rendering import LEAST
from clio.describing.summaries import listing, opening, summaries
from clio.describing.titles import (
    NEIGHBOURS,
    Counts,
    Scored,
    is_activity,
    is_open,
    is_thin,
    shortlist,
)
from clio.describing.topics import Topic, joined, topics_of
from clio.describing.wording import Wording

FALLBACKS: Final = 4
MIXED_SUMMARY: Final = "People ask for many different things."
GUARDED_SUMMARY: Final = "People ask about sensitive matters, in words that too few of them share."
PLAIN_SUMMARY: Final = "People ask for this in many different ways."
MAIN_SHARE: Final = 0.6
"""Share of a group's texts from which a language is the group's."""
ENGLISH_SHARE: Final = 0.22
_NUMBERS: Final = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_PLACEHOLDER: Final = re.compile(r"[\[<{(][A-Z][A-Z_ ]*\d*[\]>})]")


@dataclass(slots=True)
class Group:
    """A group's counts and candidates.

    It is English, or in another language, or in so many that only a heading can name it: then
    there is nothing to count.
    """

    counts: Counts
    foreign: Phrases | None
    many: bool = False
    items: list[Scored] = field(default_factory=list)
    topics: list[Topic] = field(default_factory=list)
    phrases: list[str] = field(default_factory=list)

    @property
    def evidence(self) -> Evidence:
        """The group's counts by account."""
        return self.counts.evidence


def _main_language(tags: Iterable[str]) -> str:
    """The commonest language, without its region; empty where there are many.

    ``unknown`` where none is known.
    """
    counts = Counter(tag.split("-")[0].lower() for tag in tags)
    counts.pop("unknown", None)
    if not counts:
        return "unknown"
    main = min(counts, key=lambda tag: (-counts[tag], tag))
    return main if counts[main] >= MAIN_SHARE * counts.total() else ""


def _is_english(parsed: Sequence[Parsed], language: str) -> bool:
    """Whether a group's texts are English, by their tags or by their function words.

    Language tags of short texts err often, function words of a hundred texts do not.
    """
    if language == "en":
        return True
    closed = total = 0
    for item in parsed:
        for word in item.words:
            if word[0].isalpha():
                total += 1
                closed += bool(look_up(word).closed)
    return total == 0 or closed >= ENGLISH_SHARE * total


def describe_groups(
    members: Members,
    centroids: NDArray[np.float32],
    *,
    embed: Embed,
    parent: NDArray[np.int32] | None = None,
    min_accounts: int = 10,
    sensitive: Callable[[str], bool] | None = None,
) -> list[Description]:
    """Title and summary of each group, told apart from the others.

    Parameters
    ----------
    members
        A sample of each group's texts.
    centroids
        Unit centres of the groups, (g, d) float32.
    embed
        From texts to unit vectors of the centroids' space; called twice.
    parent
        Parent of each group, (g,) int32: siblings get told apart first. ``None``: no siblings.
    min_accounts
        Accounts of the sample that must have used each content word; near-identical texts count
        as one account's.
    sensitive
        Whether a word needs as many accounts as a name does. ``None``: no word but names, and
        sensitive subjects are named too: the conversations are one's own.

    Returns
    -------
    list[Description]
        One a group; the titles are distinct.

    Notes
    -----
    Candidates are verb phrases, noun phrases and indirect questions read from the texts by a small
    grammar, pooled over their forms and counted by account. Their score is the square root of
    their share times the log ratio to the nearest groups' share (the contrast of class-based
    TF-IDF, Grootendorst 2022, arXiv:2203.05794), joined with the closeness of the phrase's vector
    to the group's centre against the nearest other centres.
    """
    groups, wording = read_groups(members, len(centroids), min_accounts, sensitive)
    contrast(groups, centroids, parent, embed, min_accounts)
    found = _choose(groups, wording, centroids, embed, min_accounts)
    return _unmixed(found, groups, wording, members, embed, min_accounts)


def _unmixed(
    found: list[Description],
    groups: Sequence[Group],
    wording: Wording,
    members: Members,
    embed: Embed,
    least: int,
) -> list[Description]:
    """Name groups that have no title by the subjects of their members, where these are clear."""
    result = list(found)
    taken = {description.title.lower() for description in found}
    proposed: dict[int, Description] = {}
    for index, description in enumerate(found):
        if not description.title.startswith((MIXED_TITLE, OTHER_LANGUAGES, GUARDED_TITLE)):
            continue
        mixed = mixture(
            members,
            index,
            embed,
            least,
            partial(wording.has_support, evidence=groups[index].evidence),
            guarded=description.title.startswith(GUARDED_TITLE),
        )
        if mixed is not None:
            proposed[index] = mixed
    # Once for all: each time goes through every text.
    wording.prepare(text for mixed in proposed.values() for text in (mixed.title, mixed.summary))
    for index, mixed in proposed.items():
        if mixed.title.lower() in taken:
            continue
        evidence = groups[index].evidence
        if wording.passes(mixed.title, evidence) and wording.passes(mixed.summary, evidence):
            taken.add(mixed.title.lower())
            result[index] = Description(mixed.title, mixed.summary, (found[index].title,))
    return result


def contrast(
    groups: Sequence[Group],
    centroids: NDArray[np.float32],
    parent: NDArray[np.int32] | None,
    embed: Embed,
    least: int,
) -> None:
    """Fill each group's candidates, best first."""
    order = _nearest(centroids, parent)
    total = sum(group.evidence.units for group in groups)
    frequency: Counter[str] = Counter()
    for group in groups:
        for lemma, mask in group.evidence.lemmas.items():
            frequency[lemma] += mask.bit_count()

    def share(lemma: str) -> float:
        return frequency[lemma] / max(total, 1)

    for index, group in enumerate(groups):
        if group.foreign is None:
            near = [groups[j].counts for j in order[index] if groups[j].foreign is None]
            group.items = shortlist(group.counts, near, share, least)
            group.topics = topics_of(group.counts, near, share, least)
    rerank([group.items for group in groups], centroids, embed)
    foreign = [group for group in groups if group.foreign is not None]
    found = best_phrases([group.foreign for group in foreign if group.foreign is not None], least)
    for group, phrases in zip(foreign, found, strict=True):
        group.phrases = phrases


def read_groups(
    members: Members, number: int, least: int, sensitive: Callable[[str], bool] | None
) -> tuple[list[Group], Wording]:
    """Parse and count all groups, one after the other, keeping the counts alone."""
    texts = [_PLACEHOLDER.sub(" something ", text) for text in members.texts]
    rows = np.argsort(members.group, kind="stable")
    bounds = np.searchsorted(members.group[rows], np.arange(number + 1))
    accounts = np.asarray(members.account)
    written = [""] * len(texts)
    groups: list[Group] = []
    for index in range(number):
        own = rows[bounds[index] : bounds[index + 1]].tolist()
        mine = [parse(texts[i]) for i in own]
        for i, item in zip(own, mine, strict=True):
            written[i] = " ".join(item.words)
        language = _main_language(members.language[i] for i in own)
        codes = accounts[own].tolist() if own else []
        foreign = None
        if not language:
            mine, codes = [], []
        elif not _is_english(mine, language):
            foreign = gather_phrases([texts[i] for i in own], codes, language)
            mine, codes = [], []
        evidence, kept = gather(mine, codes)
        candidates = {c.key: c for c in collect(kept, evidence, least)}
        groups.append(Group(Counts(evidence, candidates), foreign, many=not language))
    return groups, Wording(texts, written, accounts.tolist(), least, sensitive)


def _nearest(centroids: NDArray[np.float32], parent: NDArray[np.int32] | None) -> list[list[int]]:
    """The groups to contrast each with: the nearest, siblings first."""
    number = len(centroids)
    near: list[list[int]] = []
    for start in range(0, number, 512):
        block = centroids[start : start + 512] @ centroids.T
        if parent is not None:
            block = block + 0.1 * (parent[start : start + 512, None] == parent[None, :])
        for offset, row in enumerate(block):
            row[start + offset] = -np.inf
            best = np.argsort(-row, kind="stable")[: min(NEIGHBOURS, number - 1)]
            near.append([int(j) for j in best])
    return near


def _choose(
    groups: Sequence[Group],
    wording: Wording,
    centroids: NDArray[np.float32],
    embed: Embed,
    least: int,
) -> list[Description]:
    """Give each group the best title that is not taken, the surest groups first."""
    _keep_passing(groups, wording)
    for group in groups:
        _join_topics(group, wording)
    _keep_passing(groups, wording)
    near = _order(groups, wording, centroids, embed)
    _keep_passing(groups, wording)
    sure = [group.items[0].score if group.items else 0.0 for group in groups]
    taken: set[str] = set()
    chosen: dict[int, list[Scored]] = {}
    result: dict[int, Description] = {}
    for index in sorted(range(len(groups)), key=lambda i: (-sure[i], i)):
        group = groups[index]
        chosen[index] = [item for item in group.items if item.title.lower() not in taken]
        if group.foreign is not None and (group.phrases or not chosen[index]):
            del chosen[index]
            result[index] = describe_foreign(group, taken)
            taken.add(result[index].title.lower())
        elif chosen[index]:
            taken.add(chosen[index][0].title.lower())
        else:
            del chosen[index]
            result[index] = _plain(near[index], taken)
            taken.add(result[index].title.lower())
    drafts = {
        index: summaries(items[0], groups[index].items, least, groups[index].topics)
        for index, items in chosen.items()
    }
    wording.prepare(text for texts in drafts.values() for text in texts)
    for index, texts in drafts.items():
        evidence = groups[index].evidence
        passing = [text for text in texts if wording.passes(text, evidence)]
        items = chosen[index]
        further = [item.title for item in items[1:] if item.title.lower() not in taken]
        result[index] = Description(
            spelled(items[0].title, wording),
            spelled(passing[0] if passing else PLAIN_SUMMARY, wording),
            tuple(spelled(title, wording) for title in further[:FALLBACKS]),
        )
    return [result[index] for index in range(len(groups))]


def spelled(text: str, wording: Wording) -> str:
    """The text with the capitals that the texts give its words; shipped phrases stay as written."""
    parts, end = [], 0
    for start, stop in shipped_phrases(text):
        parts += [wording.spell(text[end:start]), text[start:stop]]
        end = stop
    return "".join([*parts, wording.spell(text[end:])])


def _order(
    groups: Sequence[Group], wording: Wording, centroids: NDArray[np.float32], embed: Embed
) -> list[Near]:
    """Put phrases and headings of each group in the order of their worth as titles."""
    first = [index for index, group in enumerate(groups) if group.items]
    nearness = Nearness(embed, [groups[index].items[0].core for index in first])
    own = dict(zip(first, nearness.further, strict=True))
    middles, closeness = nearness.centred(centroids), nearness.of(centroids)
    found: list[Near] = []
    for index, group in enumerate(groups):
        near = Near()
        foreign = group.foreign is not None or group.many
        if foreign or group.evidence.units:
            near = near_headings(closeness[index], group.evidence, wording, foreign=foreign)
        found.append(near)
        mine = float(own[index] @ middles[index]) if index in own else 0.0
        for item in group.items:
            item.score = mine
        group.items = ordered(group.items, mine, near, group.topics)
    return found


def _plain(near: Near, taken: set[str]) -> Description:
    """What is said of a group that neither a phrase nor a heading names."""
    if near.guarded:
        return Description(unused(GUARDED_TITLE, taken), GUARDED_SUMMARY)
    if near.items and near.closeness[0] >= SURE:
        item = near.items[0]
        return Description(unused(item.title, taken), f"{opening(item)}.")
    return Description(unused(MIXED_TITLE, taken), MIXED_SUMMARY)


def _keep_passing(groups: Sequence[Group], wording: Wording) -> None:
    """Give each candidate the first of its titles that passes; drop those with none."""
    wording.prepare(title for group in groups for item in group.items for title in item.titles)
    for group in groups:
        for item in group.items:
            passing = [title for title in item.titles if wording.passes(title, group.evidence)]
            item.title = passing[0] if passing else ""
        group.items = [item for item in group.items if item.title]


def _join_topics(group: Group, wording: Wording) -> None:
    """Let topics that tell the group apart stand before a thin title, and behind all titles."""
    evidence = group.evidence
    group.topics = [topic for topic in group.topics if wording.passes(topic.text, evidence)]
    items = group.items
    first: Topic | None = None
    thin = bool(items) and is_thin(items[0])
    if thin and is_open(items[0].candidate):
        first = _doing(items[0], evidence)
    elif thin and items[0].candidate.kind == "noun":
        lemmas = items[0].candidate.lemmas
        first = next((topic for topic in group.topics if topic.lemmas == lemmas), None)
    chosen = joined(group.topics, first)
    if not chosen:
        return
    if first is not None and len(chosen) == 1:
        if is_open(items[0].candidate):
            items.insert(0, _scored(chosen, items[0].score))
        return
    lists = [chosen[:number] for number in range(len(chosen), 0, -1)]
    lists += [[topic] for topic in chosen[1:]]
    found = [_scored(topics, items[0].score if items else 0.0) for topics in lists]
    group.items = [found[0], *items, *found[1:]] if thin and len(chosen) > 1 else [*items, *found]


def _doing(item: Scored, evidence: Evidence) -> Topic | None:
    """What a verb names whose objects differ: "investing"; nothing where that is no activity."""
    verb = item.candidate.verb
    if verb in EMPTY or verb in GENERIC or not is_activity(verb):
        return None
    mask = evidence.mask(item.candidate.lemmas)
    return Topic(gerund(verb), item.candidate.lemmas, mask, item.share, item.lift)


def _scored(topics: Sequence[Topic], score: float) -> Scored:
    text = listing([topic.text for topic in topics])
    short = len(text.split()) < LEAST
    title = f"Ask about {text}" if short else text[:1].upper() + text[1:]
    lemmas = frozenset(lemma for topic in topics for lemma in topic.lemmas)
    candidate = Candidate("topics", "", lemmas, title, title)
    share = topics[0].share
    return Scored(candidate, title, title, share, share, topics[0].lift, score, titles=(title,))


def describe_foreign(group: Group, taken: set[str]) -> Description:
    """Describe a group of another language by its own phrases."""
    phrases = group.phrases
    titles = [phrase[:1].upper() + phrase[1:] for phrase in phrases]
    free = [title for title in titles if title.lower() not in taken]
    if not free:
        title = unused(OTHER_LANGUAGES, taken)
        return Description(title, "People write in other languages about many different things.")
    quoted = [f"“{phrase}”" for phrase in phrases[:3]]
    summary = f"People write in another language, often with the words {listing(quoted, 'or')}."
    return Description(free[0], summary, tuple(free[1:]))


def unused(title: str, taken: Iterable[str]) -> str:
    """The title, with a number where it is taken: in words, as far as these pass as such."""
    used = set(taken)
    number = 1
    while title.lower() in used:
        number += 1
        written = _NUMBERS[number - 2] if number - 2 < len(_NUMBERS) else f"({number})"
        title = f"{title.split(', group ')[0]}, group {written}"
    return title
