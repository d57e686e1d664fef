"""A map of clusters: places for leaves and their parents, for texts around them, and cells."""

from clio.layout.placing import place
from clio.layout.texts import density_cells, scatter

__all__ = ["density_cells", "place", "scatter"]
