"""Short turns that ask for nothing: greetings, thanks, yes and no."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

LONGEST: Final = 12
NO_TITLE: Final = "Disagree or answer no"
YES_TITLE: Final = "Agree or answer yes"
EITHER_TITLE: Final = "Answer yes or no"
# In order of precedence: the first whose phrase is found gives the title.
_ACTS: Final[tuple[tuple[str, str], ...]] = (
    ("Ask to repeat the last answer",
     "repeat|say that again|say it again|come again|pardon|what did you say|what was that|"
     "one more time|did not hear|did not catch|say that one|can not hear"),
    ("Cancel the last request", "cancel|never mind|nevermind|forget it|stop|quit|abort|"
     "forget about"),
    ("Say goodbye to the assistant", "goodbye|good bye|bye|see you|see ya|farewell|"
     "talk to you later|good night|"
     "later|leave|leaving|nice talking|good talking|nice chatting|talk soon|great talking|"
     "talking to you|"
     "speaking with you|have to go|take care"),
    ("Thank the assistant", "thank|thanks|thank you|appreciate|appreciated|grateful|thx"),
    ("Give an unclear answer", "maybe|perhaps|possibly|not sure|unsure|do not know|no idea|"
     "uncertain|not certain|no clue|can not decide|either way|can not answer|can not say|"
     "might be|could be|unclear"),
    (NO_TITLE, "no|nope|nah|false|negative|not true|incorrect|wrong|absolutely not|"
     "definitely not|not correct|not right|disagree"),
    (YES_TITLE, "yes|yeah|yep|yup|affirmative|correct|true|that is right|agree|sure|okay|"
     "absolutely|indeed|of course|right|it is so"),
    ("Greet the assistant", "hello|hi|hey|greetings|good morning|good afternoon|good evening|"
     "how are you|what is up|how is it going|how have you been|how are things|howdy|how you doing|"
     "how do you do|nice to meet|how is your|are you doing|your day|been up to|going on"),
)  # fmt: skip
_PHRASES: Final = tuple((title, re.compile(f" (?:{phrases}) ")) for title, phrases in _ACTS)

_SUM: Final = re.compile(
    r" (?:plus|minus|times|divided by|multiplied by|square root|percent of|sum of|multiply|divide|"
    r"subtract|add|squared|cubed|average of|[+*%]) "
)
_DIGIT: Final = re.compile(r"\d")
_MEANING: Final = re.compile(
    r" what (?:does|do) (?:\S+ ){1,4}mean | definition of | define | defined as |"
    r" (?:meaning of|mean by) (?:the )?(?:word|term|phrase) "
)
_CALLED: Final = re.compile(r" (?:call me|refer to me as|address me as|my name is|my name to) ")
CALLED_TITLE: Final = "Choose a name to be called by"
SUM_TITLE: Final = "Solve an arithmetic problem"
MEANING_TITLE: Final = "Ask what a word means"

ACT_THEMES: Final = {
    SUM_TITLE: "arithmetic",
    MEANING_TITLE: "word meanings",
    CALLED_TITLE: "names",
    "Ask to repeat the last answer": "repetition",
    "Cancel the last request": "cancellation",
    "Say goodbye to the assistant": "goodbyes",
    "Thank the assistant": "thanks",
    "Give an unclear answer": "unclear answers",
    NO_TITLE: "answers",
    YES_TITLE: "answers",
    EITHER_TITLE: "answers",
    "Greet the assistant": "greetings",
}


def act_of(words: Sequence[str]) -> str:
    """Title of the act that a short text performs, or empty."""
    if len(words) > LONGEST:
        return ""
    text = f" {' '.join(word for word in words if word[0].isalnum() or word in '+*%')} "
    if _DIGIT.search(text) and _SUM.search(text):
        return SUM_TITLE
    if _CALLED.search(text):
        return CALLED_TITLE
    if _MEANING.search(text):
        return MEANING_TITLE
    for title, phrases in _PHRASES:
        if phrases.search(text):
            return title
    return ""
