"""Damaged inputs of every format: rows with outcomes, or one clear refusal, and nothing else.

The long version is ``make accept-fuzz``.
"""

from __future__ import annotations

import random
import tempfile
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clio.sources import read
from clio.testing import fuzzing, generate
from clio.testing.formats import WRITERS, write
from clio.testing.fuzzing import account_for, bombs, mutated

SAMPLES = Path(__file__).parent / "samples"
SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".json", ".zip", ".parquet")
unhurried = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@cache
def valid_files() -> dict[str, bytes]:
    found = {
        str(path.relative_to(SAMPLES)): path.read_bytes()
        for path in sorted(SAMPLES.rglob("*"))
        if path.is_file()
    }
    with tempfile.TemporaryDirectory() as folder:
        for number, suffix in enumerate(SUFFIXES):
            # Parquet knows only some formats.
            name = "clio" if suffix == ".parquet" else sorted(WRITERS)[number]
            path = Path(folder) / f"{name}{suffix}"
            write(path, generate(12, seed=2), name)
            found[path.name] = path.read_bytes()
    return found


@unhurried
@given(name=st.deferred(lambda: st.sampled_from(sorted(valid_files()))), seed=st.integers(0, 10**9))
def test_a_damaged_file_is_accounted_for(name: str, seed: int) -> None:
    files, chance = valid_files(), random.Random(seed)
    suffix = chance.choice(("".join(Path(name).suffixes), *SUFFIXES))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"input{suffix}"
        path.write_bytes(mutated(files[name], chance, list(files.values())))
        account_for(path, chance)


@settings(unhurried, max_examples=20)
@given(seed=st.integers(0, 10**9))
def test_a_folder_of_damaged_files_is_accounted_for(seed: int) -> None:
    files, chance = valid_files(), random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        for number, name in enumerate(chance.sample(sorted(files), 3)):
            path = Path(folder) / f"{number}{''.join(Path(name).suffixes)}"
            path.write_bytes(mutated(files[name], chance, list(files.values())))
        account_for(Path(folder), chance)


def test_valid_files_give_rows(tmp_path):
    chance = random.Random(0)
    for name, content in valid_files().items():
        if "/" in name:
            continue  # the samples have tests of their own
        path = tmp_path / name
        path.write_bytes(content)
        assert account_for(path, chance) >= 12, name


def test_files_that_expand_or_nest_are_accounted_for(tmp_path):
    for name, content in bombs():
        if name in ("deep.json", "many.json"):
            content = content[: 2**17]
        path = tmp_path / name
        path.write_bytes(content)
        account_for(path, random.Random(0))
        path.unlink()


def test_a_lost_row_would_be_seen(tmp_path, monkeypatch):
    path = tmp_path / "input.jsonl"
    write(path, generate(12, seed=2), "clio")
    monkeypatch.setattr(fuzzing, "read", lambda *a, **k: list(read(*a, **k))[:-1])
    with pytest.raises(AssertionError, match="11 rows instead of 12"):
        account_for(path, random.Random(0))
    monkeypatch.setattr(fuzzing, "read", lambda found, skip=0: read(found))
    with pytest.raises(AssertionError, match="other rows after"):
        account_for(path, random.Random(0))
