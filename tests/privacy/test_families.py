from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from clio.privacy.families import (
    Family,
    family_occurrences,
    family_token,
    supported,
    wanted_families,
)
from clio.privacy.titles import Support
from clio.privacy.wording import check, count_tokens, token_occurrences
from clio.settings import Thresholds

LIMITS = Thresholds()
TOOLS = Family(frozenset({"hammer", "saw", "pliers"}), sensitive=False)
FAITH = Family(frozenset({"mosque", "bible"}), sensitive=True)
FAMILIES = {"garden tools": TOOLS, "religion": FAITH}


def counted(texts: list[str], accounts: list[int], title: str) -> dict[str, int]:
    """Accounts by token of one cluster that has the title."""
    wanted = [wanted_families([title], FAMILIES)]
    occurrences = token_occurrences(
        texts,
        np.zeros(len(texts), np.int64),
        np.array(accounts, np.int64),
        [{token for tokens in wanted[0].values() for token in tokens}],
    )
    table = count_tokens(family_occurrences(occurrences, wanted))
    return dict(zip(table["token"].to_pylist(), table["accounts"].to_pylist(), strict=True))


def test_accounts_that_used_any_word_of_a_family_are_counted_together() -> None:
    texts = ["a hammer one", "two saws", "my pliers and a hammer", "nothing", "saws again"]
    found = counted(texts, [1, 2, 3, 4, 2], "Ask about garden tools")
    assert found == {family_token("garden tools"): 3}


def test_a_text_that_many_pasted_supports_a_family_once() -> None:
    found = counted(["the same hammer"] * 9, list(range(9)), "Ask about garden tools")
    assert found == {family_token("garden tools"): 1}


def test_only_families_of_phrases_that_stand_in_a_text_are_looked_for() -> None:
    assert wanted_families(["Garden toolshed", "Irreligion"], FAMILIES) == {}
    assert set(wanted_families(["Religion", ""], FAMILIES)) == {family_token("religion")}


@given(st.integers(0, 40), st.integers(0, 40))
def test_a_phrase_is_released_from_the_accounts_of_its_kind_on(tools: int, faith: int) -> None:
    tokens = {family_token("garden tools"): tools, family_token("religion"): faith}
    shown = supported(FAMILIES, tokens, LIMITS)
    assert ("garden tools" in shown) == (tools >= LIMITS.word_accounts)
    assert ("religion" in shown) == (faith >= LIMITS.sensitive_word_accounts)
    for phrase in FAMILIES:
        title = f"Ask about {phrase}"
        assert (not check(title, "", tokens, {}, LIMITS, families=shown)) == (phrase in shown)
    support = Support({"c": tokens}, {}, LIMITS, families=FAMILIES)
    title, _, own = support.words("c", "Ask about religion", "", None, None, set())
    assert own == ("religion" in shown) == (title == "Ask about religion")


def test_a_family_frees_its_phrase_and_no_other_word() -> None:
    shown = frozenset({"religion"})
    assert check("Religion and diabetes", "", {}, {}, LIMITS, families=shown) == ["sensitive"]
    assert check("Ask about religions", "", {}, {}, LIMITS, families=shown)
