from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clio.privacy.scrub import PLACEHOLDER, clean, luhn, scrub

PII = Path(__file__).parents[3] / "shared" / "data" / "pii_a.jsonl.gz"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mail ann.lee+x@mail.example.org now", "mail [email] now"),
        ("ann (at) example (dot) org", "[email]"),
        ("see https://user:pw@example.org/a?b=1 there", "see [url] there"),
        ("on www.example.org", "on [url]"),
        ("visit example.co.uk today", "visit [url] today"),
        ("call +44 20 7946 0958 or (212) 555-0100 x12", "call [phone] or [phone]"),
        ("card 4111 1111 1111 1111", "card [card]"),
        ("iban DE89 3704 0044 0532 0130 00.", "iban [iban]."),
        ("from 192.168.10.1 and 2001:db8::ff00:42:8329", "from [ip] and [ip]"),
        ("mac 00:1a:2b:3c:4d:5e", "mac [mac]"),
        ("key sk-abcdEFGH1234ijklMNOP5678", "key [secret]"),
        ("AKIAIOSFODNN7EXAMPLE", "[secret]"),
        ("password: hunter22", "[secret]"),
        ("at 52.5200, 13.4050", "at [location]"),
        ("ssn 123-45-6789", "ssn [id]"),
        ("id 123e4567-e89b-12d3-a456-426614174000", "id [id]"),
        ("born 12/03/1987", "born [date]"),
        ("lives at 12 Long Meadow Road", "lives at [address]"),
        ("follow @some_body", "follow [handle]"),
        ("account 12345678", "account [number]"),
        ("e\u200bmail a\u00ad@b\u200d.com", "email [email]"),
        ("\uff11\uff12\uff13-\uff14\uff15-\uff16\uff17\uff18\uff19", "[id]"),
    ],
)
def test_identifiers_become_placeholders(text: str, expected: str) -> None:
    assert scrub(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "what is 3.14159 times 2",
        "from 1990-2000 prices rose by 12,500 dollars",
        "use node.js and asp.net at 9:00 on the way to work",
        "version 1.2.3 of the app, chapter 12",
        "my password is wrong",
        "f(x) = x + 1; std::vector of 10 items",
        "Über straße 北京 नमस्ते",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert scrub(text) == text


# Characters that the rules are made of, so that random texts come close to them.
_HARD = st.text(st.sampled_from("aZ09 .@:/-+_()[]{}#=x\n\u200bé中½") | st.characters(), max_size=80)


@given(_HARD)
def test_scrubbing_is_idempotent_and_leaves_no_long_number(text: str) -> None:
    once = scrub(text)
    assert scrub(once) == once
    assert not any(
        len(run) >= 6 for run in "".join(c if c.isdecimal() else " " for c in once).split()
    )
    assert clean(once) == once


_EMAIL = st.from_regex(r"\A[a-z][a-z0-9.]{0,8}[a-z0-9]@[a-z]{2,8}\.(com|de|org)\Z")
_CARD = st.lists(st.integers(0, 9), min_size=15, max_size=15).map(
    lambda d: next([*d, c] for c in range(10) if luhn([*d, c]))
)


@given(_HARD, _EMAIL, _HARD)
def test_mail_addresses_go_wherever_they_stand(before: str, mail: str, after: str) -> None:
    assert mail not in scrub(f"{before} {mail} {after}")


@given(_CARD)
def test_cards_go(digits: list[int]) -> None:
    number = "".join(map(str, digits))
    assert PLACEHOLDER.fullmatch(scrub(number))
    spaced = " ".join(number[i : i + 4] for i in range(0, 16, 4))
    assert spaced not in scrub(f"card {spaced} end")


def test_recall_on_generated_personal_data() -> None:
    if not PII.is_file():
        pytest.skip("the folder shared/data beside the checkout is absent")
    found: Counter[str] = Counter()
    every: Counter[str] = Counter()
    with gzip.open(PII, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            text = scrub(row["messages"][0]["content"])
            for kind, value in row["labels"]["spans"]:
                every[kind] += 1
                found[kind] += clean(value) not in text
    for kind in (
        "CREDIT_CARD",
        "DOMAIN_NAME",
        "EMAIL_ADDRESS",
        "IBAN_CODE",
        "IP_ADDRESS",
        "PHONE_NUMBER",
        "US_SSN",
    ):
        assert found[kind] >= 0.98 * every[kind], kind
