"""What is asked of a language model, and what comes back.

Those who have questions (facets, descriptions, hierarchy) build `Prompt`s; whoever answers them is
an `Asker`. Neither side knows the other.
"""

from clio.prompting.checking import check_codes, check_text, windows
from clio.prompting.marking import DATA_RULES, Guard, clean, guard, marked, unmarked
from clio.prompting.prompt import (
    Asker,
    InvalidAnswerError,
    PendingError,
    Prompt,
    Purpose,
    Reply,
    ask_all,
)

__all__ = [
    "DATA_RULES",
    "Asker",
    "Guard",
    "InvalidAnswerError",
    "PendingError",
    "Prompt",
    "Purpose",
    "Reply",
    "ask_all",
    "check_codes",
    "check_text",
    "clean",
    "guard",
    "marked",
    "unmarked",
    "windows",
]
