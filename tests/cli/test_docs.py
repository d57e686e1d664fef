"""The documentation of commands names every command and every option, and no others."""

from __future__ import annotations

import re
from pathlib import Path

import typer

from clio.cli import app
from clio.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
SHARED = {"--config", "--seed", "--quiet", "--json"}


def sections() -> dict[str, str]:
    text = (DOCS / "commands.md").read_text(encoding="utf-8")
    parts = re.split(r"^## clio (\w+)$", text, flags=re.MULTILINE)
    return {"": parts[0]} | dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_command_has_a_section_and_every_option_a_word():
    commands = typer.main.get_command(app).commands
    documented = sections()
    assert set(documented) - {""} == set(commands)
    for name, command in commands.items():
        options = {o for p in command.params for o in [*p.opts, *p.secondary_opts] if o[:2] == "--"}
        options -= {"--help"}
        assert options >= SHARED, name
        known = set(OPTION.findall(documented[name]))
        # Of a pair such as --open and --no-open, one is enough.
        missing = {o for o in options - SHARED - known if f"--no-{o[2:]}" not in known}
        assert missing == set(), name
        elsewhere = {"--privacy", "--breakdown"} if name == "inspect" else set()
        assert known - elsewhere <= options, name


def test_the_shared_options_are_told_once():
    assert set(OPTION.findall(sections()[""])) >= SHARED - {"--help"}


def test_the_page_on_where_names_every_field_and_the_ways_to_give_it():
    text = (DOCS / "where.md").read_text(encoding="utf-8")
    for name in ("date", "created_at", "language", "words", "turns", "labels", "CLIO_WHERE"):
        assert name in text
    assert "where" in Settings.model_fields
