"""JSON: an array of conversations, an object that wraps one, or a single conversation.

An export may be one array of a gigabyte, so it is never decoded whole: elements are cut out by
following brackets and strings, chunk by chunk, and decoded one at a time. An element that is
broken inside is rejected alone; brackets that do not match end where an outer one does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import Final

import orjson

from clio.sources.blobs import Blob
from clio.sources.compression import PEEK, Contents, Head
from clio.sources.json_text import BOM, Texts
from clio.sources.rows import MAX_ROW_BYTES, Container, Reason

_SUFFIXES: Final = (".json", ".json.gz", ".json.zst")

# Lists that hold conversations inside one object. ShareGPT rows have `conversations` too: of
# turns, which are told by their names.
_WRAPPERS: Final = frozenset({"conversations", "data"})
_TURNS: Final = frozenset({"from", "value", "role", "content"})

_MAX_DEPTH: Final = 1024  # the decoder refuses more

_STRING: Final = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_IN_STRING: Final = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_TO_BRACKET: Final = re.compile(rb'[^"{}\[\]]*+(?:' + _STRING + rb'[^"{}\[\]]*+)*+', re.DOTALL)
_TO_COMMA: Final = re.compile(rb'[^"{}\[\],]*+(?:' + _STRING + rb'[^"{}\[\],]*+)*+', re.DOTALL)
_TO_VALUE: Final = re.compile(rb"[^{\[]*+")
_BETWEEN: Final = re.compile(rb"[\s,}]*+")
_OUTSIDE: Final = re.compile(rb"[\s,}\]]*+")

_QUOTE, _COMMA, _LIST_END = b'",]'
_OPENING: Final = b"{["
_PARTNER: Final = {ord("}"): ord("{"), ord("]"): ord("[")}


class Cutter:
    """Cuts elements out of JSON that comes in chunks, wherever the chunks end.

    Parameters
    ----------
    wrapped
        Whether it begins inside the list of a wrapping object.
    """

    def __init__(self, *, wrapped: bool = False) -> None:
        self._number = 0
        self._wrapped = wrapped
        self._in_list = wrapped
        self._inside = False  # an element has begun
        self._passing = False  # ... of which nothing is wanted: the rest of a wrapping object
        self._open = bytearray()  # brackets open in it
        self._deeper = 0  # and those beyond the depth that is followed
        self._in_string = False
        self._escaped = False
        self._pieces: list[bytes] = []
        self._size = 0
        self._texts: list[tuple[int, bytes | Reason]] = []

    def cut(self, chunk: bytes) -> list[tuple[int, bytes | Reason]]:
        """The elements that end in the next chunk, numbered from 1."""
        self._texts = []
        at = start = 0
        while at < len(chunk):
            if self._in_string:
                at = self._through_string(chunk, at)
            elif not self._inside:
                at = start = self._to_element(chunk, at)
            else:
                at, ended = self._through_element(chunk, at, start)
                if ended:
                    self._finish(chunk[start:at])
        if self._inside:
            self._keep(chunk[start:])
        return self._texts

    def end(self, reason: Reason | None) -> list[tuple[int, bytes | Reason]]:
        """What is left where the JSON ends, with the reason where it should not have ended."""
        if reason is None and (self._in_list or (self._inside and self._open)):
            reason = Reason.JSON_ENDS_EARLY
        self._texts = []
        if reason is not None:
            self._number += 1
            too_large = self._size > MAX_ROW_BYTES
            self._texts.append((self._number, Reason.ROW_TOO_LARGE if too_large else reason))
        elif self._inside:
            self._finish(b"")
        return self._texts

    def _to_element(self, chunk: bytes, at: int) -> int:
        """Go to where the next element begins, and enter or leave the list on the way."""
        at = _after(_BETWEEN if self._in_list else _OUTSIDE, chunk, at)
        if at == len(chunk):
            return at
        byte = chunk[at]
        if self._in_list and byte == _LIST_END:
            self._in_list = False
            if self._wrapped:
                self._wrapped, self._inside, self._passing = False, True, True
                self._open[:] = b"{"
            return at + 1
        if not self._in_list and byte == ord("["):
            self._in_list = True
            return at + 1
        self._inside = True
        return at

    def _through_element(self, chunk: bytes, at: int, start: int) -> tuple[int, bool]:
        """Go as far as its brackets go; whether the element ends there."""
        if self._open:
            return self._through_brackets(chunk, at)
        first = at == start and not self._pieces
        if first and chunk[at] in _OPENING:
            self._open.append(chunk[at])
            return at + 1, False
        pattern = _TO_COMMA if self._in_list else _TO_VALUE
        at = _after(pattern, chunk, at)
        if at == len(chunk):
            return at, False
        byte = chunk[at]
        if byte == _QUOTE:
            self._in_string = True
            return at + 1, False
        if byte == _COMMA or byte in _OPENING or (byte == _LIST_END and self._in_list):
            return at, True
        return at + 1, False

    def _through_brackets(self, chunk: bytes, at: int) -> tuple[int, bool]:
        brackets = self._open
        while True:
            at = _after(_TO_BRACKET, chunk, at)
            if at == len(chunk):
                return at, False
            byte = chunk[at]
            at += 1
            if byte == _QUOTE:
                self._in_string = True
                return at, False
            if byte in _OPENING:
                if len(brackets) < _MAX_DEPTH:
                    brackets.append(byte)
                else:
                    self._deeper += 1
            elif self._deeper:
                self._deeper -= 1
            elif (partner := brackets.rfind(_PARTNER[byte])) >= 0:
                del brackets[partner:]
                if not brackets:
                    return at, True
            elif byte == _LIST_END and self._in_list:
                # The list's own end: the element broke off.
                brackets.clear()
                return at - 1, True

    def _through_string(self, chunk: bytes, at: int) -> int:
        if self._escaped:
            self._escaped = False
            at += 1
        at = _after(_IN_STRING, chunk, at)
        if at < len(chunk):
            self._in_string = chunk[at] != _QUOTE
            self._escaped = self._in_string
            at += 1
        return at

    def _keep(self, piece: bytes) -> None:
        if self._passing:
            return
        self._size += len(piece)
        if self._size > MAX_ROW_BYTES:
            self._pieces.clear()  # too large whatever follows; only its end is of interest
        self._pieces.append(piece if self._size <= MAX_ROW_BYTES else b"")

    def _finish(self, piece: bytes) -> None:
        self._keep(piece)
        if not self._passing:
            self._number += 1
            too_large = self._size > MAX_ROW_BYTES
            text = Reason.ROW_TOO_LARGE if too_large else b"".join(self._pieces)
            self._texts.append((self._number, text))
        self._pieces = []
        self._size = 0
        self._inside = self._passing = False


def _after(pattern: re.Pattern[bytes], text: bytes, at: int) -> int:
    """Where what a pattern matches at a place ends."""
    found = pattern.match(text, at)
    return at if found is None else found.end()


def _blocks(blob: Blob) -> Iterator[Texts]:
    contents = Contents(blob)
    chunks = iter(contents)
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= PEEK:
            break
    head = head.removeprefix(BOM)
    # By the same part of the file by which its kind was told.
    inner = _wrapped_list(head[:PEEK])
    cutter = Cutter(wrapped=inner is not None)
    for chunk in chain((head[inner or 0 :],), chunks):
        if texts := cutter.cut(chunk):
            yield Texts(texts)
    if texts := cutter.end(contents.end):
        yield Texts(texts)


def _wrapped_list(text: bytes) -> int | None:
    """Where the elements begin of the list that an object wraps, or ``None``."""
    for name, at in _members(text, 0):
        if name in _WRAPPERS and text.startswith(b"[", at):
            first = _after(_BETWEEN, text, at + 1)
            names = {name for name, _ in _members(text, first)}
            if names and names.isdisjoint(_TURNS):
                return at + 1
    return None


_WHOLE_STRING: Final = re.compile(_STRING, re.DOTALL)
_KEY: Final = re.compile(rb"[{,]?\s*(" + _STRING + rb")\s*:\s*", re.DOTALL)
_SCALAR: Final = re.compile(rb"[^,}\]\s]*+\s*")


def _members(text: bytes, at: int) -> Iterator[tuple[str, int]]:
    """Names of an object's members and where their values begin, as far as the text goes."""
    while at < len(text) and text[at] in b" \t\r\n":
        at += 1
    if not text.startswith(b"{", at):
        return
    while (found := _KEY.match(text, at)) is not None:
        try:
            name = str(orjson.loads(found[1]))
        except orjson.JSONDecodeError:
            return
        yield name, found.end()
        end = _value_end(text, found.end())
        if end is None or not text.startswith(b",", end):
            return
        at = end


