"""Leaves to a hierarchy of levels."""

from clio.hierarchy.levels import Hierarchy, build, level_sizes

__all__ = ["Hierarchy", "build", "level_sizes"]
