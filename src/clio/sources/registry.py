"""Every kind of input: to add one, write its file and add its line here."""

from __future__ import annotations

from typing import Final

from clio.errors import SettingsError
from clio.sources.chatgpt import CHATGPT
from clio.sources.claude import CLAUDE
from clio.sources.json_document import JSON
from clio.sources.jsonl import JSONL
from clio.sources.lmsys import LMSYS
from clio.sources.openai import OPENAI
from clio.sources.own import OWN
from clio.sources.parquet import PARQUET
from clio.sources.rows import Container, RowFormat
from clio.sources.sharegpt import SHAREGPT
from clio.sources.unknown import UNKNOWN
from clio.sources.wildchat import WILDCHAT

# The first that recognises a file takes it. JSON looks at more of it than JSON Lines does.
CONTAINERS: Final[tuple[Container, ...]] = (
    PARQUET,
    JSON,
    JSONL,
)

# The first that recognises a record takes it; the last takes what nobody recognised, to say why
# it cannot be read.
ROW_FORMATS: Final[tuple[RowFormat, ...]] = (
    OWN,
    WILDCHAT,
    LMSYS,
    CHATGPT,
    CLAUDE,
    SHAREGPT,
    OPENAI,
    UNKNOWN,
)


def row_format(name: str) -> RowFormat:
    """The row format of that name, whatever its case; the beginning of a name will do.

    Raises
    ------
    SettingsError
        There is none.
    """
    asked = name.strip().casefold()
    meant = [known for known in ROW_FORMATS[:-1] if known.name.casefold().startswith(asked)]
    if len(meant) == 1 and asked:
        return meant[0]
    names = ", ".join(known.name for known in ROW_FORMATS[:-1])
    raise SettingsError(f"--format {name} is not known; there are {names}")
