"""A language model's opinion of how far a text points to somebody, on the Clio paper's scale.

An opinion and no proof: what the gate promises, it counts (`clio.privacy`). The model is asked
twice, in two ways, and the lower rating counts. How well it judges is measured on a set of
descriptions that ships with Clio.
"""

from clio.auditing.judge.asking import KEPT, PUBLIC, Judgement, judge_prompts, judge_texts
from clio.auditing.judge.measuring import Accuracy, Labelled, judge_accuracy, judge_set

__all__ = [
    "KEPT",
    "PUBLIC",
    "Accuracy",
    "Judgement",
    "Labelled",
    "judge_accuracy",
    "judge_prompts",
    "judge_set",
    "judge_texts",
]
