"""Whatever stands in ``clio.toml``, the environment or the options: settings, or one clear line."""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from clio.errors import SettingsError
from clio.settings import ENVIRONMENT_PREFIX, Settings, load_settings

NAMES = sorted(Settings.model_fields)
unhurried = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
scalars = st.one_of(
    st.booleans(),
    st.integers(-(2**65), 2**65),
    st.floats(),
    words,
    st.dates(),
    st.datetimes(),
    st.sampled_from(["extractive", "personal", "default", "minilm", "auto", "0", "-1", "1e9", ""]),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=5,
)
names = st.sampled_from(NAMES) | words


def loaded(config: bytes, environment: Mapping[str, str], options: Mapping[str, Any]) -> None:
    """Load them; see that settings come of it that can be recorded, or one line."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clio.toml"
        path.write_bytes(config)
        try:
            found = load_settings(options, config=path, environment=environment)
        except SettingsError as error:
            said = str(error)
            assert len(said.splitlines()) == 1
            assert "setting" in said or str(path) in said or "--" in said
            said.encode()
            for value in environment.values():
                assert len(value) < 8 or value not in said, "a value of the environment is shown"
            return
    # As a run records them and thinks of the thresholds.
    found.model_dump_json()
    found.thresholds()


@unhurried
@given(config=st.binary(max_size=200))
@example(config=b"a = " + b"[" * 5_000)
@example(config=b"a." * 5_000 + b"a = 1")
@example(config=b"seed = " + b"9" * 5_000)
@example(config=b"\xff\xfe")
@example(config=b'"a\\nb" = 1')
@example(config=b'"\\u2028" = 1')
def test_any_bytes_as_clio_toml(config: bytes) -> None:
    loaded(config, {}, {})


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(c):08x}" for c in value) + '"'
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    return value.isoformat() if hasattr(value, "isoformat") else repr(value)


@unhurried
@given(given_values=st.dictionaries(names, values, max_size=4))
def test_any_values_in_clio_toml(given_values: dict[str, Any]) -> None:
    text = "\n".join(f"{_toml(name)} = {_toml(value)}" for name, value in given_values.items())
    with suppress(tomllib.TOMLDecodeError):
        tomllib.loads(text)
    loaded(text.encode(), {}, {})


variables = st.text(st.characters(exclude_characters="\0"), max_size=40).map(
    # The environment holds bytes; what is no UTF-8 comes as lone surrogates.
    lambda text: text.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")
)


@unhurried
@given(
    environment=st.dictionaries(
        names.map(lambda name: ENVIRONMENT_PREFIX + name.upper()), variables, max_size=3
    )
)
@example(environment={"CLIO_BREAKDOWN": "\udcff"})
@example(environment={"CLIO_SEED": "9" * 5_000})
@example(environment={"CLIO_PRIVACY": "a secret that nobody sees"})
@example(environment={"CLIO_MIN_ACCOUNTS": "a secret that nobody sees"})
@example(environment={"CLIO_WHERE": "\udcff"})
@example(environment={"CLIO_WHERE": "(" * 5_000})
def test_any_environment(environment: dict[str, str]) -> None:
    loaded(b"", environment, {})


@unhurried
@given(options=st.dictionaries(names, values, max_size=4))
def test_any_options(options: dict[str, Any]) -> None:
    loaded(b"", {}, options)


def test_a_file_that_is_none_is_said(tmp_path):
    for path in (tmp_path, tmp_path / "nosuch.toml", tmp_path / ("n" * 300)):
        with pytest.raises(SettingsError, match="cannot read settings"):
            load_settings(config=path)
