"""What to type next, from what an inspection found."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clio.conversation import Outcome
from clio.embedding import is_installed
from clio.facet import UNKNOWN
from clio.facets import COMPUTED
from clio.pipeline.inspecting import Inspection, LabelFacts
from clio.pipeline.stage import MIN_FOREIGN_SHARE
from clio.privacy.suggestions import suggestion
from clio.settings import Preset, Settings
from clio.sources import shown

MAX_BREAKDOWNS: Final = 3
FEW_VALUES: Final = 30
MANY_REJECTED: Final = 0.05


@dataclass(frozen=True)
class Advice:
    """What an owner should know before a run, and the run to type.

    Attributes
    ----------
    notes
        One sentence each.
    command
        A command line; ``None`` where there is nothing to run.
    breakdowns
        Labels with few distinct values, which ``--breakdown`` may name.
    """

    notes: list[str]
    command: str | None
    breakdowns: list[str]


def advise(
    found: Inspection, inputs: Sequence[str | Path], settings: Settings | None = None
) -> Advice:
    """What to type next.

    Parameters
    ----------
    found
        What `clio.pipeline.inspect` saw.
    inputs
        Its inputs, as the user named them.
    settings
        Its settings; what they narrow, the proposed run narrows too.
    """
    settings = settings or Settings()
    personal = _one_person(found)
    notes = list(_notes(found, settings, personal))
    breakdowns = [label.name for label in found.labels if _breaks_down(label)][:MAX_BREAKDOWNS]
    if not found.conversations:
        return Advice(notes, None, [])
    words = ["clio", "run", *map(shown, inputs)]
    for option, value in (("--where", settings.where), ("--format", settings.format)):
        if value is not None:
            words += [option, value]
    if personal:
        words += ["--privacy", Preset.PERSONAL.value]
    return Advice(notes, " ".join(map(_quoted, words)), breakdowns)


def _quoted(word: str) -> str:
    """A word for a shell; in double quotes where that reads better and means the same."""
    if "'" in word and not set('"$`\\!').intersection(word):
        return f'"{word}"'
    return shlex.quote(word)


def _one_person(found: Inspection) -> bool:
    return found.accounts.basis != "none" and found.accounts.largest_share > 0.5


def _breaks_down(label: LabelFacts) -> bool:
    taken = {computed.facet.name for computed in COMPUTED if computed.facet.breakdown}
    return (
        label.distinct is not None
        and 2 <= label.distinct <= FEW_VALUES
        and label.share >= 0.5
        and label.name not in taken
        and not {"list", "object"} & set(label.types)
    )


def _notes(found: Inspection, settings: Settings, personal: bool) -> Iterator[str]:
    rejected = sum(found.outcomes.get(Outcome.REJECTED.value, {}).values())
    if found.rows and rejected > MANY_REJECTED * found.rows:
        yield (
            f"{rejected / found.rows:.0%} of the rows cannot be read; where the format was taken "
            "for another one, --format names it"
        )
    if found.unknown_labels:
        yield f"no row has a label {', '.join(found.unknown_labels)}, which --where asks for"
    if not found.conversations:
        yield "no conversation is left to run on"
        return
    accounts, dates = found.accounts, found.dates
    if personal:
        held = f"{accounts.largest_share:.0%} of the conversations"
        who = "all conversations are" if accounts.count == 1 else f"one account holds {held}:"
        yield (
            f"{who} one person's: if they are your own, --privacy personal shows you everything "
            "(not anonymous, do not share); without it next to nothing is released"
        )
    else:
        thresholds = settings.thresholds()
        needed = (thresholds.accounts, thresholds.conversations)
        if accounts.count < needed[0] or found.conversations < needed[1]:
            yield (
                f"{found.conversations:,} conversations of {accounts.count:,} accounts are fewer "
                f"than a release needs ({needed[1]} of {needed[0]}); "
                + suggestion(accounts.count, found.conversations, thresholds)
            )
    if accounts.basis != "ids":
        whose = "no row" if accounts.basis == "none" else "not every row"
        yield (
            f"{whose} has a user_id; without one each distinct text counts as one account, which "
            "protects less: give ids where you have them"
        )
    if dates.without == found.conversations:
        yield "without created_at there are no trends"
    foreign = sum(
        share for code, share in found.languages.shares.items() if code not in ("en", UNKNOWN)
    )
    if foreign >= MIN_FOREIGN_SHARE and not is_installed("multilingual"):
        yield (
            f"{foreign:.0%} are not in English, which the embedder that ships hardly knows: "
            "pip install 'clio-insights[multilingual]' first"
        )
