"""An attack's cluster, described and gated without a run around it.

The cluster holds the target's conversation, the crowd's and all of the adversary's: clustering, and
the thresholds on accounts and on dominance, are taken to have gone the adversary's way. Answers,
samples, writers, support for words and the gate's choice of words are those of a run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from clio.analysts.requests import extract_request
from clio.conversation import Conversation
from clio.describing import (
    Description,
    Histogram,
    Members,
    describe_by_keywords,
    describe_groups,
    describe_groups_by_model,
    families,
    free_phrases,
)
from clio.embedding import load_embedder
from clio.facets.asked import REQUEST
from clio.privacy.families import Family, family_occurrences, wanted_families
from clio.privacy.scrub import finds, scrub
from clio.privacy.titles import Support
from clio.privacy.wording import (
    SENSITIVE,
    content_tokens,
    content_words,
    count_tokens,
    token_counts,
    token_occurrences,
    window_counts,
    windows,
)
from clio.settings import Thresholds
from clio.testing.poisoning import Attack, Gullible, Outcome, told
from clio.testing.scripted import ScriptedAsker

KEY = bytes(32)
FAMILIES = {phrase: Family(each.words, each.sensitive) for phrase, each in families().items()}
SHOWN_CHARACTERS = 230
"""Of what a requester says, as `Gullible` repeats it."""


class Clusters:
    """The clusters of some attacks.

    Parameters
    ----------
    said
        All conversations of the attacks.
    attacks
        One a cluster.
    thresholds
        Of the gate.
    sampled
        Whether one conversation an account counts, as it should.
    """

    def __init__(
        self,
        said: Sequence[Conversation],
        attacks: Sequence[Attack],
        thresholds: Thresholds,
        *,
        sampled: bool = True,
    ) -> None:
        self._attacks, self._thresholds, self._sampled = attacks, thresholds, sampled
        self._of = {attack.prefix: at for at, attack in enumerate(attacks)}
        self._said = said
        self._embed = load_embedder("static").embed

    def outcomes(self, writer: str) -> list[Outcome]:
        """What each adversary is told where this writer describes the clusters."""
        members = self._members(by_model=writer == "model")
        descriptions = self._described(writer, members)
        support = self._support(members, descriptions)
        released = [
            support.words(str(at), each.title, each.summary, each.fallback, None, ())
            for at, each in enumerate(descriptions)
        ]
        return [
            told(attack, [f"{title}: {summary}"])
            for attack, (title, summary, _) in zip(self._attacks, released, strict=True)
        ]

    def _members(self, *, by_model: bool) -> Members:
        """One conversation an account, at random; or all, each as an account of its own."""
        texts, groups, accounts = [], [], []
        known: dict[str, int] = {}
        for at, conversation in enumerate(self._said):
            account = conversation.user_id if self._sampled else str(at)
            if account is None or account in known:
                continue
            known[account] = len(known)
            if by_model:
                text = scrub(conversation.requester_turns()[0])[:SHOWN_CHARACTERS]
            else:
                text = scrub(extract_request(conversation) or "")
            texts.append(text)
            groups.append(self._of["-".join(conversation.conversation_id.split("-")[:4])])
            accounts.append(known[account])
        return Members(
            texts, np.array(groups, np.int32), np.array(accounts, np.int32), ["en"] * len(texts)
        )

    def _described(self, writer: str, members: Members) -> list[Description]:
        least = max(3, self._thresholds.word_accounts) if self._sampled else 1
        number = len(self._attacks)
        if writer == "keywords":
            return describe_by_keywords(self._histograms(members, least))
        vectors = self._embed(members.texts)
        sums = np.zeros((number, vectors.shape[1]))
        np.add.at(sums, members.group, vectors)
        centroids = (sums / np.linalg.norm(sums, axis=1, keepdims=True)).astype(np.float32)
        sensitive = SENSITIVE.__contains__ if self._sampled else None
        plain = describe_groups(
            members, centroids, embed=self._embed, min_accounts=least, sensitive=sensitive
        )
        if writer == "extractive":
            return plain
        others = Members(
            members.texts,
            ((members.group + 1) % number).astype(np.int32),
            members.account,
            members.language,
        )
        return describe_groups_by_model(
            members,
            others,
            centroids,
            embed=self._embed,
            asker=ScriptedAsker(Gullible().answer),
            key=KEY,
            stand_ins=plain,
            facet=REQUEST,
            min_accounts=least,
            sensitive=sensitive,
            identifiers=finds,
        ).descriptions

    def _histograms(self, members: Members, least: int) -> list[Histogram]:
        wanted: list[set[str]] = [set() for _ in self._attacks]
        forms: dict[str, str] = {}
        for text, group in zip(members.texts, members.group.tolist(), strict=True):
            forms |= content_words(text)
            wanted[group] |= set(content_words(text))
        counted = token_counts(
            members.texts, members.group.astype(int), members.account.astype(int), wanted
        )
        words: list[dict[str, int]] = [{} for _ in self._attacks]
        for row in counted.to_pylist():
            needed = least
            if self._sampled and row["token"] in SENSITIVE:
                needed = self._thresholds.sensitive_word_accounts
            if row["accounts"] >= needed:
                words[row["cluster"]][forms[row["token"]]] = row["accounts"]
        sizes = np.bincount(members.group, minlength=len(self._attacks)).tolist()
        return [Histogram(*pair) for pair in zip(sizes, words, strict=True)]

    def _support(self, members: Members, descriptions: Sequence[Description]) -> Support:
        proposed = [[d.title, d.summary, *d.fallback] for d in descriptions]
        broad = [wanted_families(texts, FAMILIES) for texts in proposed]
        wanted = [
            {token for text in texts for token in content_tokens(text)}.union(*of.values())
            for texts, of in zip(proposed, broad, strict=True)
        ]
        occurrences = token_occurrences(
            members.texts, members.group.astype(int), members.account.astype(int), wanted
        )
        counted = count_tokens(
            pa.concat_tables([occurrences, family_occurrences(occurrences, broad)])
        )
        ids = pa.array([str(cluster) for cluster in counted["cluster"].to_pylist()], pa.string())
        accounts: Mapping[Any, int] = {
            who: at for at, who in enumerate(dict.fromkeys(c.user_id for c in self._said))
        }
        counts = window_counts(
            [message.content for c in self._said for message in c.messages],
            np.array([accounts[c.user_id] for c in self._said for _ in c.messages]),
            {window for texts in proposed for text in texts for window in windows(text)},
        )
        return Support.of(
            counted.append_column("cluster_id", ids),
            pa.table({"window": list(counts), "accounts": list(counts.values())}),
            self._thresholds,
            free_phrases(everything=False),
            FAMILIES,
        )
