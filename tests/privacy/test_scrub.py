from __future__ import annotations

import gzip
import json
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clio.privacy.scrub import PLACEHOLDER, clean, finds, luhn, scrub

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
        ("tourist visa 31245678", "tourist visa [number]"),
        ("Konto DE89370400440532013000", "Konto [iban]"),
        ("rufen Sie 0711 2345678 an", "rufen Sie [phone] an"),
        ("mon portable : 06 12 34 56 78", "mon portable : [phone]"),
        ("mi móvil es 612 345 679", "mi móvil es [phone]"),
        ("телефон +7 (495) 123-45-67", "телефон [phone]"),
        ("电话 138-1234-5678 谢谢", "电话 [phone] 谢谢"),
        ("携帯は０９０－１２３４－５６７８です", "携帯は[phone]です"),
        ("फ़ोन +91 98765 43210", "फ़ोन [phone]"),
        ("هاتف ٠٥٠١٢٣٤٥٦٧", "هاتف [phone]"),
        ("ligue (11) 91234-5678", "ligue [phone]"),
        ("meu CPF 529.982.247-25", "meu CPF [id]"),
        ("DNI 12345678Z", "DNI [id]"),
        ("codice RSSMRA85T10A562S", "codice [id]"),
        ("nino AB123456C", "nino [id]"),
        ("hetu 131052-308T", "hetu [id]"),
        ("personnummer 811228-9874", "personnummer [id]"),
        ("身份证 11010519491231002X", "身份证 [id]"),
        ("passport number is X1234567", "passport number is [id]"),
        ("née le 3 mars 1984 à Lyon", "née le [date] à Lyon"),
        ("geboren am 03.04.1984", "geboren am [date]"),
        ("生年月日は1984年3月12日", "生年月日は[date]"),
        ("wohnt Lange Straße 12", "wohnt [address]"),
        ("habite 14 rue de la Paix", "habite [address]"),
        ("vive en Calle Mayor 5", "vive en [address]"),
        ("john at example dot com", "[email]"),
        ("juan arroba ejemplo punto es", "[email]"),
        ("ann%40example.org", "[email]"),
        ("ann&#64;example&period;org", "[email]"),
        ("am9obi5kb2VAZXhhbXBsZS5jb20=", "[email]"),
        ("send to 1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "send to [id]"),
        ("0x52908400098527886E0F7030069857D2E4169EE7", "[id]"),
        ("token=q9Zx83LmPa02TrYw", "token=[secret]"),
        ("ghp_abcdefghijklmnopqrst0123456789", "[secret]"),
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
        "wait… it’s “fine” — ﬁne, 你好，世界！１５ ½ ¯",
        "می‌خواهم کتاب‌ها را ببینم",
        "क्‍षेत्र और 👩‍💻 ❤️ 1️⃣",
        "the meeting of 12/03/2021 cost $1200000 or 2,500,000 euros",
        "population 1 400 000 000 in 2020-2021, 10 20 30 40 50",
        "@property\ndef f(self): return x[1::2]",
        "key = value_of(token); api_key = os.environ['KEY']",
        "9:00-17:30, ISSN 1941-7012, 05/2020 – 07/2021, section 7923.600-7923.625",
        "covid-19 wave-2021-report-of-the-year-2022",
        "version 10.2.3.4 and the score is 3-2",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert scrub(text) == text


# Characters that the rules are made of, so that random texts come close to them.
_HARD = st.text(st.sampled_from("aZ09 .@:/-+_()[]{}#=x\n\u200bé中½") | st.characters(), max_size=80)


@given(_HARD)
def test_scrubbing_is_idempotent_and_leaves_nothing_to_find(text: str) -> None:
    once = scrub(text)
    assert scrub(once) == once
    assert not finds(once)


@given(_HARD)
def test_what_holds_no_identifier_stays_but_for_hidden_characters(text: str) -> None:
    if not finds(text):
        assert clean(scrub(text)) == clean(text)


@pytest.mark.parametrize(
    "piece",
    [
        "a.", "1.", "1 ", "1-", "a@", "@a.", "::1", "a:", "-----begin a-----", "%40", "&#64;", "ab ",  # noqa: E501
        "1 a ", "a dot ", "key=a1", "a1", "[email]", "+1", "(1)", "\u200d", "５", "12 Long ", "born ",  # noqa: E501
        "192.168.", "http://", "account ",
    ],
)  # fmt: skip
def test_cost_is_linear_whatever_is_repeated(piece: str) -> None:
    def seconds(size: int) -> float:
        text = piece * (size // len(piece))
        begin = time.process_time()
        scrub(text)
        return time.process_time() - begin

    # Sixteen times the text may take sixteen times as long, with room for noise; not 256 times.
    assert seconds(16_000) < 64 * max(seconds(1_000), 0.002)


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
