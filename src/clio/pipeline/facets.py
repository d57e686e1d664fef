"""Which facets a run has: what its analyst answers, the user's own, and the computed ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import pyarrow as pa
from pydantic import TypeAdapter

from clio.analysts import load_analyst
from clio.facet import Facet
from clio.facets import COMPUTED, OFFLINE_FACETS, ComputedFacet, own_facets, standard_facets
from clio.safety.policy import policy_facet, read_policy
from clio.settings import Settings

_ARROW: Final = {
    "text": pa.string(),
    "category": pa.string(),
    "categories": pa.list_(pa.string()),
    "boolean": pa.bool_(),
    "number": pa.int64(),
    "scale": pa.int64(),
}


@dataclass(frozen=True)
class Facets:
    """The facets of a run.

    Attributes
    ----------
    asked
        Those that the analyst answers, in the order of their columns.
    computed
        Those that are computed.
    """

    asked: tuple[Facet, ...]
    computed: tuple[ComputedFacet, ...]

    @property
    def all(self) -> tuple[Facet, ...]:
        """Every facet, asked ones first."""
        return (*self.asked, *(computed.facet for computed in self.computed))

    @property
    def clustered(self) -> tuple[Facet, ...]:
        """Those whose answers are grouped, the primary one first."""
        return tuple(facet for facet in self.asked if facet.clustered)

    @property
    def primary(self) -> Facet:
        """The one that decides whether a conversation is assigned."""
        return self.clustered[0]

    @property
    def closed(self) -> tuple[Facet, ...]:
        """Those that are a dimension of breakdowns; free text and unbounded numbers never are."""
        return tuple(
            facet
            for facet in self.all
            if facet.breakdown
            and facet.kind != "text"
            and not (facet.kind == "number" and not facet.bins)
        )

    @property
    def measures(self) -> tuple[Facet, ...]:
        """Those whose mean by cluster is released."""
        return tuple(
            facet for facet in self.all if facet.measure and facet.kind in ("number", "scale")
        )

    def schema(self) -> pa.Schema:
        """Columns of ``facets.parquet``."""
        columns = [(facet.name, _ARROW[facet.kind]) for facet in self.all]
        return pa.schema([("conversation_id", pa.string()), *columns])


def facets_of(settings: Settings) -> Facets:
    """The facets of a run with these settings: a model answers all, the user's own, and a policy.

    Raises
    ------
    SettingsError
        No analyst has the name, or the file of own facets or of a policy cannot be read.
    """
    if settings.model_for_facets is not None:
        own = own_facets(settings.facets) if settings.facets is not None else ()
        policy = () if settings.policy is None else (policy_facet(read_policy(settings.policy)),)
        return Facets((*standard_facets(), *own, *policy), COMPUTED)
    answers = load_analyst(settings.analyst).answers
    return Facets(tuple(facet for facet in OFFLINE_FACETS if facet.name in answers), COMPUTED)


def recorded(facets: Facets) -> list[dict[str, Any]]:
    """The asked facets as ``run.json`` keeps them: the user's file may be gone or changed."""
    return [asdict(facet) for facet in facets.asked]


def restored(records: Iterable[Mapping[str, Any]]) -> Facets:
    """The facets that `recorded` wrote."""
    return Facets(TypeAdapter(tuple[Facet, ...]).validate_python(list(records)), COMPUTED)
