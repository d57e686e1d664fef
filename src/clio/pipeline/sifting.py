"""Which rows go on: those that are read, new, said by a requester and inside ``--where``."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from clio.analysts.asking import check_model
from clio.conversation import Outcome, content_digest
from clio.facets.language import LANGUAGE
from clio.pipeline.facets import facets_of
from clio.settings import Settings
from clio.sources import Row, row_format
from clio.sources.where import Condition, compile_where

OUTSIDE = "outside --where"


@dataclass(frozen=True, slots=True)
class Sifted:
    """What becomes of a row.

    Attributes
    ----------
    outcome
        ``None`` where it goes on.
    reason
        Why it does not.
    id_hash, content_hash
        64 bits of the digests of id and content; ``None`` where the row is not the first of its id.
    """

    outcome: Outcome | None
    reason: str | None
    id_hash: int | None = None
    content_hash: int | None = None


class Sifter:
    """Judges rows in their order, remembering the ids that came before.

    Parameters
    ----------
    where
        What conversations must fulfil; all go on where ``None``.
    """

    def __init__(self, where: Condition | None) -> None:
        self._where = where
        self._contents: dict[int, int] = {}

    def remember(self, id_hash: int, content_hash: int) -> None:
        """Take up a row that was judged before."""
        self._contents.setdefault(id_hash, content_hash)

    def sift(self, row: Row) -> Sifted:
        """What becomes of the next row."""
        conversation = row.conversation
        if conversation is None:
            return Sifted(Outcome.REJECTED, row.reason)
        identity = hash64(conversation.conversation_id)
        content = int(content_digest(conversation.messages)[:16], 16)
        known = self._contents.get(identity)
        if known == content:
            return Sifted(Outcome.DUPLICATE, "same id and content as an earlier row")
        if known is not None:
            reason = "conversation_id was used before with other content"
            return Sifted(Outcome.REJECTED, reason)
        self._contents[identity] = content
        if not conversation.requester_turns():
            return Sifted(Outcome.SKIPPED, "nothing a requester said", identity, content)
        if self._where is not None and not self._where(conversation):
            return Sifted(Outcome.SKIPPED, OUTSIDE, identity, content)
        return Sifted(None, None, identity, content)


def hash64(text: str) -> int:
    """The first 64 bits of the SHA-256 of a text."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big")


def check(settings: Settings) -> None:
    """See that the settings can be followed, before anything is written.

    Raises
    ------
    SettingsError
        They contradict each other, the expression of ``--where`` or the file of ``--facets`` cannot
        be read, or there is no format or provider of that name.
    ModelError
        Texts would go over the network in the open.
    """
    settings.check()
    for name in settings.models:
        check_model(name, settings.address(name))
    facets_of(settings)
    condition(settings)
    if settings.format is not None:
        row_format(settings.format)


def condition(settings: Settings) -> Condition | None:
    """What ``--where`` asks for.

    Raises
    ------
    SettingsError
        The expression cannot be read.
    """
    if settings.where is None:
        return None
    return compile_where(settings.where, language=lambda c: str(LANGUAGE.compute(c)))
