"""E-mail addresses, URLs, domains, network addresses, handles."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from clio.privacy.scrubbing.rule import Rule, before

_TLD: Final = (
    r"(?:com|org|net|edu|gov|mil|info|biz|io|ai|app|dev|xyz|online|shop|site|store|blog|tech|cloud|"
    r"(?:co|com|org|net|ac|gov|edu|or|ne|go)\.[a-z]{2}|de|fr|es|nl|ch|pl|ru|cn|jp|br|ca|au|eu|uk|"
    r"se|fi|dk|cz|hu|pt|gr|mx|kr|tv|ie|il|tr|ro|sk|hr|bg|lt|lv|ee|ua|ar|cl|nz|za|sg|hk|tw|vn|ir|"
    r"рф|中国)"
)
_WORD_TLD: Final = r"(?:in|it|at|no|me|be|us|id|to|so|is|co|cc|my|pe|ph|ly|gg|sh|rs)"
"""Top-level domains that are words, or endings of files, too: they need a path behind them."""
_AT: Final = (
    r"(?:at|arroba|arobase|chiocciola|klammeraffe|apenstaartje|malpa|małpa|snabel-a|собака|kukac|"
    r"zavinac|zavináč)"
)
_DOT: Final = r"(?:dot|punto|ponto|point|punkt|punt|kropka|точка|pont|tečka|piste)"
_MAILERS: Final = (
    r"(?:gmail|googlemail|yahoo|hotmail|outlook|icloud|proton|protonmail|aol|gmx|live)"
)
_NOT_HOSTS: Final = frozenset(
    [
        "asp",
        "vb",
        "ado",
        "ml",
        "self",
        "this",
        "java",
        "system",
        "console",
        "logger",
        "log",
        "std",
        "window",
        "document",
        "math",
        "app",
        "np",
        "pd",
    ]
)
_NOT_HANDLES: Final = frozenset(
    [
        "property",
        "override",
        "staticmethod",
        "classmethod",
        "dataclass",
        "param",
        "params",
        "return",
        "returns",
        "throws",
        "see",
        "since",
        "deprecated",
        "author",
        "version",
        "media",
        "import",
        "keyframes",
        "font-face",
        "charset",
        "supports",
        "layer",
        "tailwind",
        "apply",
        "include",
        "mixin",
        "extend",
        "use",
        "autowired",
        "component",
        "injectable",
        "entity",
        "table",
        "column",
        "id",
        "bean",
        "service",
        "repository",
        "controller",
        "restcontroller",
        "requestmapping",
        "getmapping",
        "postmapping",
        "test",
        "before",
        "after",
        "beforeeach",
        "aftereach",
        "suppresswarnings",
        "interface",
        "implementation",
        "end",
        "protocol",
        "selector",
        "synthesize",
        "everyone",
        "here",
        "channel",
        "all",
        "state",
        "published",
        "main",
        "objc",
        "echo",
        "off",
        "input",
        "output",
        "viewchild",
        "nullable",
        "notnull",
        "data",
        "getter",
        "setter",
        "builder",
        "pytest",
        "app",
        "router",
        "click",
        "wraps",
        "lru_cache",
        "cached_property",
        "abstractmethod",
        "contextmanager",
        "jit",
        "tf",
        "torch",
        "types",
    ]
)
_VERSION: Final = re.compile(r"(?:\bv|ver|version|release|section|chapter|build)[\s:]*$")


def _domain(match: re.Match[str]) -> bool:
    host = match[0].split(".", 1)[0]
    return not host.isdigit() and host not in _NOT_HOSTS


def _ipv4(match: re.Match[str]) -> bool:
    parts = match[0].split(".")
    return all(int(part) <= 255 for part in parts) and _VERSION.search(before(match, 12)) is None


def _ipv6(match: re.Match[str]) -> bool:
    text = match[0]
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    # x[1::2] and a::b are code.
    return len([g for g in text.split(":") if g]) >= 3 or text[:2] in ("fe", "fc", "fd", "20", "26")


def _handle(match: re.Match[str]) -> bool:
    return match[0][1:].rstrip(".").split(".")[0] not in _NOT_HANDLES


MAIL: Final = re.compile(
    r"[\w.+%'-]{1,64}@(?:[\w-]{1,63}\.){1,8}[\w-]{2,24}|"
    r"[\w.+%-]{1,64}@(?:localhost|\[?\d{1,3}(?:\.\d{1,3}){3}\]?)"
)

RULES: Final = (
    Rule(
        "url",
        re.compile(r"(?<![\w@])(?:[a-z][a-z0-9+.-]{1,15}://|www\.)[^\s<>\"'`\x00]+"),
        needs=("://", "www."),
    ),
    Rule("email", MAIL, needs=("@",)),
    Rule(
        "email",
        re.compile(
            rf"[\w.+-]{{1,64}}\s?@\s?[\w-]{{1,63}}(?:\s?\.\s?[\w-]{{1,63}}){{0,3}}\s?\.\s?{_TLD}(?!\w)"
        ),
        needs=("@",),
    ),
    Rule(
        "email",
        re.compile(
            rf"[\w.+-]{{1,64}}\s?[\[({{<]\s?{_AT}\s?[\])}}>]\s?[\w-]{{1,63}}"
            rf"(?:\s?(?:\.|[\[({{<]\s?{_DOT}\s?[\])}}>]|\s{_DOT}\s)\s?[\w-]{{2,63}}){{1,6}}"
        ),
        needs=tuple(b + s + a for b in "[({<" for s in ("", " ") for a in ("a", "c", "k", "с")),
    ),
    Rule(
        "email",
        re.compile(
            rf"[\w.+-]{{1,64}}(?:\s(?:{_DOT}|underscore|dash)\s[\w.+-]{{1,64}}){{0,3}}[\s_-]{_AT}[\s_-]"
            rf"[\w-]{{1,63}}(?:[\s_-]{_DOT}[\s_-][\w-]{{2,63}}){{0,3}}[\s_-]{_DOT}[\s_-]{_TLD}(?!\w)"
        ),
        needs=("dot", "punt", "pont", "poin", "punk", "krop", "точк", "tečk", "pist"),
    ),
    Rule(
        "email",
        re.compile(rf"[\w.+-]{{1,64}}\s{_AT}\s{_MAILERS}\.[a-z]{{2,3}}(?:\.[a-z]{{2}})?(?!\w)"),
        needs=("mail.", "yahoo.", "outlook.", "icloud.", "proton.", "aol.", "gmx.", "live."),
    ),
    Rule(
        "url",
        re.compile(
            r"[a-z0-9](?<![\w@.-].)[a-z0-9-]{0,62}+(?:\.[a-z0-9][a-z0-9-]{0,62}+){0,6}?\."
            rf"(?:{_TLD}(?:/[^\s<>\"'`\x00]*|(?![\w-]|\.\w|\())|{_WORD_TLD}/[^\s<>\"'`\x00]+)"
        ),
        _domain,
        needs=("dotted",),
    ),
    Rule(
        "mac",
        re.compile(
            r"[0-9a-f](?<![\w:.-].)[0-9a-f](?:(?::[0-9a-f]{2}){5}(?![\w:-])|"
            r"(?:-[0-9a-f]{2}){5}(?![\w:-])|[0-9a-f]{2}(?:\.[0-9a-f]{4}){2}(?![\w.]))"
        ),
        lambda match: any(c.isdigit() for c in match[0]),
        needs=(":", "-", "."),
        digits=1,
    ),
    Rule(
        "ip",
        re.compile(r"\d(?<![a-z\d_.].)\d{0,2}(?:\.\d{1,3}){3}(?![a-z\d_]|\.\d)"),
        _ipv4,
        needs=(".",),
        digits=4,
    ),
    Rule(
        "ip",
        re.compile(r"(?<![\w:.])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?![\w:])"),
        _ipv6,
        needs=("::",),
    ),
    Rule(
        "ip",
        re.compile(r"[0-9a-f](?<![\w:.].)[0-9a-f]{0,3}(?::[0-9a-f]{1,4}){7}(?![\w:])"),
        _ipv6,
        needs=(":",),
        digits=4,
    ),
    Rule("handle", re.compile(r"@(?<![\w@.].)[a-z_][\w.]{1,30}(?![\w(/])"), _handle, needs=("@",)),
)
