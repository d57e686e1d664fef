"""``clio networks``: accounts that act together."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from clio.cli.common import Config, Json, Quiet, Seed, ending, output, print_json
from clio.cli.progress import progress_display
from clio.errors import SettingsError
from clio.pipeline.networks import NETWORK, Coordination, Network, find_networks
from clio.pipeline.revealing import export_case
from clio.settings import given_settings
from clio.sources import shown

NAME = "networks"
SHORT = "Accounts that act together, for the safety role."
HELP = (
    "Find accounts that act together more than chance allows. Leads for a person to check, never "
    "verdicts. Accounts, as pseudonyms, and templates go to RUN/restricted; the report has neither."
)

_MANY = 20


def command(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The run directory.")],
    label: Annotated[
        list[str] | None,
        typer.Option(
            "--label", metavar="NAME", help="A label whose rare values count; may be repeated."
        ),
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(
            "--source",
            metavar="NAME",
            help="A label that says where texts come from (a product, a class): groups that share "
            "a value are set apart; may be repeated.",
        ),
    ] = None,
    case: Annotated[
        str | None,
        typer.Option(
            "--case", metavar="CASE", help="With --to: a network that was found, for reviewers."
        ),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(
            "--to", metavar="DIR", help="Write the case there, under pseudonyms of its own."
        ),
    ] = None,
    config: Config = None,
    seed: Seed = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Find networks and print a report, or write one that was found."""
    with ending(as_json=as_json):
        if (case is None) != (to is None):
            raise SettingsError("--case and --to belong together; give both")
        if case is not None and to is not None:
            written = export_case(run, case, to)
            if as_json:
                print_json({"run": shown(run), "case": case, "file": shown(written)})
            elif not quiet:
                output.print(f"{case} is in {shown(written)}", markup=False)
            return
        chosen = given_settings({"seed": seed}, config=config).get("seed")
        with progress_display(quiet=quiet) as progress:
            found = find_networks(
                run, labels=label or (), sources=source or (), seed=chosen, progress=progress
            )
        if as_json:
            print_json({"run": shown(run), **_json(found)})
        elif not quiet:
            _print(output, run, found)


def _json(found: Coordination) -> dict[str, object]:
    values = asdict(found)
    values["thresholds"] = {str(size): value for size, value in found.thresholds.items()}
    return values


def _print(console: Console, run: Path, found: Coordination) -> None:
    networks = [n for n in found.networks if n.kind == NETWORK]
    apart = [n for n in found.networks if n.kind != NETWORK]
    console.print(
        f"\n[bold]{len(networks):,} networks[/bold] among {found.accounts:,} accounts and "
        f"{found.conversations:,} conversations; {len(apart):,} groups set apart as shared sources"
    )
    console.print(
        f"Of runs in which no accounts act together, {found.declared_rate:.0%} at most have a "
        f"group (by {found.nulls} nulls)",
        style="dim",
    )
    if found.left_out:
        console.print(f"Not looked at, as they have no cluster: {found.left_out:,}", style="dim")
    for title, part in (("Networks", networks), ("Shared sources", apart)):
        if part:
            console.print(f"\n{title}")
            for network in part[:_MANY]:
                _entry(console, network)
            if len(part) > _MANY:
                console.print(f"and {len(part) - _MANY:,} more")
    if not found.null_fits:
        console.print(
            f"Chance gives fewer pairs than there are ({found.inflation} for one): "
            "trust no q-value of this report.",
            style="bold red",
        )
    if found.networks:
        path = shown(run / "restricted" / "networks.parquet")
        console.print(
            f"Leads, not verdicts: read {path} before anything is concluded.", markup=False
        )


def _entry(console: Console, network: Network) -> None:
    period = f"{network.first} to {network.last}" if network.first else "dates not known"
    console.print(
        f"  [bold]{network.network_id}[/bold]  {network.accounts:,} accounts, "
        f"{network.conversations:,} conversations, {period}, "
        f"score {network.score:.1f}, q {network.q:.2g}"
    )
    for said in (
        f"shared: {', '.join(network.evidence)}",
        f"about: {'; '.join(network.titles) or 'withheld'}",
        f"may also be: {network.explanation} (fit {network.fit:.2f})",
    ):
        console.print(f"    {said}", markup=False)
