"""Identifiers by kind: each module has the rules of a few, `clio.privacy.scrub` runs them."""
