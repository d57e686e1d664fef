"""The expressions of ``--where``: which conversations a run takes in.

A small part of Python's expressions, parsed with `ast` and turned into functions; nothing is ever
evaluated as code. The language is described for users in ``docs/where.md``.
"""

from __future__ import annotations

import ast
import operator
import unicodedata
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, NoReturn

from clio.conversation import Conversation, normalise_text
from clio.errors import SettingsError

MAX_CHARACTERS: Final = 4_000
MAX_DEPTH: Final = 32

Scalar = str | int | float | bool
Detector = Callable[[Conversation], str]

_DATE_NAMES: Final = frozenset({"date", "created_at"})
_ACCOUNT_NAMES: Final = frozenset({"user_id", "account", "conversation_id"})
_CONSTANTS: Final[Mapping[str, bool]] = {"true": True, "false": False}
_ALLOWED: Final = (
    "allowed are date, language, turns, words, labels by name or as labels['name'], text in "
    "quotes, numbers, lists, == != < <= > >= in, and, or, not"
)

_SAME: Final[Mapping[type[ast.cmpop], Callable[[Any, Any], bool]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_ORDER: Final[Mapping[type[ast.cmpop], Callable[[Any, Any], bool]]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_MIRRORED: Final[Mapping[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Eq: ast.Eq,
    ast.NotEq: ast.NotEq,
    ast.Lt: ast.Gt,
    ast.LtE: ast.GtE,
    ast.Gt: ast.Lt,
    ast.GtE: ast.LtE,
}

# Scripts whose words are not set apart by spaces, or carry their particles without one: there a
# phrase counts wherever it stands.
_UNSPACED: Final = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1100, 0x11FF),  # Hangul letters
    (0x1780, 0x17FF),  # Khmer
    (0x3005, 0x3007),
    (0x3040, 0x30FF),  # kana
    (0x3130, 0x318F),
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),
    (0xAC00, 0xD7FF),  # Hangul
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)


class _View:
    """A conversation and what a condition may ask of it, found when first asked."""

    __slots__ = ("_detector", "_language", "_turns", "conversation")

    def __init__(self, conversation: Conversation, detector: Detector) -> None:
        self.conversation = conversation
        self._detector = detector
        self._language: str | None = None
        self._turns: list[str] | None = None

    def language(self) -> str:
        if self._language is None:
            self._language = self._detector(self.conversation).casefold()
        return self._language

    def turns(self) -> list[str]:
        if self._turns is None:
            self._turns = [normalise_text(turn) for turn in self.conversation.requester_turns()]
        return self._turns

    def label(self, path: tuple[str, ...]) -> Any:
        """A label's value; ``None`` where it or a step towards it is missing."""
        value: Any = self.conversation.labels
        for name in path:
            if not isinstance(value, Mapping):
                return None
            value = value.get(name)
        return value


_Test = Callable[[_View], bool]


@dataclass(frozen=True, slots=True)
class _Field:
    """What a name stands for: date, language, turns, words, labels (all of them) or label (one)."""

    kind: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Literal:
    value: Scalar | tuple[Scalar, ...]


@dataclass(frozen=True)
class Condition:
    """What conversations must fulfil to be taken in.

    Attributes
    ----------
    expression
        Its canonical text: two expressions that differ in spaces and quotes alone share it.
    labels
        First names of the labels that it asks for, sorted.
    """

    expression: str
    labels: tuple[str, ...]
    _test: _Test = field(repr=False, compare=False)
    _detector: Detector = field(repr=False, compare=False)

    def __call__(self, conversation: Conversation) -> bool:
        """Whether `conversation` fulfils it; never raises."""
        return self._test(_View(conversation, self._detector))


def compile_where(expression: str, *, language: Detector) -> Condition:
    """A condition from an expression.

    Parameters
    ----------
    expression
        Such as ``country == 'DE' and date >= '2025-03' and 'visa' in words``.
    language
        The language code of a conversation; called only where the expression asks for it.

    Raises
    ------
    SettingsError
        The expression is too long or nested too deeply, or holds what is not allowed; the message
        says where and what is.
    """
    # Line breaks, as in a settings file, mean nothing.
    text = " ".join(expression.splitlines()).strip()
    if not text:
        raise SettingsError(f"--where is empty; {_ALLOWED}")
    if len(text) > MAX_CHARACTERS:
        raise SettingsError(f"--where is over {MAX_CHARACTERS:,} characters long; shorten it")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text, mode="eval")
    except SyntaxError as error:
        # 0: the end came too soon.
        at = error.offset or len(text) + 1
        what = error.msg.split(". Perhaps you forgot")[0].rstrip(".")
        raise SettingsError(f"--where, character {at}: {what}; {_ALLOWED}") from None
    except (ValueError, MemoryError, RecursionError):
        raise SettingsError(f"--where cannot be read or is nested too deeply; {_ALLOWED}") from None
    compiler = _Compiler(text)
    test = compiler.condition(tree.body, 0)
    return Condition(ast.unparse(tree), tuple(sorted(compiler.labels)), test, language)


