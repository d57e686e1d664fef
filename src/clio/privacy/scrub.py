"""Personal identifiers in text, found by shape and checksum, replaced by placeholders.

Runs on texts before any writer sees them and on everything a writer returns. Rules only: e-mail,
URL, phone, payment card (Luhn), IBAN (ISO 7064 mod 97-10), network addresses, secrets, national
ids, coordinates, street addresses, handles, long numbers. Names are not found here; the wording
gate (`clio.privacy.wording`) is what keeps them out of a release.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

KINDS = (
    "address",
    "card",
    "date",
    "email",
    "handle",
    "iban",
    "id",
    "ip",
    "location",
    "mac",
    "number",
    "phone",
    "secret",
    "url",
)
PLACEHOLDER = re.compile(r"\[(?:" + "|".join(KINDS) + r")\]")

# Zero-width, bidirectional, variation and tag characters, soft hyphens and fillers: invisible
# carriers of text. Control characters too, but for tab, line feed and carriage return.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)

# No rule below can match a text without one of these.
_HINT = re.compile(
    r"@|\d[^\w\n]{0,3}\d|://|www\.|\w\.[a-z]{2}|[\w+/=-]{20}|[0-9a-f]{2}[:-][0-9a-f]{2}[:-]|::|"
    r"\d[a-z]?,?\s[^\W\d_]|(?:apt|suite|box|apartment)\b|[=:]\s*\S|bearer\s|\sis\s+\S*\d|\sdot\s|[\[({]\s?at\b|"
    r"\d°|-----BEGIN",
    re.IGNORECASE,
)

_Replace = str | Callable[[re.Match[str]], str]


def clean(text: str) -> str:
    """NFKC form of a text without invisible, bidirectional, tag and control characters."""
    if text.isascii():
        return _INVISIBLE.sub("", text)
    # Twice: removing a character can bring together what NFKC then composes.
    for _ in range(2):
        text = unicodedata.normalize(
            "NFKC", _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
        )
    return _INVISIBLE.sub("", text)


def _digits(text: str) -> list[int]:
    return [int(c) for c in text if c.isdecimal()]


def luhn(digits: list[int]) -> bool:
    """Whether the digits pass the check of ISO/IEC 7812-1 (mod 10)."""
    doubled = (sum(divmod(2 * d, 10)) for d in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _card(match: re.Match[str]) -> str:
    digits = _digits(match[0])
    return "[card]" if any(digits) and luhn(digits) else match[0]


def _iban(match: re.Match[str]) -> str:
    compact = re.sub(r"[\s-]", "", match[0]).upper()
    if not (15 <= len(compact) <= 34 and compact.isascii()):
        return match[0]
    number = "".join(str(int(c, 36)) for c in compact[4:] + compact[:4])
    return "[iban]" if int(number) % 97 == 1 else match[0]


def _ipv4(match: re.Match[str]) -> str:
    return "[ip]" if all(int(part) <= 255 for part in match[0].split(".")) else match[0]


def _ipv6(match: re.Match[str]) -> str:
    groups = [g for g in match[0].split(":") if g]
    whole = len(groups) == 8 or ("::" in match[0] and len(groups) >= 2)
    return "[ip]" if whole and any(c.isdigit() for c in match[0]) else match[0]


def _opaque(match: re.Match[str]) -> str:
    """A long run without spaces is a secret when it mixes digits and letters as words do not."""
    run = match[0]
    digits = sum(c.isdecimal() for c in run)
    letters = sum(c.isalpha() for c in run)
    return "[secret]" if digits >= 4 and letters >= 4 else run


def _phone(match: re.Match[str]) -> str:
    text = match[0]
    count = len(_digits(text))
    if not 7 <= count <= 22:
        return text
    marked = text.lstrip().startswith(("+", "(", "00"))
    groups = len(re.findall(r"\d+", text))
    # Two groups with a point are a decimal number, two years a span.
    if not marked and re.fullmatch(r"\d+\.\d+|(?:1[5-9]|20)\d\d\s?[-/]\s?(?:1[5-9]|20)\d\d", text):
        return text
    return "[phone]" if marked or groups >= 2 else text


_TLD = (
    r"(?:com|org|net|edu|gov|mil|info|biz|io|ai|app|dev|xyz|online|co\.[a-z]{2}|com\.[a-z]{2}|"
    r"org\.[a-z]{2}|ac\.uk|gov\.uk|de|fr|es|it|nl|be|ch|at|pl|ru|cn|jp|br|ca|au|eu|uk|us|se|fi|"
    r"dk|no|cz|hu|pt|gr|in|mx|kr|tv|me|cc)"
)
_CREDENTIAL = (
    r"pass(?:word|wd|code|phrase)|pwd|secret|api[_ -]?key|access[_ -]?key|auth[_ -]?token|"
    r"access[_ -]?token|private[_ -]?key|client[_ -]?secret"
)
_STREET = (
    r"street|st\.?(?=\s*(?:[,;\n]|$))|avenue|ave|road|rd|boulevard|blvd|lane|ln|drive|court|ct|"
    r"square|terrace|parkway|pkwy|highway|hwy|crescent"
)

_RULES: tuple[tuple[re.Pattern[str], _Replace], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), replace)
    for pattern, replace in (
        (r"-----BEGIN [A-Z ]{3,40}-----.*?(?:-----END [A-Z ]{3,40}-----|\Z)", "[secret]"),
        (r"(?<![\w@])(?:[a-z][a-z0-9+.-]{1,15}://|www\.)[^\s<>\"'`]+", "[url]"),
        (r"[\w.+%'-]{1,64}@(?:[\w-]{1,63}\.)+[\w-]{2,24}", "[email]"),
        (r"[\w.+%-]{1,64}@(?:localhost|\[?\d{1,3}(?:\.\d{1,3}){3}\]?)", "[email]"),
        (
            r"[\w.+-]{1,64}\s?[\[({]\s?at\s?[\])}]\s?[\w-]{1,63}"
            r"(?:\s?(?:\.|[\[({]\s?dot\s?[\])}])\s?[\w-]{2,63})+",
            "[email]",
        ),
        (r"[\w.+-]{1,64}\sat\s[\w-]{1,63}(?:\sdot\s[\w-]{2,63})+", "[email]"),
        (
            r"(?<![\w@.-])(?!(?:asp|vb|ado|ml)\.net\b)(?:[a-z0-9][a-z0-9-]{0,62}\.)+"
            + _TLD
            + r"(?:/[^\s<>\"'`]*|\b(?![\w-]|\.\w|\())",
            "[url]",
        ),
        (
            r"\b(?:sk|pk|rk)[-_](?:[a-z]+[-_])?[\w-]{16,}|\bgh[opusr]_\w{20,}|\bgithub_pat_\w{20,}|"
            r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bAIza[\w-]{30,}|\bxox[abeoprs]-[\w-]{10,}|"
            r"\bglpat-[\w-]{16,}|\b(?:hf|npm)_\w{20,}|\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?",
            "[secret]",
        ),
        (r"\bbearer\s+[\w.~+/-]{12,}=*", "[secret]"),
        (
            rf"\b(?:{_CREDENTIAL})\s*(?:[:=]\s*(?!\[)\S{{4,}}|\bis\s+(?=[^\s\d]*\d)\S{{4,}})",
            "[secret]",
        ),
        (r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", "[id]"),
        (r"(?<![\w-])[a-z]{2}\d{2}(?:[ -]?[a-z0-9]{4}){2,7}(?:[ -]?[a-z0-9]{1,3})?(?!\w)", _iban),
        (r"(?<![\w.])(?:\d[ -]?){11,18}\d(?![\w])", _card),
        (r"(?<![\w:])(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}(?![\w:])", "[mac]"),
        (r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)", _ipv4),
        (r"(?<![\w:])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?![\w:])", _ipv6),
        (r"[\w+/=-]{24,}", _opaque),
        (
            r"[-+]?\d{1,3}\.\d{3,}\s*°?\s*[NS]?\s*[,;/\s]\s*[-+]?\d{1,3}\.\d{3,}(?:\s*°?\s*[EWO]\b)?|"
            r"\d{1,3}°\s*\d{1,2}\s*['′]\s*(?:\d{1,2}(?:\.\d+)?\s*(?:[\"″]|''|′′)\s*)?[NSEWO]\b",
            "[location]",
        ),
        (r"(?<![\w-])\d{3}[- ]\d{2}[- ]\d{4}(?![\w-])", "[id]"),
        (
            r"(?<![\w/-])(?:(?:19|20)\d\d[-/.](?:0?[1-9]|1[0-2])[-/.](?:[12]\d|3[01]|0?[1-9])|"
            r"(?:[12]\d|3[01]|0?[1-9])[-/.](?:[12]\d|3[01]|0?[1-9])[-/.](?:19|20)\d\d)"
            r"(?:[T ]\d{1,2}:\d{2}(?::\d{2})?)?(?![\w/-])",
            "[date]",
        ),
        (
            rf"(?<![\w.,:])\d{{1,5}}[a-z]?,?\s(?:[^\W\d_][\w'.-]{{1,24}}\s){{1,3}}(?:{_STREET})\b\.?|"
            r"\b(?:p\.?\s?o\.?\s?box|apt\.?|apartment|suite)\s#?\d{1,6}\b",
            "[address]",
        ),
        (
            r"(?<![\w.])\+?\(?\d(?:[ ()./-]{0,3}\d){6,15}(?:\s?(?:x|ext\.?)\s?\d{1,6})?(?!\w)",
            _phone,
        ),
        (r"\d{6,}", "[number]"),
        (r"(?<![\w@.])@[a-z_][\w.]{1,30}", "[handle]"),
    )
)


def scrub(text: str) -> str:
    """Replace identifiers by placeholders such as ``[email]``.

    Invisible characters go first and the text is put in NFKC form, so that neither hides a match.
    The result is a fixed point: scrubbing it again changes nothing.

    Parameters
    ----------
    text
        Any text, of any length; the cost is linear in it.

    Returns
    -------
    str
        The cleaned text with placeholders, see `KINDS`.
    """
    text = clean(text)
    if _HINT.search(text) is None:
        return text
    # A replacement can bring two halves of another match together; each pass that changes
    # something uses up characters outside placeholders, so this ends.
    while True:
        before = text
        for pattern, replace in _RULES:
            text = pattern.sub(replace, text)
        if text == before:
            return text
