"""Titles and summaries by a language model; where it fails, the offline writer's stand in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clio.agglomeration import group_means
from clio.describing.asking import Writer
from clio.describing.description import Description, Embed, Members
from clio.describing.groups import unused
from clio.describing.lexicon import stem
from clio.describing.tagging import tokenize
from clio.describing.template_words import GRAMMAR_WORDS
from clio.describing.wording import MANY_ACCOUNTS
from clio.facet import Facet
from clio.prompting import Asker, Prompt, Reply, ask_all

SHOWN: Final = 50
"""Members of a group that are shown, and as many for contrast (Clio paper, G.5)."""

NEIGHBOURS: Final = 10
"""Smaller groups shown for contrast with those of a parent."""

MOST_WORDS: Final = 60
"""Words shown of those that many members use."""

FITTING: Final = 10
FITTING_SHARE: Final = 0.1
"""A title fits its group where the group is among so many, or this share, of those nearest to it.
Of CLINC150's 150 intents all names do, with a worst place of 6."""

UNREADABLE: Final = 0.2
"""Where a larger share of the titles seems not to fit, the embedder does not know their language,
and nothing follows from it."""

NO_MEMBERS: Final = "no member to show"
UNFIT: Final = "its title is far from its members"
TAKEN: Final = "another group has its title"

_BLOCK: Final = 512


@dataclass(frozen=True, slots=True)
class ModelDescriptions:
    """What a model wrote, and where it did not.

    Attributes
    ----------
    descriptions
        One a group; the titles are distinct. Fallbacks are the title itself, for another summary,
        and the offline writer's.
    stood_in
        Groups that the offline writer describes, with the reason.
    """

    descriptions: list[Description]
    stood_in: Mapping[int, str]


def describe_groups_by_model(
    insiders: Members,
    contrasts: Members,
    centroids: NDArray[np.float32],
    *,
    embed: Embed,
    asker: Asker,
    key: bytes,
    stand_ins: Sequence[Description],
    facet: Facet,
    min_accounts: int = 10,
    sensitive: Callable[[str], bool] | None = None,
    language: str = "English",
    identifiers: Callable[[str], bool] | None = None,
    seed: int = 0,
) -> ModelDescriptions:
    """Title and summary of each group by a model that sees members and near outsiders.

    Up to 50 random members and the 50 nearest texts outside are shown, each of an account of its
    own (Clio paper, G.5; `docs/naming.md`).

    Parameters
    ----------
    insiders
        A sample of each group's members.
    contrasts
        For each group the nearest texts that are not in it, the nearest first.
    centroids
        (g, d) float32 unit rows, the groups' centres.
    embed
        From texts to unit vectors of the centroids' space. A title that is far from its group,
        compared with other groups, is not accepted: a few members may have talked the model into
        it.
    asker
        Answers the prompts.
    key
        The run's secret key, for the prompts' codes.
    stand_ins
        The offline writer's descriptions, one a group, with distinct titles.
    facet
        The facet that was clustered.
    min_accounts
        The model is shown the words that so many accounts of the sample used, and asked to choose
        among them; identical texts count as one account's.
    sensitive
        Which words take the accounts of a sensitive one; none where they are one's own.
    language
        Language of what is written, by its English name.
    identifiers
        Whether a text holds personal identifiers: then it is not accepted.
    seed
        Of the draw of members and their order.

    Raises
    ------
    ClioError
        As `Asker.ask`.
    """
    number = len(stand_ins)
    inside = _rows_by_group(insiders.group, number)
    outside = _rows_by_group(contrasts.group, number)
    writer = Writer(facet, key, language, identifiers)

    def ask(index: int, taken: str | None) -> Prompt | None:
        drawn = np.random.default_rng([seed, index]).permutation(inside[index]).tolist()
        shown = _one_an_account(drawn, insiders.account)
        near = _one_an_account(outside[index].tolist(), contrasts.account)
        if not shown:
            return None
        return writer.group(
            [insiders.texts[row] for row in shown],
            [contrasts.texts[row] for row in near],
            _shared_words({insiders.texts[row] for row in drawn}, min_accounts, sensitive),
            taken,
        )

    def unfit(titles: Mapping[int, str]) -> set[int]:
        groups = np.array(list(titles), dtype=np.int64)
        nearness = embed(list(titles.values())) @ centroids.T
        own = nearness[np.arange(len(groups)), groups]
        place = np.count_nonzero(nearness > own[:, None], axis=1)
        far = groups[place >= max(FITTING, FITTING_SHARE * number)]
        return set(far.tolist()) if len(far) <= UNREADABLE * len(groups) else set()

    return write(ask, asker, stand_ins, unfit)


def describe_parents_by_model(
    children: Sequence[Description],
    child_parent: NDArray[np.int32],
    members: Members,
    vectors: NDArray[np.float32],
    *,
    child_sizes: NDArray[np.int64],
    asker: Asker,
    key: bytes,
    stand_ins: Sequence[Description],
    facet: Facet,
    min_accounts: int = 10,
    sensitive: Callable[[str], bool] | None = None,
    language: str = "English",
    identifiers: Callable[[str], bool] | None = None,
) -> ModelDescriptions:
    """Title and summary of each parent by a model that sees its actual children.

    Up to 50 of the children are shown, the largest, and the titles of the 10 nearest children of
    other parents (Clio paper, G.7); of the members only the words that many accounts use.

    Parameters
    ----------
    children
        The children's descriptions.
    child_parent
        (c,) int32, the parent of each child, from 0; each parent has some.
    members
        A sample of each parent's members.
    vectors
        (c, d) float32 unit rows, the children's places.
    child_sizes
        (c,) int64, conversations of each child.
    asker, key, stand_ins, facet, min_accounts, sensitive, language, identifiers
        As `describe_groups_by_model`; `stand_ins` one a parent.

    Raises
    ------
    ClioError
        As `Asker.ask`.
    """
    own = _rows_by_group(child_parent, len(stand_ins))
    texts = _rows_by_group(members.group, len(stand_ins))
    near = _nearest_children(child_parent, vectors)
    writer = Writer(facet, key, language, identifiers)

    def ask(index: int, taken: str | None) -> Prompt | None:
        rows = own[index]
        largest = rows[np.lexsort((rows, -child_sizes[rows]))][:SHOWN].tolist()
        return writer.parent(
            [children[row] for row in largest],
            [children[row] for row in near[index]],
            _shared_words({members.texts[row] for row in texts[index]}, min_accounts, sensitive),
            taken,
        )

    return write(ask, asker, stand_ins, lambda _: set())