class _Compiler:
    """Turns the nodes of one expression into functions, or refuses them with their place."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.labels: set[str] = set()

    def refuse(self, node: ast.expr, what: str) -> NoReturn:
        # Columns of `ast` count bytes.
        before = self.text.encode("utf-8", "surrogatepass")[: node.col_offset]
        at = len(before.decode("utf-8", "replace")) + 1
        raise SettingsError(f"--where, character {at}: {what}")

    def condition(self, node: ast.expr, depth: int) -> _Test:
        if depth > MAX_DEPTH:
            self.refuse(node, f"nested more than {MAX_DEPTH} deep")
        if isinstance(node, ast.BoolOp):
            tests = [self.condition(value, depth + 1) for value in node.values]
            if isinstance(node.op, ast.And):
                return lambda view: all(test(view) for test in tests)
            return lambda view: any(test(view) for test in tests)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            inner = self.condition(node.operand, depth + 1)
            return lambda view: not inner(view)
        if isinstance(node, ast.Compare):
            return self.comparison(node)
        found = self.operand(node)
        if not isinstance(found, _Field) or found.kind != "label":
            self.refuse(node, "a condition is expected here, such as country == 'DE'")
        path = found.path
        return lambda view: bool(view.label(path))

    def comparison(self, node: ast.Compare) -> _Test:
        operands = [node.left, *node.comparators]
        tests = [self.pair(operands[at], op, operands[at + 1]) for at, op in enumerate(node.ops)]
        if len(tests) == 1:
            return tests[0]
        return lambda view: all(test(view) for test in tests)

    def pair(self, left_node: ast.expr, op: ast.cmpop, right_node: ast.expr) -> _Test:
        left, right = self.operand(left_node), self.operand(right_node)
        if isinstance(op, ast.In | ast.NotIn):
            test = self.membership(left_node, left, right_node, right)
            if isinstance(op, ast.In):
                return lambda view: test(view) is True
            # Where a label is missing there is nothing to say about it, so this is false too.
            return lambda view: test(view) is False
        kind = type(op)
        if kind not in _MIRRORED:
            self.refuse(right_node, "'is' is not allowed; use == or, for labels, 'name' in labels")
        if isinstance(left, _Literal) and isinstance(right, _Field):
            left, right, kind = right, left, _MIRRORED[kind]
            left_node, right_node = right_node, left_node
        if isinstance(left, _Literal):
            self.refuse(left_node, "one side of a comparison must be a name")
        if isinstance(right, _Field):
            self.refuse(right_node, "a name is compared with a name; text stands in quotes: 'DE'")
        if isinstance(right.value, tuple):
            self.refuse(right_node, "a list is compared with 'in'")
        return self.scalar(left_node, left, kind, right_node, right.value)

    def scalar(
        self,
        field_node: ast.expr,
        found: _Field,
        kind: type[ast.cmpop],
        value_node: ast.expr,
        value: Scalar,
    ) -> _Test:
        """A field against one value."""
        if found.kind == "words":
            self.refuse(field_node, "words are searched with 'in': 'visa' in words")
        if found.kind == "labels":
            self.refuse(field_node, "name a label: labels['name']")
        if found.kind == "date":
            return self.moment(kind, value_node, value)
        if found.kind == "turns":
            if isinstance(value, str):
                self.refuse(value_node, "turns are compared with a number")
            compare = {**_SAME, **_ORDER}[kind]
            return lambda view: compare(len(view.turns()), value)
        if found.kind == "language":
            if kind not in _SAME or not isinstance(value, str):
                self.refuse(value_node, "language is compared by == or in with codes such as 'en'")
            same, code = _SAME[kind], value.casefold()
            return lambda view: same(view.language(), code)
        path = found.path
        if kind in _SAME:
            same = _SAME[kind]
            return lambda view: (known := view.label(path)) is not None and same(known, value)
        order = _ORDER[kind]
        comparable = str if isinstance(value, str) else (int, float)
        return lambda view: (
            isinstance(known := view.label(path), comparable) and order(known, value)
        )

    def moment(self, kind: type[ast.cmpop], node: ast.expr, value: Scalar) -> _Test:
        """When it began against a day, month, year (the whole of it) or moment, in UTC."""
        span = _span(value) if isinstance(value, str) else None
        if span is None:
            self.refuse(node, "a date reads '2025-03-01', '2025-03', '2025' or '2025-03-01T09:30'")
        start, end = span
        tests: dict[type[ast.cmpop], Callable[[datetime], bool]] = {
            ast.Eq: lambda began: start <= began < end,
            ast.NotEq: lambda began: not start <= began < end,
            ast.Lt: lambda began: began < start,
            ast.LtE: lambda began: began < end,
            ast.Gt: lambda began: began >= end,
            ast.GtE: lambda began: began >= start,
        }
        test = tests[kind]
        return lambda view: (began := view.conversation.created_at) is not None and test(began)

    def membership(
        self,
        left_node: ast.expr,
        left: _Field | _Literal,
        right_node: ast.expr,
        right: _Field | _Literal,
    ) -> Callable[[_View], bool | None]:
        """Whether the one holds the other; ``None`` where a label is missing."""
        if isinstance(left, _Field):
            return self.one_of(left_node, left, right_node, right)
        value = left.value
        if isinstance(value, tuple) or not isinstance(right, _Field):
            self.refuse(left_node, "'in' reads 'visa' in words, or country in ['DE', 'AT']")
        if right.kind == "words":
            phrase = normalise_text(value) if isinstance(value, str) else ""
            if not phrase:
                self.refuse(left_node, "what is searched in words is text in quotes")
            return lambda view: any(_holds(turn, phrase) for turn in view.turns())
        if right.kind == "labels":
            if not isinstance(value, str):
                self.refuse(left_node, "a label's name is text in quotes")
            self.labels.add(value)
            return lambda view: view.label((value,)) is not None
        if right.kind != "label":
            self.refuse(right_node, f"{right.kind} holds nothing to search in; use == or a list")
        path = right.path
        return lambda view: _member(value, view.label(path))

    def one_of(
        self, left_node: ast.expr, left: _Field, right_node: ast.expr, right: _Field | _Literal
    ) -> Callable[[_View], bool | None]:
        if not isinstance(right, _Literal) or not isinstance(right.value, tuple):
            self.refuse(right_node, "behind 'in' stands a list: country in ['DE', 'AT']")
        tests = [self.scalar(left_node, left, ast.Eq, right_node, value) for value in right.value]
        path, kind = left.path, left.kind

        def test(view: _View) -> bool | None:
            if kind == "label" and view.label(path) is None:
                return None
            if kind == "date" and view.conversation.created_at is None:
                return None
            return any(equal(view) for equal in tests)

        return test

    def operand(self, node: ast.expr) -> _Field | _Literal:
        if isinstance(node, ast.List | ast.Tuple):
            items = [self.operand(item) for item in node.elts]
            values = []
            for item, at in zip(items, node.elts, strict=True):
                if not isinstance(item, _Literal) or isinstance(item.value, tuple):
                    self.refuse(at, "a list holds text in quotes and numbers")
                values.append(item.value)
            return _Literal(tuple(values))
        if isinstance(node, ast.Name):
            return self.name(node)
        if isinstance(node, ast.Subscript):
            return self.label(node)
        value = _value(node)
        if value is None:
            what = (
                "labels are nested as labels['a']['b']"
                if isinstance(node, ast.Attribute)
                else (f"this is not allowed; {_ALLOWED}")
            )
            self.refuse(node, what)
        return _Literal(value)

    def name(self, node: ast.Name) -> _Field | _Literal:
        if node.id in _CONSTANTS:
            return _Literal(_CONSTANTS[node.id])
        if node.id in _DATE_NAMES:
            return _Field("date")
        if node.id in ("language", "turns", "words", "labels"):
            return _Field(node.id)
        if node.id in _ACCOUNT_NAMES:
            self.refuse(node, f"{node.id} cannot be asked for; {_ALLOWED}")
        self.labels.add(node.id)
        return _Field("label", (node.id,))

    def label(self, node: ast.Subscript) -> _Field:
        """``labels['a']['b']``, or ``a['b']``."""
        path: list[str] = []
        inner: ast.expr = node
        while isinstance(inner, ast.Subscript):
            key = _value(inner.slice)
            if not isinstance(key, str):
                self.refuse(inner, "the name of a label is text in quotes: labels['name']")
            path.insert(0, key)
            inner = inner.value
        if len(path) > MAX_DEPTH:
            self.refuse(node, f"nested more than {MAX_DEPTH} deep")
        root = self.name(inner) if isinstance(inner, ast.Name) else None
        if not isinstance(root, _Field) or root.kind not in ("label", "labels"):
            self.refuse(node, "only labels have parts: labels['name']")
        if root.kind == "labels":
            self.labels.add(path[0])
        return _Field("label", (*root.path, *path))


def _value(node: ast.expr) -> Scalar | None:
    """The value of a literal; ``None`` for all else."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _value(node.operand)
        return -value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float | bool):
        return node.value
    return None


