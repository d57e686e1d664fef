"""Every kind of input: to add one, write its file and add its line here."""

from __future__ import annotations

from typing import Final

from clio.sources.jsonl import JSONL
from clio.sources.own import OWN
from clio.sources.parquet import PARQUET
from clio.sources.rows import Container, RowFormat

# The first that recognises a file takes it.
CONTAINERS: Final[tuple[Container, ...]] = (
    PARQUET,
    JSONL,
)

# The first that recognises a record takes it; the last takes what nobody recognised, to say why
# it cannot be read.
ROW_FORMATS: Final[tuple[RowFormat, ...]] = (OWN,)
