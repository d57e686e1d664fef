"""The language is told where it can be, and called unknown where it cannot."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clio.facets import detect_language

SENTENCES = {
    "af": "Kan jy asseblief vir my 'n kort brief aan die bank skryf?",
    "ar": "هل يمكنك أن تكتب لي رسالة قصيرة إلى البنك من فضلك؟",
    "bn": "তুমি কি আমার জন্য ব্যাংকে একটি ছোট চিঠি লিখতে পারো?",
    "ca": "Em pots escriure una carta curta per al banc, si us plau?",
    "cs": "Můžeš mi prosím napsat krátký dopis pro banku?",
    "da": "Kan du skrive et kort brev til banken for mig?",
    "de": "Kannst du mir bitte einen kurzen Brief an die Bank schreiben?",
    "el": "Μπορείς να μου γράψεις ένα σύντομο γράμμα για την τράπεζα;",
    "en": "Could you write me a short letter to the bank, please?",
    "es": "¿Me puedes escribir una carta corta para el banco, por favor?",
    "fa": "می‌توانی یک نامهٔ کوتاه برای بانک برایم بنویسی؟",
    "fi": "Voisitko kirjoittaa minulle lyhyen kirjeen pankille?",
    "fr": "Peux-tu m'écrire une courte lettre pour la banque, s'il te plaît ?",
    "he": "אתה יכול לכתוב לי מכתב קצר לבנק בבקשה?",
    "hi": "क्या आप मेरे लिए बैंक को एक छोटा पत्र लिख सकते हैं?",
    "hu": "Írnál nekem egy rövid levelet a banknak, kérlek?",
    "hy": "Կարո՞ղ եք ինձ համար կարճ նամակ գրել բանկին։",
    "id": "Bisakah kamu menuliskan surat singkat untuk bank buat saya?",
    "it": "Mi puoi scrivere una breve lettera per la banca, per favore?",
    "ja": "銀行あての短い手紙を書いてもらえますか。",
    "ka": "შეგიძლია ბანკისთვის მოკლე წერილი დამიწერო?",
    "ko": "은행에 보낼 짧은 편지를 써 줄 수 있나요?",
    "nl": "Kun je alsjeblieft een korte brief aan de bank voor me schrijven?",
    "pl": "Czy możesz mi napisać krótki list do banku?",
    "pt": "Você pode escrever uma carta curta para o banco para mim?",
    "ro": "Poți să-mi scrii o scrisoare scurtă pentru bancă?",
    "ru": "Напиши мне, пожалуйста, короткое письмо в банк.",
    "sv": "Kan du skriva ett kort brev till banken åt mig?",
    "ta": "வங்கிக்கு ஒரு சிறிய கடிதம் எழுதித் தர முடியுமா?",
    "th": "ช่วยเขียนจดหมายสั้นๆ ถึงธนาคารให้หน่อยได้ไหม",
    "tr": "Bana bankaya kısa bir mektup yazabilir misin?",
    "uk": "Напиши мені, будь ласка, короткого листа до банку.",
    "vi": "Bạn có thể viết giúp tôi một lá thư ngắn gửi ngân hàng không?",
    "zh": "你能帮我给银行写一封短信吗？",
}


@pytest.mark.parametrize("code", SENTENCES)
def test_a_sentence_is_told(code: str) -> None:
    assert detect_language(SENTENCES[code]) == code


@pytest.mark.parametrize(
    "text",
    [
        *("", "   ", "12345 67890", "???", "👍👍👍", "https://example.org/welcome/to/our/shop"),
        *("ok", "hm", "asdf", "x = 3", "-----", "{}[]();", "v2.0.1", "xkcd zzyx", "1+1=?"),
        "```python\nfor line in open('words.txt'):\n    print(line)\n```",
    ],
)
def test_what_carries_no_language_is_unknown(text: str) -> None:
    assert detect_language(text) == "unknown"


def test_code_and_addresses_do_not_hide_the_language_around_them() -> None:
    text = (
        "Pourquoi cette fonction ne marche-t-elle pas ?\n"
        "```\ndef the_function_that_fails(): return what_is_this\n```\nhttps://example.org/help-me"
    )
    assert detect_language(text) == "fr"


def test_capitals_and_numbers_do_not_matter() -> None:
    assert detect_language("WIE VIEL SIND 25 % VON 480 EURO?") == "de"


def test_the_longer_part_of_a_mixed_text_counts() -> None:
    quoted = f"Please translate this for me, I do not understand a word of it: {SENTENCES['it']}"
    assert detect_language(quoted) == "en"


@given(st.text(max_size=400))
def test_any_text_has_an_answer_and_always_the_same(text: str) -> None:
    answer = detect_language(text)
    assert answer == detect_language(text)
    assert answer == "unknown" or (answer.isalpha() and answer.islower() and len(answer) == 2)
