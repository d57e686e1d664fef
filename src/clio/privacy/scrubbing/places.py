"""Coordinates, street addresses and postal codes in their common forms; precision first."""

from __future__ import annotations

import re
from typing import Final

from clio.privacy.scrubbing.rule import Rule

_STREET: Final = (
    r"street|avenue|ave|road|rd|boulevard|blvd|lane|drive|court|square|terrace|parkway|pkwy|highway|"
    r"hwy|crescent|st\.?(?=\s*(?:[,;\n]|$))|ln|ct|circle|trail|place|pl|way|close|grove|gardens|row"
)
_SURE_STREET: Final = r"street|avenue|ave|road|rd|boulevard|blvd|lane|st\.?(?=\s*(?:[,;\n]|$))"
_STATES: Final = (
    "A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|"
    "UT|V[AT]|W[AIVY]"
)
_PLAIN: Final = [
    "to",
    "the",
    "a",
    "an",
    "of",
    "on",
    "in",
    "and",
    "or",
    "for",
    "my",
    "our",
    "this",
    "that",
    "what",
    "which",
    "per",
    "at",
    "by",
    "is",
    "are",
    "was",
    "days",
    "day",
    "hours",
    "miles",
    "minutes",
    "times",
    "more",
    "with",
    "from",
    "than",
    "your",
    "their",
    "his",
    "her",
    "people",
    "pages",
]
_CAPITAL: Final = "[^\\W\\d_a-zß-öø-ÿ]"


def _street(match: re.Match[str]) -> bool:
    return not set(re.findall(r"[^\W\d_]+", match[0])) & set(_PLAIN)


