"""Releases made to be published: forms, data cards, differential privacy."""
