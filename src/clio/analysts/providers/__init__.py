"""Providers of models, one a file."""
