"""Vectors to base clusters: how many, where, and which text belongs to which."""

from clio.clustering.choosing import initial_k, training_size
from clio.clustering.fitting import BaseClusters, fit
from clio.clustering.kmeans import assign
from clio.clustering.merging import merge_small
from clio.clustering.stability import stability

__all__ = [
    "BaseClusters",
    "assign",
    "fit",
    "initial_k",
    "merge_small",
    "stability",
    "training_size",
]
