"""An audit's report as one page of HTML that needs nothing else."""

from __future__ import annotations

from html import escape
from typing import Final

from clio.auditing.findings import AuditReport, Passed

_STYLE: Final = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: #1a1a1a; background: #fff; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .3rem; }
.clean { color: #14532d; } .found { color: #991b1b; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #ddd; }
.figures { color: #555; }
@media (prefers-color-scheme: dark) {
  body { color: #eee; background: #161616; } .clean { color: #86efac; } .found { color: #fca5a5; }
  td, th { border-color: #444; } .figures { color: #aaa; }
}
"""
MOST_ROWS: Final = 200
"""Findings of one check that are listed; the rest is counted."""


def html_page(report: AuditReport) -> str:
    """The report as HTML; it quotes nothing of what was audited, like the report itself."""
    number = "" if report.release is None else f" of release {report.release}"
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width">',
        f"<title>Privacy audit{number}</title><style>{_STYLE}</style></head><body>",
        f"<h1>Privacy audit{number}</h1>",
        f"<p class={'clean' if report.clean else 'found'}>{escape(verdict(report))}</p>",
        f"<p>{escape(scope(report))}</p>",
        *(_section(passed) for passed in report.checks),
    ]
    if report.notes:
        items = "".join(f"<li>{escape(note)}</li>" for note in report.notes)
        parts.append(f"<h2>Not covered</h2><ul>{items}</ul>")
    return "".join([*parts, "</body></html>\n"])


def verdict(report: AuditReport) -> str:
    """What came of it, in a sentence."""
    if report.clean:
        return f"Nothing was found in {len(report.checks)} checks."
    number = len(report.findings)
    return f"{number:,} thing{'s' if number > 1 else ''} found: do not share this release."


def scope(report: AuditReport) -> str:
    """What was looked at, in a sentence."""
    preset = "" if report.preset is None else f" Privacy preset: {report.preset}."
    if report.scope == "run":
        return f"The release was held against the run's private tables.{preset}"
    return f"The release was looked at alone, without private tables.{preset}"


def figures(passed: Passed) -> str:
    """The numbers of a check, in one line."""
    return ", ".join(
        f"{name} {value:,}" if isinstance(value, int) else f"{name} {value}"
        for name, value in passed.figures.items()
    )


def _section(passed: Passed) -> str:
    number = len(passed.findings)
    state = "nothing found" if not number else f"{number:,} found"
    tone = "found" if number else "clean"
    head = (
        f"<h2>{escape(passed.check)}: <span class={tone}>{state}</span></h2>"
        f"<p>{escape(passed.looked)}</p>"
    )
    if passed.figures:
        head += f"<p class=figures>{escape(figures(passed))}</p>"
    if not number:
        return head
    rows = "".join(
        f"<tr><td>{escape(f.where)}</td><td>{escape(f.message)}</td></tr>"
        for f in passed.findings[:MOST_ROWS]
    )
    more = f"<p>and {number - MOST_ROWS:,} more</p>" if number > MOST_ROWS else ""
    return f"{head}<table><tr><th>where</th><th>what</th></tr>{rows}</table>{more}"
