"""Leaves to a hierarchy of levels: by distance alone, or by a language model."""

from clio.hierarchy.levels import Hierarchy, build, level_sizes
from clio.hierarchy.model import ModelHierarchy, build_by_model

__all__ = ["Hierarchy", "ModelHierarchy", "build", "build_by_model", "level_sizes"]
