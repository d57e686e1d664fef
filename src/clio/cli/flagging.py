"""A classifier's flags beside concern as lines, JSON values and one HTML page with a scatter."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, Final

from clio.pipeline.comparing import FALSE_ALARM, MISS
from clio.pipeline.flags import Compared, Flags

ADVICE: Final = (
    "Leads, not verdicts: a cluster that is flagged less than its concern lets expect may be one "
    "that is judged rightly. Read a sample of it before anything is concluded."
)
_MOST: Final = 20
_DRIFT_Q: Final = 0.1
_SIZE: Final = (640, 400)
_EDGE: Final = 48
_TOPS: Final = (0.04, 0.2, 0.4, 1.0)
_COLOURS: Final = {MISS: "#b2182b", FALSE_ALARM: "#2166ac", None: "#8888"}
_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse}th,td{text-align:left;padding:.3rem .8rem .3rem 0;"
    "border-bottom:1px solid #8884;vertical-align:top}svg{max-width:100%}"
    "text{font:12px system-ui,sans-serif}"
)
Table = tuple[str, list[str], list[list[str]]]


def headline(found: Flags) -> list[str]:
    """What was compared with what, and how much was found."""
    lines = []
    if found.label is not None:
        misses = sum(c.kind == MISS for c in found.clusters)
        alarms = sum(c.kind == FALSE_ALARM for c in found.clusters)
        lines.append(
            f"{found.label}: {misses:,} clusters with likely misses, {alarms:,} with likely false "
            "alarms"
        )
        lines.append(
            f"{found.judged:,} of {found.conversations:,} conversations have the label; what is "
            f"expected goes by {_expected_by(found)}"
        )
    else:
        lines.append(f"Concern and combinations of {found.conversations:,} conversations")
    if found.concern_by is None:
        lines.append("Nobody answered how concerning a conversation is")
    else:
        sure = " (words alone, not what is meant)" if found.concern_by == "rules" else ""
        lines.append(
            f"Concern is by {'rules' if sure else 'a model'}{sure}, known of "
            f"{found.concern_known:,}"
        )
    if found.policy_by == "closeness":
        lines.append("Rules are met by closeness to their examples: a first sieve, no judgement")
    return lines


def _expected_by(found: Flags) -> str:
    return "the policy's rules" if found.expected_by == "policy" else "concern"


def tables(found: Flags) -> list[Table]:
    """Tables of the report: a title, names of columns, rows."""
    parts = [
        (
            f"{kind.capitalize()}s".replace("misss", "misses"),
            ["cluster", "flagged", "expected", "gap", "q", "size", "over time", "about"],
            [_lead(c) for c in found.clusters if c.kind == kind],
        )
        for kind in (MISS, FALSE_ALARM)
    ]
    parts += [
        (
            "Flagged, by what it is held against",
            [_expected_by(found), "flagged"],
            [[name, f"{rate:.1%}"] for name, rate in found.rates.items()],
        ),
        (
            "Do flags and concern go together?",
            ["level", "clusters", "Pearson", "Spearman"],
            [
                [str(a.level), f"{a.clusters:,}", _decimal(a.pearson), _decimal(a.spearman)]
                for a in found.agreement
            ],
        ),
        (
            "What a threshold would do",
            ["from", "flags", "of concern 4-5", "of concern 1-2", "misses", "false alarms"],
            [
                [
                    f"{t.threshold:.4g}",
                    f"{t.flagged:.1%}",
                    _share(t.caught),
                    _share(t.harmless),
                    str(t.misses),
                    str(t.false_alarms),
                ]
                for t in found.thresholds
            ],
        ),
        (
            "Rules of the policy",
            ["rule", "conversations", "accounts", "share", "95 % interval"],
            [
                [
                    r.rule,
                    f"{r.conversations:,}",
                    f"{r.accounts:,}",
                    f"{r.share:.2%}",
                    f"{r.low:.2%}-{r.high:.2%}",
                ]
                for r in found.rules
            ],
        ),
        (
            "Combinations worth a look",
            ["cluster", "what", "accounts", "expected", "ratio", "q", "about"],
            [
                [
                    w.cluster_id,
                    w.kind + (f": {w.value}" if w.value else ""),
                    f"{w.accounts:,} of {w.of:,}",
                    f"{w.expected:.1f}",
                    f"{w.ratio:.2g} ({w.low:.2g}-{w.high:.2g})",
                    _q(w.q),
                    w.title or "withheld",
                ]
                for w in found.combinations
            ],
        ),
    ]
    return [part for part in parts if part[2]]


def _lead(c: Compared) -> list[str]:
    moving = c.drift is not None and c.drift_q is not None and c.drift_q <= _DRIFT_Q
    return [
        c.cluster_id,
        f"{c.share:.0%} ({c.share_low:.0%}-{c.share_high:.0%})",
        f"{c.expected:.0%}",
        f"{100 * c.gap:+.0f} points ({100 * c.gap_low:+.0f} to {100 * c.gap_high:+.0f})",
        _q(c.q),
        f"{c.conversations:,} by {c.accounts:,}",
        f"{100 * (c.drift or 0):+.0f} points" if moving else "steady",
        c.title or "withheld",
    ]


def _q(value: float) -> str:
    return "<.0001" if value < 1e-4 else f"{value:.2g}"


def _decimal(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f}"


def _share(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1%}"


def as_json_values(found: Flags) -> dict[str, Any]:
    """The report as JSON values: no account, no text, released titles alone."""
    return asdict(found)


def lines_of(table: Table) -> list[str]:
    """A table as lines for a terminal, cut after some rows."""
    title, names, rows = table
    cells = [names, *rows[:_MOST]]
    widths = [max(len(row[at]) for row in cells) for at in range(len(names) - 1)]
    lines = [title]
    for row in cells:
        padded = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        lines.append("  " + "  ".join([*padded, row[-1]]).rstrip())
    if len(rows) > _MOST:
        lines.append(f"  and {len(rows) - _MOST:,} more")
    return lines


def html_page(found: Flags) -> str:
    """The report as one HTML file that loads nothing."""
    lines = headline(found)
    body = [f"<h1>{html.escape(lines[0])}</h1>"]
    body += [f"<p>{html.escape(line)}</p>" for line in lines[1:]]
    for title, names, rows in tables(found):
        head = "".join(f"<th>{html.escape(name)}</th>" for name in names)
        body.append(f"<h2>{html.escape(title)}</h2><table><tr>{head}</tr>{_rows(rows)}</table>")
    for level in sorted({a.level for a in found.agreement}):
        points = [c for c in found.clusters if c.level == level and c.concern is not None]
        if points:
            body.append(f"<h2>Flagged share and concern, level {level}</h2>{_scatter(points)}")
    body.append(f"<p><strong>{html.escape(ADVICE)}</strong></p>")
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{html.escape(lines[0])}</title><style>{_STYLE}</style>"
        + "".join(body)
        + "</html>\n"
    )


def _rows(rows: Iterable[Sequence[str]]) -> str:
    made = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in rows)
    return "".join(f"<tr>{row}</tr>" for row in made)


def _scatter(points: Sequence[Compared]) -> str:
    """Clusters by mean concern and flagged share, as figure 8 of the Clio paper; area is size."""
    width, height = _SIZE
    most = max(c.conversations for c in points)
    top = next(at for at in _TOPS if at >= max(c.share for c in points))
    marks = []
    for c in sorted(points, key=lambda c: -c.conversations):
        x = _EDGE + ((c.concern or 1.0) - 1.0) / 4.0 * (width - 2 * _EDGE)
        y = height - _EDGE - c.share / top * (height - 2 * _EDGE)
        radius = 2.0 + 14.0 * (c.conversations / most) ** 0.5
        said = f"{c.cluster_id}: {c.title or 'withheld'}; {c.share:.0%} flagged"
        marks.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{_COLOURS[c.kind]}" '
            f'fill-opacity=".6"><title>{html.escape(said)}</title></circle>'
        )
    ticks = [
        f'<text x="{_EDGE + at / 4 * (width - 2 * _EDGE):.0f}" y="{height - _EDGE + 18}" '
        f'text-anchor="middle">{at + 1}</text>'
        for at in range(5)
    ] + [
        f'<text x="{_EDGE - 8}" y="{height - _EDGE - at / 4 * (height - 2 * _EDGE) + 4:.0f}" '
        f'text-anchor="end">{25 * at * top:g} %</text>'
        for at in range(5)
    ]
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img" '
        'aria-label="Flagged share by mean concern, one circle a cluster">'
        f'<path d="M{_EDGE} {_EDGE}V{height - _EDGE}H{width - _EDGE}" fill="none" '
        'stroke="currentColor"/>'
        + "".join(ticks)
        + f'<text x="{width / 2:.0f}" y="{height - 8}" text-anchor="middle">mean concern</text>'
        + f'<text x="{_EDGE}" y="{_EDGE - 16}">flagged; red: likely misses, blue: likely false '
        "alarms</text>" + "".join(marks) + "</svg>"
    )
