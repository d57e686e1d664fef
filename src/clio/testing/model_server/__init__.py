"""A server that stands in for a language model's: no model, no network, settable faults."""

from clio.testing.model_server.batches import BatchTiming
from clio.testing.model_server.faults import Faults, RateLimits
from clio.testing.model_server.filling import SchemaResponder
from clio.testing.model_server.planted import Planted
from clio.testing.model_server.server import ModelServer
from clio.testing.model_server.shown import Respond, ShownRequest
from clio.testing.model_server.tokens import count_tokens
from clio.testing.model_server.truthful import TruthfulResponder

__all__ = [
    "BatchTiming",
    "Faults",
    "ModelServer",
    "Planted",
    "RateLimits",
    "Respond",
    "SchemaResponder",
    "ShownRequest",
    "TruthfulResponder",
    "count_tokens",
]
