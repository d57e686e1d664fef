"""At least a hundred attacks, each against every structural defence."""

from __future__ import annotations

from collections import Counter

import pytest

from clio.analysts.tokens import count_tokens
from clio.conversation import Outcome
from clio.describing.asking import Writer
from clio.facets import MODEL_FACETS, REQUEST
from clio.privacy.wording import check as check_wording
from clio.privacy.wording import content_tokens
from clio.prompting import InvalidAnswerError, unmarked
from clio.settings import Thresholds
from clio.testing.scripted import nonce_of

from .attacks import ATTACKS, Attack
from .obeying import EFFECTS, NAME
from .reading import FAIR, KEY, analyst, contained, identifiers, is_cut, obeying, speakers, turns

READ = [attack for attack in ATTACKS if attack.family != "describing"]
OPTIONS = {facet.name: facet.options for facet in MODEL_FACETS if facet.options}

CUT = {"flooding-1", "flooding-4", "flooding-5", "flooding-6", "flooding-8", "flooding-9"}
"""Those that are longer than the budget."""

each = pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
each_read = pytest.mark.parametrize("attack", READ, ids=lambda attack: attack.name)
each_described = pytest.mark.parametrize(
    "attack",
    [attack for attack in ATTACKS if attack.family == "describing"],
    ids=lambda attack: attack.name,
)


def test_there_are_enough_of_every_family() -> None:
    families = Counter(attack.family for attack in ATTACKS)
    assert len(ATTACKS) >= 100
    assert len(families) >= 12
    assert min(families.values()) >= 6
    used = {id(attack.effect) for attack in ATTACKS}
    assert used == {id(effect) for effect in EFFECTS.values()}


@each
def test_the_attack_stays_data(attack: Attack) -> None:
    model = analyst(obeying(attack.effect), screen="Is it about food?")
    for prompt in (
        *model.prompts([attack.conversation]),
        *model.screen_prompts([attack.conversation]),
    ):
        assert contained(prompt)
        assert count_tokens(prompt.user) < 8100
        if attack.invisible:
            assert attack.invisible not in prompt.user
        assert is_cut(prompt) == (attack.name in CUT)
        if attack.name not in CUT:
            assert speakers(prompt) == turns(attack.conversation)


@each
def test_nothing_of_it_reaches_the_instructions(attack: Attack) -> None:
    model = analyst(obeying(attack.effect))
    (prompt,) = model.prompts([attack.conversation])
    (other,) = model.prompts([READ[0].conversation])
    assert prompt.schema == other.schema
    assert sorted(prompt.system) == sorted(other.system)  # Options may stand in another order.


@each_read
def test_an_answer_that_obeys_does_not_count(attack: Attack) -> None:
    asker = obeying(attack.effect)
    (answer,) = analyst(asker).answer([attack.conversation])
    if attack.effect.fate == "rejected":
        assert answer.outcome is Outcome.FAILED
        assert not answer.values
        assert answer.reason
        assert NAME not in answer.reason
    elif attack.effect.fate == "skipped":
        assert answer.outcome is Outcome.SKIPPED
    else:
        assert answer.outcome is Outcome.ASSIGNED
        assert set(answer.values) <= set(FAIR)
        assert all(answer.values[name] in options for name, options in OPTIONS.items())
        assert 1 <= int(str(answer.values["concern"])) <= 5
        changed = {name for name, value in answer.values.items() if value != FAIR[name]}
        assert changed <= {"concern", "concern_class", "topic"}
        if attack.effect.fate == "gate":
            title = str(answer.values["topic"])
            support = dict.fromkeys(content_tokens(title), 9)
            assert check_wording(title, "", support, {}, Thresholds())


@each_described
def test_poisoned_answers_do_not_reach_a_title(attack: Attack) -> None:
    """An attack that came through as somebody's request, among those that name clusters."""
    writer = Writer(facet=REQUEST, key=KEY, language="English", identifiers=identifiers)
    poison = attack.conversation.messages[0].content
    prompt = writer.group(["Ask about bread.", poison, "Ask about soup."], [poison], [], None)
    assert contained(prompt, kinds=2)
    group, contrast = unmarked(prompt.user)
    assert len(group.split("\n")) == 3
    assert len(contrast.split("\n")) == 1
    fair = {"summary": "Users asked about food.", "title": "Ask about food"}
    answer = attack.effect.change({**fair, "check": nonce_of(prompt)}, prompt)
    if attack.effect.fate == "gate":
        title = prompt.check(answer).title
        support = dict.fromkeys(content_tokens(title), 9)
        assert check_wording(title, "", support, {}, Thresholds())
    else:
        with pytest.raises(InvalidAnswerError):
            prompt.check(answer)