def _member(value: Scalar, known: Any) -> bool | None:
    if known is None:
        return None
    if isinstance(known, str):
        return isinstance(value, str) and value in known
    return isinstance(known, list | tuple | Mapping) and value in known


def _span(text: str) -> tuple[datetime, datetime] | None:
    """Begin and end (excluded) of what a date names."""
    text = text.strip()
    try:
        if len(text) == 4 and text.isascii() and text.isdigit():
            return _midnight(date(int(text), 1, 1)), _midnight(date(int(text) + 1, 1, 1))
        if len(text) == 7 and text[4] == "-":
            first = date.fromisoformat(f"{text}-01")
            return _midnight(first), _midnight((first + timedelta(days=31)).replace(day=1))
        if "W" in text:  # weeks of ISO 8601, which Python takes for their Monday
            return None
        if len(text) in (8, 10):
            day = date.fromisoformat(text)
            return _midnight(day), _midnight(day + timedelta(days=1))
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        return moment, moment + timedelta(microseconds=1)
    except (ValueError, OverflowError):
        return None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _holds(turn: str, phrase: str) -> bool:
    """Whether a phrase stands in a turn between ends of words; both are normalised."""
    at = turn.find(phrase)
    while at >= 0:
        end = at + len(phrase)
        if not (_joined(turn, at) or _joined(turn, end)):
            return True
        at = turn.find(phrase, at + 1)
    return False


def _joined(text: str, at: int) -> bool:
    """Whether the characters around a place belong to one word."""
    if not 0 < at < len(text):
        return False
    return _of_word(text[at - 1]) and _of_word(text[at])


def _of_word(character: str) -> bool:
    code = ord(character)
    if any(low <= code <= high for low, high in _UNSPACED):
        return False
    return character == "_" or unicodedata.category(character)[0] in "LMN"