RULES: Final = (
    Rule(
        "location",
        re.compile(
            r"[-+]?\d{1,3}\.\d{4,}\s?°?\s?[ns]?\s?[,;/\s]\s?[-+]?\d{1,3}\.\d{4,}(?:\s?°?\s?[ewo]\b)?|"
            r"(?:\blat|\blon|\blng)[a-z]{0,6}[\"']?\s?[:=]?\s?[-+]?\d{1,3}\.\d{4,}|"
            r"\d{1,3}°\s?\d{1,2}\s?['′’]\s?(?:\d{1,2}(?:\.\d{1,6})?\s?(?:[\"″”]|''|′′)\s?)?[nsewo]\b"
        ),
        needs=(".", "°"),
        digits=4,
    ),
    Rule(
        "address",
        re.compile(
            r"\d(?<![\w.,:$€£].)\d{0,4}[A-Za-z]?,?\s(?:[NSEWnsew]\.?\s)?(?:[^\W_][\w'.-]{1,24}\s){1,3}?"
            rf"(?i:{_SURE_STREET})\b\.?|"
            rf"\d(?<![\w.,:$€£].)\d{{0,4}}[A-Za-z]?,?\s(?:[NSEW]\.?\s)?(?:{_CAPITAL}[\w'.-]{{1,24}}\s){{1,3}}?"
            rf"(?:{'|'.join(s[0].upper() + s[1:] for s in _STREET.split('|'))})\b\.?"
        ),
        _street,
        digits=1,
        needs=(
            "street",
            " ave",
            " road",
            " rd",
            " boul",
            " blvd",
            " lane",
            " drive",
            " st.",
            " st",
            " court",
            " square",
            " terr",
            " park",
            " pkwy",
            " high",
            " hwy",
            " cres",
            " ln",
            " ct",
            " circle",
            " trail",
            " pl",
            " way",
            " close",
            " grove",
            " gardens",
            " row",
        ),
        cased=True,
    ),
    Rule(
        "address",
        re.compile(
            rf"{_CAPITAL}\w{{2,30}}(?:straße|strasse|str\.|weg|platz|allee|gasse|damm|gatan|vägen|"
            r"gata|gade|vej|straat|laan|plein|gracht|katu|kuja|intie)\s\d{1,4}\s?[a-zA-Z]?(?!\w)"
            rf"(?:,?\s\d{{4,5}}\s{_CAPITAL}\w+)?|"
            rf"{_CAPITAL}\w{{2,24}}(?:[\s-]{_CAPITAL}\w{{2,24}}){{0,2}}[\s-](?:Straße|Strasse|Str\.|"
            r"Weg|Platz|Allee|utca|körút|tér|katu)\s\d{1,4}\s?[a-zA-Z]?(?!\w)"
        ),
        digits=1,
        needs=(
            "str",
            "weg ",
            "platz",
            "allee",
            "gasse",
            "damm",
            "gata",
            "vägen",
            "gade",
            "vej ",
            "laan",
            "plein",
            "gracht",
            "katu",
            "kuja",
            "intie",
            "utca",
            "körút",
            "tér ",
        ),
        cased=True,
    ),
    Rule(
        "address",
        re.compile(
            r"\b(?:[Cc]alle|C/|[Aa]venida|[Aa]vda\.|Av\.|[Pp]laza|[Pp]aseo|[Rr]ua|[Tt]ravessa|Via|"
            r"Viale|[Pp]iazza|[Cc]orso|[Uu]l\.|[Uu]lica|[Уу]л\.|[Уу]лица|[Пп]роспект)\s"
            rf"(?:d[aeio]s?\s|de la\s|del\s|della\s)?{_CAPITAL}[\w'.-]{{1,24}}"
            rf"(?:\s(?:de\s)?{_CAPITAL}[\w'-]{{1,24}}){{0,3}},?\s(?:nº\s?|n\.\s?|д\.\s?|дом\s)?"
            r"\d{1,4}[a-zA-Z]?(?!\w)"
        ),
        digits=1,
        needs=(
            "calle",
            "c/",
            "avenida",
            "avda",
            "av.",
            "plaza",
            "paseo",
            "rua ",
            "travessa",
            "via",
            "piazza",
            "corso",
            "ul.",
            "ulica",
            "ул.",
            "улица",
            "проспект",
        ),
        cased=True,
    ),
    Rule(
        "address",
        re.compile(
            r"\b\d{1,4}(?:\s?(?:bis|ter))?,?\s(?:rue|avenue|boulevard|bd|chemin|impasse|allée|quai|"
            rf"cours)\s(?:d[eu]s?\s|de la\s|l'|d'|de l')?{_CAPITAL}[\w'-]{{1,24}}"
            rf"(?:[\s-]{_CAPITAL}[\w'-]{{1,24}}){{0,3}}"
        ),
        digits=1,
        needs=(
            "rue ",
            "avenue",
            "boulevard",
            "bd ",
            "chemin",
            "impasse",
            "allée",
            "quai",
            "cours ",
        ),
        cased=True,
    ),
    Rule(
        "address",
        re.compile(
            r"\d{1,4}(?:丁目|番地|号室)(?:\d{1,4}(?:番地?|号))*|"
            r"[\u4e00-\u9fff]{1,8}(?:路|街|大道|巷|弄)\d{1,5}(?:号|號)"
        ),
        digits=1,
        needs=("号", "號", "番地", "丁目"),
    ),
    Rule(
        "address",
        re.compile(
            r"\bp\.?\s?o\.?\s?box\s#?\d{1,6}\b|\b(?:apt\.?|apartment|suite)\s#?\d{1,6}[a-z]?\b|"
            r"\b(?:zip|postal|post)\s?code\s?(?:is|:|-)?\s?(?:[a-z]?\d[\da-z]{2,4}(?:[ -]\d[\da-z]{2,3})?)\b"  # noqa: E501
        ),
        digits=1,
        needs=("box", "apt", "apartment", "suite", "zip", "post"),
    ),
    Rule(
        "address",
        re.compile(
            rf"\b(?:{_STATES}),?\s\d{{5}}(?:-\d{{4}})?\b|"
            r"\b(?:[A-PR-UWYZ]\d{1,2}|[A-PR-UWYZ][A-HK-Y]\d{1,2}|[A-PR-UWYZ]\d[A-HJKPSTUW]|"
            r"[A-PR-UWYZ][A-HK-Y]\d[ABEHMNPRVWXY])\s\d[ABD-HJLNP-UW-Z]{2}\b|"
            r"\b[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z] \d[ABCEGHJ-NPRSTV-Z]\d\b"
        ),
        digits=3,
        cased=True,
    ),
)
