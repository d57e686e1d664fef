"""Changes over time as rows, JSON values, Markdown and HTML; nothing that intervals don't carry."""

from __future__ import annotations

import html
import math
from dataclasses import asdict
from typing import Any, Final

from clio.pipeline.monitoring import Monitoring
from clio.privacy.changes import Shown

_WORDS: Final = {
    "new": "new",
    "rise": "more often",
    "fall": "less often",
    "appeared": "appeared",
    "vanished": "vanished",
}
_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse}th,td{text-align:left;padding:.3rem .8rem .3rem 0;"
    "border-bottom:1px solid #8884;vertical-align:top}"
)


def headline(done: Monitoring) -> list[str]:
    """What was compared and how much was found, and below it what a reader should know."""
    count = len(done.shown)
    changes = "no change" if not count else "1 change" if count == 1 else f"{count} changes"
    if done.event is not None and done.before is not None and done.after is not None:
        sides = " to ".join(map(str, done.before)), " to ".join(map(str, done.after))
        lines = [f"Event of {done.event}: {changes} ({sides[0]} against {sides[1]})"]
        if done.placebos:
            lines.append(
                f"Held against {done.placebos} other dates; {done.dropped} that moved no further "
                "than on other dates left out."
            )
    else:
        lines = [f"Up to {done.until}: {changes}"]
    if done.withheld:
        lines.append(f"Withheld as too small or not in the release: {done.withheld}")
    if done.detectable:
        facet = done.detectable[0][0]
        levels = ", ".join(
            f"level {level} x{ratio:g}" for of, level, ratio in done.detectable if of == facet
        )
        lines.append(f"What a week's rise needs to be seen, in half of the clusters: {levels}")
    if any(row.few for row in done.shown):
        lines.append("'Few accounts': without the three that moved most, it would not be seen.")
    return [*lines, *done.notes]


def rows_of(done: Monitoring) -> tuple[list[str], list[list[str]]]:
    """Names of columns, and a row a change."""
    names = ["what", "ratio", "95 % interval", "q", "since", "accounts", "cluster"]
    if done.event is not None and done.placebos:
        names.insert(4, "other dates")
    rows = []
    for shown in done.shown:
        row = [
            _what(shown),
            _number(shown.ratio),
            f"{_number(shown.low)}-{_number(shown.high)}",
            f"{shown.q:g}",
            str(shown.since),
            f"at least {shown.accounts}" + (", few carry it" if shown.few else ""),
            shown.title,
        ]
        if done.event is not None and done.placebos:
            row.insert(4, "" if shown.placebo is None else f"{shown.placebo:.1%}")
        rows.append(row)
    return names, rows


def _what(shown: Shown) -> str:
    if shown.value is not None:
        more = "more" if shown.ratio >= 1 else "less"
        return f"{shown.kind.removesuffix(' shift')}: {more} {shown.value}"
    return _WORDS.get(shown.kind, shown.kind)


def _number(value: float) -> str:
    return "unknown" if not math.isfinite(value) else f"{value:g}"


def as_json_values(done: Monitoring) -> dict[str, Any]:
    """The report as JSON values."""
    return {
        "release": done.release,
        "publishable": done.publishable,
        "until": done.until,
        "event": done.event,
        "before": done.before,
        "after": done.after,
        "placebo_dates": done.placebos if done.event is not None else None,
        "changes": [
            {name: _plain(value) for name, value in asdict(shown).items()} for shown in done.shown
        ],
        "withheld": done.withheld,
        "detectable": [
            {"facet": facet, "level": level, "ratio": ratio}
            for facet, level, ratio in done.detectable
        ],
        "notes": done.notes,
    }


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def markdown_page(done: Monitoring) -> str:
    """The report as Markdown."""
    lines = headline(done)
    page = [f"# {lines[0]}", ""]
    if done.shown:
        names, rows = rows_of(done)
        page += [f"| {' | '.join(names)} |", f"|{' --- |' * len(names)}"]
        page += [f"| {' | '.join(_escaped(cell) for cell in row)} |" for row in rows]
        page.append("")
    page += [f"- {line}" for line in lines[1:]]
    if not done.publishable:
        page += ["", "**Not anonymous, do not share.**"]
    return "\n".join(page) + "\n"


def _escaped(text: str) -> str:
    marks = r"\`*_[]<>|#!&"
    return "".join(f"\\{c}" if c in marks else c for c in text)


def html_page(done: Monitoring) -> str:
    """The report as one HTML file that loads nothing."""
    lines = headline(done)
    body = [f"<h1>{html.escape(lines[0])}</h1>"]
    if done.shown:
        names, rows = rows_of(done)
        head = "".join(f"<th>{html.escape(name)}</th>" for name in names)
        cells = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in rows)
        body.append(
            f"<table><tr>{head}</tr>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</table>"
        )
    body += [f"<p>{html.escape(line)}</p>" for line in lines[1:]]
    if not done.publishable:
        body.append("<p><strong>Not anonymous, do not share.</strong></p>")
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{html.escape(lines[0])}</title><style>{_STYLE}</style>"
        + "".join(body)
        + "</html>\n"
    )
