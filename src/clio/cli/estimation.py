"""What an estimate says."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from clio.pipeline import Estimate
from clio.sources import shown

UNKNOWN: Final = "unknown: give --prices"
NOTHING: Final = "nothing: no model is asked"

_LATER: Final = "as long as the answers take"
_MINUTE, _HOUR = 60, 3600


def estimate_json(found: Estimate) -> dict[str, Any]:
    """The same facts as JSON values."""
    return asdict(found) | {
        "calls": found.calls,
        "input_tokens": found.input_tokens,
        "output_tokens": found.output_tokens,
        "money": asdict(found.money) if found.money is not None else None,
        "cost": found.cost if found.parts else 0.0,
    }


def print_estimate(console: Console, found: Estimate) -> None:
    """Work by work, then the sums, then what they rest on; fits 80 columns."""
    console.print(
        f"\n[bold]{found.rows:,} rows[/bold]: {found.conversations:,} conversations, "
        f"about {found.clusters:,} clusters"
    )
    if found.parts:
        console.print()
        console.print(_work(found), soft_wrap=False)
    console.print()
    console.print(_sums(found), soft_wrap=False)
    console.print()
    for said in found.assumptions:
        console.print(f"- {said}", markup=False, style="dim", soft_wrap=False)


def in_words(found: Estimate) -> str:
    """Calls, tokens, money and time in one line."""
    parts = [
        f"{found.calls:,} calls",
        f"{_many(found.input_tokens)} tokens sent",
        f"{_many(found.output_tokens)} received",
        f"cost {cost(found)}",
    ]
    if found.seconds is not None:
        parts.append(f"about {duration(found.seconds)}")
    return ", ".join(parts)


def cost(found: Estimate) -> str:
    """What the run costs, in words."""
    if not found.parts:
        return NOTHING
    return UNKNOWN if found.cost is None else dollars(found.cost)


def dollars(value: float) -> str:
    """US dollars with cents, or with two digits where it is less."""
    return f"${value:,.2f}" if value >= 0.1 or value == 0 else f"${value:.2g}"


def duration(seconds: float) -> str:
    """Seconds, minutes or hours, whichever reads best."""
    if seconds < 1.5 * _MINUTE:
        return f"{max(1, round(seconds))} s"
    if seconds < 1.5 * _HOUR:
        return f"{round(seconds / _MINUTE)} min"
    return f"{seconds / _HOUR:,.1f} h"


def _work(found: Estimate) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("work")
    table.add_column("model", overflow="fold")
    for name in ("calls", "tokens sent", "received", "cost"):
        table.add_column(name, justify="right")
    for part in found.parts:
        batch = part.model.startswith("batch:")
        paid = None if part.money is None else part.money.batch if batch else part.money.cached
        table.add_row(
            part.name,
            escape(shown(part.model)),
            f"{part.calls:,}",
            _many(part.input_tokens),
            _many(part.output_tokens),
            "unknown" if paid is None else dollars(paid),
        )
    table.add_row(
        "in all",
        "",
        f"{found.calls:,}",
        _many(found.input_tokens),
        _many(found.output_tokens),
        "unknown" if found.cost is None else dollars(found.cost),
        style="bold",
    )
    return table


def _sums(found: Estimate) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column()
    day = "" if found.prices_as_of is None else f" (prices as of {found.prices_as_of})"
    table.add_row("cost", cost(found) + day)
    if found.money is not None:
        table.add_row("", f"{dollars(found.money.plain)} without the provider's prompt cache")
        table.add_row("", f"{dollars(found.money.cached)} with it")
        table.add_row("", f"{dollars(found.money.batch)} in the provider's batch interface")
    table.add_row("time", _LATER if found.seconds is None else duration(found.seconds))
    table.add_row("disk", _bytes(found.disk_bytes))
    return table


def _many(number: int) -> str:
    if number < 100_000:
        return f"{number:,}"
    return f"{number / 1e6:,.2f} M" if number < 1e8 else f"{number / 1e6:,.0f} M"


def _bytes(number: int) -> str:
    return f"{number / 1e9:,.1f} GB" if number >= 1e9 else f"{max(1, round(number / 1e6)):,} MB"
