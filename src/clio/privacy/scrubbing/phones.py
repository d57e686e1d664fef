"""Phone numbers as people write them, in any country.

Numbering plans (`phonenumbers`) know which numbers are assigned; people write numbers that are
not, leave out the country, or group them their own way. So this asks how a number is written.
"""

from __future__ import annotations

import re
from typing import Final

from clio.privacy.scrubbing.rule import Rule, before, digits_of

_SAID: Final = re.compile(
    r"phone|\btel\b|\bcall(?:ed|ing|s)?\b|mobile|\bcell|whatsapp|\bfax|\bsms\b|\btext(?:ed|ing)?\b|"
    r"telegram|signal|reach|dial|answer|messag|contact|handy|telef|téléph|movil|móvil|celular|portable|rufnummer|"
    r"cellulare|komór|numer|тел|звон|номер|电话|手机|電話|携帯|号码|전화|휴대|번호|फोन|फ़ोन|मोबाइल|नंबर|"
    r"هاتف|جوال|رقم|تلفن|موبایل|טלפון|โทร|điện thoại"
)
_DATE: Final = re.compile(
    r"(?:1[5-9]|20)\d\d[-/. ]\d{1,2}[-/. ]\d{1,2}\b.*|\d{1,2}[-/. ]\d{1,2}[-/. ](?:1[5-9]|20)\d\d\b.*"  # noqa: E501
)
_YEARS: Final = re.compile(r"(?:1[5-9]|20)\d\d\D{1,3}(?:1[5-9]|20)\d\d(?:\D.*)?")
_MONTHS: Final = re.compile(r"(?:0?[1-9]|1[0-2])/(?:19|20)\d\d\b.*")
_DECIMAL: Final = re.compile(r"\d+\.\d+|[1-9]\d*(?:\.\d{1,2}){3,}|\d+ \d+\.\d+")
_ROUND: Final = re.compile(r"[1-9]\d{0,2}(?:(?:\.\d{3})+|(?: \d{3})*(?: 000))")
_CODE: Final = re.compile(r"\d{4}-\d{4}|\d{5}-\d{4}|\d+\.\d+-\d+(?:\.\d+)?")
"""Serial numbers of journals, spans of hours, American postal codes, sections of laws."""
_PRICE: Final = re.compile(r"[$€£¥₹#]\s?$|\d[.,:/]$|[=*^<>]\s?$")


def _phone(match: re.Match[str]) -> bool:
    text = match[0]
    number = re.split(r"\s?(?:x|ext)", text)[0]
    digits = digits_of(number)
    if not 7 <= len(digits) <= 15 or len(set(digits)) == 1:
        return False
    if number.startswith("+"):
        return True
    lead = before(match)
    if (
        _DATE.fullmatch(number)
        or _MONTHS.match(number)
        or _YEARS.match(number.lstrip("("))
        or _PRICE.search(lead)
    ):
        return False
    said = _SAID.search(lead) is not None
    groups = re.findall(r"\d+", number)
    if len(groups) == 1:
        return said or (digits[0] == 0 and len(digits) >= 10)
    if ")" in number or number.startswith("00"):
        return True
    if _DECIMAL.fullmatch(number) or ("/" in number and digits[0] != 0):
        return False
    if said:
        return True
    if _ROUND.fullmatch(number) or _CODE.fullmatch(number):
        return False
    if min(map(len, groups[1:])) < 2 or len(groups) > 6:
        return False
    if "-" in number or "." in number or digits[0] == 0:
        return True
    # Groups with spaces alone might be any list of numbers.
    return len(digits) >= 8 and max(map(len, groups)) <= 6 and len(groups[-1]) >= 3


RULES: Final = (
    Rule(
        "phone",
        re.compile(
            r"(?<![a-z\d_.])(?:\+\s?|\()?\d{1,15}+(?:(?:[ ./-]|\) ?[-/]?|\)-| \(|[ -]?\(0\) ?| - |-\(| / )\d{1,8}+){0,6}"  # noqa: E501
            r"(?:,?\s?(?:x|ext\.?|extension|durchwahl|poste)\s?\d{1,6})?(?![a-z\d_]|[.,]\d)"
        ),
        _phone,
        digits=7,
    ),
)