def write(
    ask: Callable[[int, str | None], Prompt | None],
    asker: Asker,
    stand_ins: Sequence[Description],
    unfit: Callable[[Mapping[int, str]], set[int]],
) -> ModelDescriptions:
    """Ask about every group, once more where a title is taken, and let stand-ins fill the rest.

    A title belongs to the first group that was given it.
    """
    written: dict[int, Description] = {}
    taken: set[str] = set()
    stood_in: dict[int, str] = {}
    wanted: dict[int, str | None] = dict.fromkeys(range(len(stand_ins)))
    for _ in range(2):
        prompts = {index: ask(index, other) for index, other in wanted.items()}
        wanted = {}
        for index, reply in _replies(asker, prompts):
            found = reply.value
            if not isinstance(found, Description):
                stood_in[index] = reply.reason or reply.outcome.value
            elif found.title.lower() in taken:
                stood_in[index] = TAKEN
                wanted[index] = found.title
            else:
                taken.add(found.title.lower())
                written[index] = found
                stood_in.pop(index, None)
    titles = {index: found.title for index, found in written.items()}
    for index in unfit(titles) if titles else ():
        taken.remove(written.pop(index).title.lower())
        stood_in[index] = UNFIT
    for index in {*range(len(stand_ins))} - {*written, *stood_in}:
        stood_in[index] = NO_MEMBERS
    for index in sorted(stood_in):
        stand_in = stand_ins[index]
        free = (t for t in (stand_in.title, *stand_in.fallback) if t.lower() not in taken)
        title = next(free, None) or unused(stand_in.title, taken)
        taken.add(title.lower())
        written[index] = Description(title, stand_in.summary)
    descriptions = []
    for index, stand_in in enumerate(stand_ins):
        own = written[index]
        further = [t for t in (stand_in.title, *stand_in.fallback) if t.lower() not in taken]
        # The gate may refuse the summary alone: then the title is the first to try without it.
        descriptions.append(Description(own.title, own.summary, (own.title, *further)))
    return ModelDescriptions(descriptions, dict(sorted(stood_in.items())))


def _replies(asker: Asker, prompts: Mapping[int, Prompt | None]) -> Iterable[tuple[int, Reply]]:
    asked = {index: prompt for index, prompt in prompts.items() if prompt is not None}
    if not asked:
        return ()
    return zip(asked, ask_all(asker, list(asked.values())), strict=True)


def _rows_by_group(group: NDArray[np.int32], number: int) -> list[NDArray[np.int64]]:
    """Rows of each group, in order."""
    rows = np.argsort(group, kind="stable")
    bounds = np.searchsorted(group[rows], np.arange(number + 1))
    return np.split(rows, bounds[1:-1])


def _one_an_account(rows: Iterable[int], account: NDArray[np.int32]) -> list[int]:
    """The first `SHOWN` rows of distinct accounts."""
    chosen: dict[int, int] = {}
    for row in rows:
        if len(chosen) == SHOWN:
            break
        chosen.setdefault(int(account[row]), row)
    return list(chosen.values())


def _shared_words(
    texts: Iterable[str], least: int, sensitive: Callable[[str], bool] | None
) -> list[str]:
    """Words that enough of the texts hold, the commonest first, each in its commonest form."""
    many = least if sensitive is None else max(least, MANY_ACCOUNTS)
    forms: dict[str, Counter[str]] = {}
    held: Counter[str] = Counter()
    for text in texts:
        words = {word for word in tokenize(text) if word.isalpha() and word not in GRAMMAR_WORDS}
        held.update({stem(word) for word in words})
        for word in words:
            forms.setdefault(stem(word), Counter())[word] += 1
    shown = {
        word: min(forms[word].items(), key=lambda form: (-form[1], form[0]))[0]
        for word, count in held.items()
        if count >= least
    }
    shared = sorted(
        (-held[word], word)
        for word, form in shown.items()
        if held[word] >= many or sensitive is None or not sensitive(form)
    )
    return [shown[word] for _, word in shared[:MOST_WORDS]]


def _nearest_children(
    child_parent: NDArray[np.int32], vectors: NDArray[np.float32]
) -> list[list[int]]:
    """For each parent the children of others that are nearest to the mean of its own."""
    _, means = group_means(vectors, np.ones(len(vectors)), child_parent)
    near: list[list[int]] = []
    for start in range(0, len(means), _BLOCK):
        block = means[start : start + _BLOCK] @ vectors.T
        for offset, row in enumerate(block):
            outside = np.flatnonzero(child_parent != start + offset)
            order = np.argsort(-row[outside], kind="stable")[:NEIGHBOURS]
            near.append(outside[order].tolist())
    return near
