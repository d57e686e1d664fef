"""Formats in: files become a stream of rows, each a conversation or the reason why it is none."""

from clio.sources.reading import expand, fingerprint, read, shown
from clio.sources.rows import MAX_ROW_BYTES, Reason, Row

__all__ = ["MAX_ROW_BYTES", "Reason", "Row", "expand", "fingerprint", "read", "shown"]