def _value_end(text: bytes, at: int) -> int | None:
    """Where the value at a place is followed by something else; ``None`` where it does not end."""
    if text[at : at + 1] in (b"{", b"["):
        depth = 0
        while True:
            at = _after(_TO_BRACKET, text, at)
            if at == len(text) or text[at] == _QUOTE:
                return None
            depth += 1 if text[at] in _OPENING else -1
            at += 1
            if depth == 0:
                break
    elif text[at : at + 1] == b'"':
        end = _after(_WHOLE_STRING, text, at)
        if end == at:
            return None
        at = end
    return _after(_SCALAR, text, at)


def _recognises(head: Head) -> bool:
    text = head.plain.removeprefix(BOM).lstrip()
    named = head.name.endswith(_SUFFIXES)
    if text.startswith(b"["):
        return named or text[1:].lstrip()[:1] in (b"{", b"]", b"")
    if not text.startswith(b"{"):
        return False
    line, broken, rest = text.partition(b"\n")
    rest = rest.lstrip()
    if broken and rest and _is_json(line):
        return False
    if _wrapped_list(text) is not None:
        return True
    if not (broken and rest):
        return named
    # Pretty-printed, where the first line cannot have been all.
    return line.rstrip().endswith((b"{", b"[", b",", b":")) or rest[:1] in (b",", b"]", b"}")


def _is_json(line: bytes) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True


JSON = Container(name="JSON", suffixes=_SUFFIXES, recognises=_recognises, blocks=_blocks)
