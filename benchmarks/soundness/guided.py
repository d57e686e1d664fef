"""Let code coverage lead to inputs that are read wrongly; needs the package atheris.

    python benchmarks/soundness/guided.py [SECONDS] [--folder DIR]

The check is that of `fuzz.py`; it begins with valid files of every format. What it learns stays
in DIR/corpus, so that it goes on from there; an input that fails stays in DIR as ``crash-…``, its
first byte telling the end of the file's name. The exit status is 0 where none was found.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

import atheris

# Before anything else imports them.
with atheris.instrument_imports(include=["clio.sources"]):
    import clio.sources.registry  # noqa: F401

from fuzz import SUFFIXES, valid_files

from clio.testing.fuzzing import account_for


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("seconds", type=int, nargs="?", default=600)
    parser.add_argument("--folder", type=Path, default=Path("benchmarks/results/guided"))
    options = parser.parse_args()
    corpus = options.folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for at, content in enumerate(valid_files().values()):
        for suffix in range(len(SUFFIXES)):
            (corpus / f"{at}-{suffix}").write_bytes(bytes([suffix]) + content)
    target = Path(tempfile.mkdtemp())

    def one(data: bytes) -> None:
        if data:
            path = target / f"input{SUFFIXES[data[0] % len(SUFFIXES)]}"
            path.write_bytes(data[1:])
            account_for(path, random.Random(len(data)))

    atheris.Setup(
        [
            sys.argv[0],
            str(corpus),
            f"-max_total_time={options.seconds}",
            f"-artifact_prefix={options.folder}/",
            "-max_len=65536",
            "-rss_limit_mb=2048",
            "-timeout=60",
        ],
        one,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
