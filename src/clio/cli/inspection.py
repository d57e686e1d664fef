"""What an inspection says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from clio.pipeline import Advice, Inspection, Spread
from clio.pipeline.inspecting import Dates

FILES_SHOWN = 12
LABELS_SHOWN = 12
LANGUAGES_SHOWN = 8
PASSED_OVER_SHOWN = 8
BARS = 48
_HEIGHTS = "▁▂▃▄▅▆▇█"
_BASIS = {
    "ids": "by id",
    "none": "by distinct text, since no row has an id",
    "mixed": "by id, or by distinct text where a row has none",
}


def inspection_json(found: Inspection, advice: Advice) -> dict[str, Any]:
    """The same facts as JSON values."""
    value = asdict(found)
    value["passed_over"] = [{"file": file, "reason": reason} for file, reason in found.passed_over]
    value["dates"]["periods"] = [
        {"period": period, "conversations": n} for period, n in found.dates.periods
    ]
    return value | {"advice": asdict(advice)}


def print_inspection(console: Console, found: Inspection, advice: Advice) -> None:
    """Files, facts, what cannot be read, and what to type next; fits 80 columns."""
    ended = ", ".join(
        f"{sum(reasons.values()):,} {outcome}" for outcome, reasons in found.outcomes.items()
    )
    console.print(
        f"\n[bold]{found.rows:,} rows[/bold]: {found.conversations:,} conversations"
        + (f", {ended}" if ended else "")
    )
    _print_files(console, found)
    if found.conversations:
        _print_facts(console, found)
        _print_labels(console, found)
    _print_left_out(console, found)
    for note in advice.notes:
        console.print(f"\nNote: {_plain(note)}", markup=False, soft_wrap=False)
    if advice.command is not None:
        console.print("\nNext:", style="bold")
        console.print(f"  {_plain(advice.command)}", markup=False)
    if advice.breakdowns:
        options = " ".join(f"--breakdown {_plain(name)}" for name in advice.breakdowns)
        console.print(f"  and, to see clusters by label: {options}", markup=False, style="dim")


def _print_files(console: Console, found: Inspection) -> None:
    table = _table()
    table.add_column("file", overflow="fold")
    table.add_column("kind", style="dim")
    table.add_column("rows of")
    table.add_column("rows", justify="right")
    table.add_column("conversations", justify="right")
    for file in found.files[:FILES_SHOWN]:
        formats = ", ".join(sorted(file.formats, key=lambda name: -file.formats[name])) or "-"
        table.add_row(
            _tail(_plain(file.file)),
            file.container,
            formats,
            f"{file.rows:,}",
            f"{file.conversations:,}",
        )
    console.print()
    console.print(table, soft_wrap=False)
    if len(found.files) > FILES_SHOWN:
        console.print(f"and {len(found.files) - FILES_SHOWN:,} more files", style="dim")


def _print_facts(console: Console, found: Inspection) -> None:
    accounts, languages = found.accounts, found.languages
    table = _table(header=False)
    table.add_column(style="bold")
    table.add_column()
    table.add_row(
        "accounts",
        f"{accounts.count:,} {_BASIS[accounts.basis]}; "
        f"the largest holds {accounts.largest_share:.1%}",
    )
    table.add_row("dates", _dates(found.dates))
    shares = list(languages.shares.items())
    shown = ", ".join(f"{_plain(code)} {share:.1%}" for code, share in shares[:LANGUAGES_SHOWN])
    more = f", {len(shares) - LANGUAGES_SHOWN} more" if len(shares) > LANGUAGES_SHOWN else ""
    sampled = (
        f" [dim](of a sample of {languages.looked_at:,})[/dim]"
        if languages.looked_at < found.conversations
        else ""
    )
    table.add_row("languages", escape(shown + more) + sampled)
    table.add_row("turns", _spread(found.turns))
    table.add_row("words", _spread(found.words))
    console.print()
    console.print(table, soft_wrap=False)


def _print_labels(console: Console, found: Inspection) -> None:
    if not found.labels:
        return
    table = _table()
    table.add_column("label", overflow="fold")
    table.add_column("type", style="dim")
    table.add_column("values", justify="right")
    table.add_column("in", justify="right")
    for label in found.labels[:LABELS_SHOWN]:
        table.add_row(
            _tail(_plain(label.name)),
            ", ".join(label.types),
            "over 200" if label.distinct is None else f"{label.distinct:,}",
            f"{label.share:.0%}",
        )
    console.print()
    console.print(table, soft_wrap=False)
    hidden = len(found.labels) - LABELS_SHOWN
    if hidden > 0 or found.more_labels:
        console.print(f"and {max(hidden, 1):,}{' or' * found.more_labels} more", style="dim")


def _print_left_out(console: Console, found: Inspection) -> None:
    if found.outcomes:
        table = _table()
        table.add_column("rows", justify="right")
        table.add_column("left out", style="dim")
        table.add_column("why")
        table.add_column("first", style="dim", overflow="fold")
        places = {reject.reason: reject.first for reject in found.rejects}
        for outcome, reasons in found.outcomes.items():
            for reason, n in reasons.items():
                first = places.get(reason, []) if outcome == "rejected" else []
                table.add_row(f"{n:,}", outcome, reason, "\n".join(_tail(_plain(p)) for p in first))
        console.print()
        console.print(table, soft_wrap=False)
    if found.passed_over:
        console.print(f"\n{len(found.passed_over):,} files passed over:")
        for file, reason in found.passed_over[:PASSED_OVER_SHOWN]:
            console.print(f"  {_plain(file)}: {_plain(reason)}", markup=False, style="dim")
        if len(found.passed_over) > PASSED_OVER_SHOWN:
            console.print(f"  and {len(found.passed_over) - PASSED_OVER_SHOWN:,} more", style="dim")


def _table(*, header: bool = True) -> Table:
    return Table(
        box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=header, header_style="dim"
    )


def _dates(dates: Dates) -> str:
    if dates.first is None or dates.granularity is None:
        return "none"
    without = f", {dates.without:,} without" if dates.without else ""
    bars = _sparkline([n for _, n in dates.periods])
    return f"{dates.first} to {dates.last} (UTC){without}\n{bars} [dim]by {dates.granularity}[/dim]"


def _sparkline(counts: Sequence[int]) -> str:
    """Bars of equal width; neighbouring periods share one where there are many."""
    each = -(-len(counts) // BARS)
    sums = [sum(counts[at : at + each]) for at in range(0, len(counts), each)]
    highest = max(sums)
    return "".join(_HEIGHTS[(n * len(_HEIGHTS) - 1) // highest] if n else " " for n in sums)


def _spread(spread: Spread) -> str:
    return (
        f"median {spread.median:,}, 90 % up to {spread.ninety_percent:,}, "
        f"at most {spread.highest:,}"
    )


def _plain(text: str) -> str:
    """Names of files and labels come from outside: nothing in them may steer a terminal."""
    return "".join(c if c.isprintable() else "�" for c in text)


def _tail(text: str, length: int = 40) -> str:
    return escape(text if len(text) <= length else "…" + text[1 - length :])
