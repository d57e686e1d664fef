"""Formats in: files become a stream of rows, each a conversation or the reason why it is none."""

from clio.sources.blobs import shown
from clio.sources.finding import Input, Inputs, expand
from clio.sources.reading import fingerprint, read
from clio.sources.registry import row_format
from clio.sources.rows import MAX_ROW_BYTES, Reason, Row

__all__ = [
    "MAX_ROW_BYTES",
    "Input",
    "Inputs",
    "Reason",
    "Row",
    "expand",
    "fingerprint",
    "read",
    "row_format",
    "shown",
]
