"""What a run says when it is done."""

from __future__ import annotations

import shlex
from collections import Counter
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from clio.pipeline import Run
from clio.release.read import Cluster, Release
from clio.sources import shown

TOP_SHOWN = 12
NAMES_SHOWN = 3


def _top(release: Release) -> list[Cluster]:
    facet = next(f.name for f in release.info.facets if f.primary)
    children = release.children("__root__", facet=facet)
    return sorted(children, key=lambda c: (-c.conversations, c.cluster_id))


def notes(run: Run) -> list[str]:
    """Advice for the owner of the run; it is not part of the release."""
    found = run.details["release"].get("notes", [])
    return [str(note) for note in found] if isinstance(found, list) else []


def skipped(run: Run) -> dict[str, int]:
    """Rows that were skipped, by reason."""
    reasons: Counter[str] = Counter()
    for stage in ("read", "facets"):
        found = run.details[stage].get("skipped", {})
        reasons.update(found if isinstance(found, dict) else {})
    return dict(reasons)


def passed_over(run: Run) -> list[dict[str, str]]:
    """Files of the input's folders and archives that were not read, and what they are."""
    found = run.details["read"].get("passed_over", [])
    pairs = found if isinstance(found, list) else []
    return [{"file": str(file), "reason": str(reason)} for file, reason in pairs]


def summary_json(run: Run) -> dict[str, Any]:
    """The summary as JSON values."""
    release = run.release()
    return {
        "run": shown(run.path),
        "release": release.info.number,
        "publishable": release.info.publishable,
        "outcomes": run.outcomes,
        "skipped": skipped(run),
        "passed_over": passed_over(run),
        "clusters_by_level": next(f.clusters for f in release.info.facets if f.primary),
        "top": [
            {
                "cluster_id": c.cluster_id,
                "title": c.title,
                "conversations": c.conversations,
                "share": c.share,
                "share_low": c.share_low,
                "share_high": c.share_high,
            }
            for c in _top(release)
        ],
        "withheld": release.table("withheld").to_pylist(),
        "notes": notes(run),
        "describer": release.info.describer or release.info.analyst,
        "models": run.models,
        "outstanding": run.outstanding,
        "seconds": run.seconds,
    }


def print_summary(console: Console, run: Run) -> None:
    """Outcomes, the top of the tree, what was withheld, seconds, and what to type next."""
    release = run.release()
    info = release.info
    rows = sum(run.outcomes.values())
    outcomes = ", ".join(f"{count:,} {name}" for name, count in run.outcomes.items())
    console.print(f"\n[bold]{rows:,} rows read[/bold]: {outcomes}")
    _print_left_out(console, run)
    levels = next(f.clusters for f in info.facets if f.primary)
    needs = f"{info.thresholds['conversations']} conversations each"
    if info.publishable:
        needs = f"{info.thresholds['accounts']} accounts and {needs}"
    console.print(
        " › ".join(f"{count:,}" for count in reversed(levels))
        + f" clusters, thresholds '{info.preset}': at least {needs}\n"
    )
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("share", justify="right")
    # An interval by account says nothing about a single one.
    several = info.totals.accounts > 1
    if several:
        table.add_column("95 % interval", style="dim")
    table.add_column("what people ask for" if info.publishable else "what you ask for")
    top = _top(release)
    for cluster in top[:TOP_SHOWN]:
        interval = f"{cluster.share_low:.1%}-{cluster.share_high:.1%}"
        shown_interval = [interval] if several else []
        table.add_row(f"{cluster.share:.1%}", *shown_interval, Text(cluster.title))
    console.print(table)
    if len(top) > TOP_SHOWN:
        console.print(f"and {len(top) - TOP_SHOWN} more")
    _print_withheld(console, release)
    for note in notes(run):
        console.print(f"Note: {note}", markup=False)
    if not info.publishable:
        console.print("[bold red]Not anonymous, do not share.[/bold red]")
    _print_models(console, run)
    seconds = run.seconds
    slowest = ", ".join(f"{name} {value:.1f}" for name, value in seconds.items())
    console.print(f"\n{sum(seconds.values()):.1f} seconds ({slowest})", style="dim")
    path = shown(run.path)
    console.print(
        f"Release {info.number} lies in {path}. Next: clio serve {shlex.quote(path)}", markup=False
    )


def _print_models(console: Console, run: Run) -> None:
    """What models were asked over all starts of the run, and what still lies elsewhere."""
    info = run.release().info
    if info.describer is not None:
        console.print(
            f"\nTitles and hierarchy are by {info.describer}, all other answers by {info.analyst}",
            markup=False,
            style="dim",
        )
    for name, used in run.models.items():
        tokens = used["tokens"]["input"] + used["tokens"]["output"]
        cost = "" if used["cost"] is None else f", ${used['cost']:,.2f}"
        console.print(
            f"\nAsked {name}: {used['calls']:,} calls, {tokens:,} tokens{cost}",
            markup=False,
            style="dim",
        )
    for line in run.outstanding:
        console.print(f"Still outside the run: {line}", markup=False)


def _print_left_out(console: Console, run: Run) -> None:
    reasons = skipped(run)
    if reasons:
        listed = ", ".join(f"{n:,} {reason}" for reason, n in reasons.items())
        console.print(f"Skipped: {listed}", style="dim")
    files: dict[str, list[str]] = {}
    for item in passed_over(run):
        files.setdefault(item["reason"], []).append(item["file"])
    for reason, names in files.items():
        more = f" and {len(names) - NAMES_SHOWN:,} more" if len(names) > NAMES_SHOWN else ""
        listed = ", ".join(names[:NAMES_SHOWN])
        console.print(f"Passed over, {reason}: {listed}{more}", markup=False, style="dim")


def _print_withheld(console: Console, release: Release) -> None:
    hidden: Counter[str] = Counter()
    reworded = 0
    for row in release.table("withheld").to_pylist():
        if row["reason"] == "wording":
            reworded += row["cells"]
        else:
            hidden[row["table"]] += row["cells"]
    if hidden:
        listed = ", ".join(f"{hidden[table]:,} of {table}" for table in sorted(hidden))
        console.print(f"\nWithheld as too small or too telling: {listed}", style="dim")
    if reworded:
        console.print(
            f"Described in plainer words, since too few accounts used the first ones: {reworded:,} "
            "clusters",
            style="dim",
        )
