"""Nothing that is measured on the test bed may know it, and nobody tunes on its held-out half."""

from __future__ import annotations

import re
from pathlib import Path

import clio

PACKAGE = Path(clio.__file__).parent
TESTS = Path(__file__).parents[1]

# Who may ask for generated conversations, and who for the half that is held out.
USERS = ("testing", "cli/demo.py", "cli/run.py", "cli/validate.py")
VALIDATION = ("testing", "cli/validate.py", "validation")


def sources(root: Path, *without: str) -> list[Path]:
    return [
        path
        for path in sorted(root.rglob("*.py"))
        if not path.relative_to(root).as_posix().startswith(without)
    ]


def test_no_module_opens_the_texts() -> None:
    mention = re.compile(r"clio[./]testing|testing[./\"' ,)]*texts|[\"']testing[\"']")
    for path in sources(PACKAGE, *USERS):
        assert not mention.search(path.read_text(encoding="utf-8")), path


def test_the_held_out_half_is_for_validation_alone() -> None:
    held_out = re.compile(r"""["']holdout["']|\bholdout=""")
    elsewhere = sources(PACKAGE, *VALIDATION) + sources(TESTS, *VALIDATION)
    for path in elsewhere:
        assert not held_out.search(path.read_text(encoding="utf-8")), path
    for folder in ("benchmarks", "scripts", "examples"):
        for path in sources(TESTS.parent / folder):
            assert not held_out.search(path.read_text(encoding="utf-8")), path
