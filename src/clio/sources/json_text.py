"""JSON from untrusted bytes: decoded, or refused with a reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import orjson

from clio.sources.rows import Reason, Record, RejectedError

BOM: Final = b"\xef\xbb\xbf"
"""Some programs begin UTF-8 with it."""

_HIGH = rb"\\u[dD][89abAB][0-9a-fA-F]{2}"
_LOW = rb"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
# Every escape is consumed, so that the backslash of an escaped backslash starts none.
_ESCAPE = re.compile(
    rb"(?P<pair>" + _HIGH + _LOW + rb")|(?P<lone>" + _HIGH + rb"|" + _LOW + rb")|\\."
)


def decode(text: bytes) -> Any:
    """The value of a JSON text.

    Lone surrogates, which JSON can spell and UTF-8 cannot, become U+FFFD.

    Raises
    ------
    RejectedError
        The text is not UTF-8 or not JSON (``NaN`` and ``Infinity`` are not).
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        raise RejectedError(Reason.BROKEN_UTF8) from None
    mended = _ESCAPE.sub(lambda found: rb"\ufffd" if found["lone"] else found[0], text)
    if mended != text:
        try:
            return orjson.loads(mended)
        except orjson.JSONDecodeError:
            pass
    raise RejectedError(Reason.BROKEN_JSON)


class Texts:
    """JSON texts that are not decoded yet, each with its number; a reason stands for one unread.

    Parameters
    ----------
    texts
        Numbers, and texts or why there is none.
    """

    def __init__(self, texts: list[tuple[int, bytes | Reason]]) -> None:
        self._texts = texts

    def __len__(self) -> int:
        return len(self._texts)

    def records(self, start: int) -> Iterator[Record]:
        """Decode the texts from the `start`-th on."""
        for number, text in self._texts[start:]:
            if isinstance(text, Reason):
                yield number, None, text
                continue
            try:
                record = decode(text)
            except RejectedError as rejected:
                yield number, None, rejected.reason
            else:
                yield number, record, None
