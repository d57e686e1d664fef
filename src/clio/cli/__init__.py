"""The command line: parses, calls the API, prints. One file a command; no logic here."""

from __future__ import annotations

import typer
from rich.console import Console

from clio.cli import (
    audit,
    demo,
    describe,
    estimate,
    export,
    flags,
    forget,
    inspect,
    monitor,
    networks,
    purge,
    reveal,
    run,
    serve,
    token,
)

app = typer.Typer(
    name="clio",
    help="What AI assistants are really used for, without anyone reading a conversation.",
    no_args_is_help=False,
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
for command in (
    demo,
    inspect,
    estimate,
    run,
    serve,
    export,
    describe,
    monitor,
    networks,
    flags,
    token,
    reveal,
    forget,
    purge,
    audit,
):
    app.command(name=command.NAME, short_help=command.SHORT, help=command.HELP)(command.command)


@app.callback()
def _first(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Show the version and exit."),
) -> None:
    import clio

    console = Console(highlight=False)
    if version:
        console.print(f"clio {clio.__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        console.print(
            "[bold]Clio[/bold] shows what an AI assistant is used for, "
            "without anyone reading a conversation.\n\n"
            "  clio demo               try it on generated conversations: start here\n"
            "  clio inspect FILE       your own conversations: what would be read\n"
            "  clio run FILE --open    ... grouped, described and explored\n"
            "  clio serve RUN          explore a run again\n\n"
            "  clio --help             all commands"
        )


def main() -> None:
    """Entry point of the command ``clio``."""
    app()
