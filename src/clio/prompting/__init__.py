"""What is asked of a language model, and what comes back.

Those who have questions (facets, descriptions, hierarchy) build `Prompt`s; whoever answers them is
an `Asker`. Neither side knows the other.
"""

from clio.prompting.prompt import (
    Asker,
    InvalidAnswerError,
    PendingError,
    Prompt,
    Purpose,
    Reply,
    ask_all,
)

__all__ = ["Asker", "InvalidAnswerError", "PendingError", "Prompt", "Purpose", "Reply", "ask_all"]
