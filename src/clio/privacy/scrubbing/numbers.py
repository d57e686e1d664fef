"""Dates of birth, numbers of accounts, documents and orders, and long numbers of any kind."""

from __future__ import annotations

import re
from typing import Final

from clio.privacy.scrubbing.rule import Rule, before, digits_of

_BIRTH: Final = (
    r"born|birth\s?(?:day|date)?|d\.?o\.?b\.?|geboren|geb\.|geburts\w{3,5}|née?|naissance|nacid[oa]|nacimiento|"
    r"nat[oa]\sil|nascita|nascid[oa]|nascimento|geboorte\w{0,6}|urodz\w{2,5}|född|födelse\w{3,6}|"
    r"родил\w{2,3}|рождения|doğum\w{0,6}|生年月日|出生\w{0,3}|誕生日|生日|생년월일|생일|जन्म\w{0,6}|"
    r"تاريخ الميلاد|تولد"
)
_NUMERIC_DATE: Final = (
    r"(?:19|20)\d\d[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\s?\d{1,2}[-/.]\s?(?:(?:19|20)\d\d|\d\d)|"
    r"(?:19|20)\d\d\s?[年년]\s?\d{1,2}\s?[月월]\s?\d{1,2}\s?[日일]"
)
_WORDED_DATE: Final = (
    r"\d{1,2}(?:st|nd|rd|th|\.|er)?\s(?:of\s|de\s)?[^\W\d_]{3,10}\.?,?\s(?:de\s|del\s)?(?:19|20)\d\d|"
    r"[^\W\d_]{3,10}\.?\s\d{1,2}(?:st|nd|rd|th)?,?\s(?:19|20)\d\d"
)
_OWN: Final = (
    r"passport|passeport|pasaporte|passaporto|reisepass|passaporte|paspoort|paszport\w?|паспорт\w{0,2}|護照|护照|旅券|여권|"
    r"driver'?s?\slicen[cs]e|driving\slicen[cs]e|führerschein\w{0,6}|permis de conduire|carnet de conducir|"  # noqa: E501
    r"licen[cs]e\splate|number\splate|social\ssecurity|ssn|national\s(?:id|insurance)|nhs|medicare|medicaid|"
    r"tax\sid|tin|ein|itin|vin|imei|iccid|swift|bic|routing|sort\scode|iban|account|acct|a/c|konto\w{0,8}|"
    r"kunden\w{0,8}|bestell\w{0,8}|rechnungs\w{0,8}|compte|cuenta|conto|conta|rekening\w{0,6}|customer|client|cliente|"
    r"member(?:ship)?|patient|employee|student|policy|póliza|dossier|pedido|commande|ordine|rachun\w{2,4}|"
    r"order|invoice|factura|fattura|facture|case|ticket|tracking|reference|ref|booking|reservation|confirmation|"
    r"claim|loan|card|serial|licen[cs]e|registration|file|record|mrn|personal|aadhaar|pan|dni|nif|cpf|pesel|bsn|"
    r"счет\w?|счёт\w?|заказ\w?|договор\w?|номер|账号|账户|帐号|订单号?|订单编号|身份证号?码?|客户号|会员号|注文番号|口座番号|"
    r"会員番号|お客様番号|주문\s?번호|계좌\s?번호|회원\s?번호|الحساب|الطلب|खाता|आधार|ऑर्डर"
)
_NAMED: Final = r"(?:number|num|no|nr|nº|n°|№|id|code|key|#|numéro|número|numero|nummer|номер|编号|号码|번호|番号|رقم|संख्या|नंबर)\.?"  # noqa: E501
_MONEY_AFTER: Final = re.compile(
    r"\s?(?:[$€£¥₹%]|(?:us\s?)?dollars?\b|euros?\b|eur\b|usd\b|gbp\b|pounds?\b|rupees?\b|rs\b|yen\b|yuan\b|won\b|"
    r"people\b|users\b|units\b|km\b|kg\b|words\b|tokens\b|рубл|元|円|원)"
)
_MONEY_BEFORE: Final = re.compile(r"(?:[$€£¥₹]|usd|eur|gbp|inr|rs\.?|0x[0-9a-f]*|\d[.,])\s?$")


def _number(match: re.Match[str]) -> bool:
    run = match[0]
    # Round numbers and sums are no one's.
    return not (
        (run.endswith("000") and run[0] != "0" and len(run) <= 12)
        or _MONEY_BEFORE.search(before(match, 24))
        or _MONEY_AFTER.match(match.string, match.end())
    )


def _said(match: re.Match[str]) -> bool:
    return len(digits_of(match["it"])) >= 4


RULES: Final = (
    Rule(
        "date",
        re.compile(
            rf"(?<![a-z])(?:{_BIRTH})[^\d\n\x00]{{0,24}}?(?P<it>{_NUMERIC_DATE}|{_WORDED_DATE})(?![\d])"
        ),
        needs=(
            "born",
            "birth",
            "dob",
            "d.o.b",
            "geb",
            "né",
            "naissance",
            "nacid",
            "nacim",
            "nat",
            "nasc",
            "urodz",
            "född",
            "födelse",
            "роди",
            "рожд",
            "doğum",
            "生年月日",
            "出生",
            "誕生",
            "生日",
            "생년",
            "생일",
            "जन्म",
            "الميلاد",
            "تولد",
        ),
        digits=4,
    ),
    Rule(
        "id",
        re.compile(
            rf"(?<![a-z])(?:{_OWN})(?:\s|[-_])?(?:"
            rf"(?:{_NAMED})\s?(?:is|was|ist|est|es|é|è|は|是|为)?\s?[:#=：]?\s?|"
            r"\s?(?:is|ist|est|es|é|è|は|是|为)\s|\s?[:#=：]\s?)"
            r"(?P<it>[a-z]{0,4}[-#]?\d[\da-z]*(?:[-/ ]?[a-z]{0,3}\d[\da-z]*){0,5})(?![\w:,]\d|\.\d)"
        ),
        _said,
        digits=4,
    ),
)
LONG: Final = (Rule("number", re.compile(r"\d{6,}"), _number, digits=6),)
"""Tried last: what is left of long numbers."""
