"""What tests, benchmarks and ``clio demo`` share: conversations with planted truth."""

from clio.testing.canaries import Canaries
from clio.testing.generator import as_record, generate, write_jsonl
from clio.testing.plants import (
    Campaign,
    Claim,
    Emerging,
    Event,
    LookAlike,
    Plant,
    Rare,
    Truth,
)
from clio.testing.writing import Rates

__all__ = [
    "Campaign",
    "Canaries",
    "Claim",
    "Emerging",
    "Event",
    "LookAlike",
    "Plant",
    "Rare",
    "Rates",
    "Truth",
    "as_record",
    "generate",
    "write_jsonl",
]
