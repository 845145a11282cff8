"""Plots as SVG with the standard library alone: the same figures give the same file, in light and dark.

Every figure stands beside its mark, so that no legend is needed; labels at the ends of lines are moved apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from math import ceil, floor, log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WIDTH = 760
_LINE_HEIGHT = 17.0
_STYLE = """
text{font:13px system-ui,-apple-system,sans-serif;fill:#0f172a}.title{font-size:16px;font-weight:600}
.quiet,.axis{fill:#4b5768}.rule{stroke:#d5dce6}.ground{fill:#fff}
.a{--c:#4338ca}.b{--c:#0e7490}.c{--c:#047857}.d{--c:#a21caf}.e{--c:#b45309}.x{--c:#64748b}
path{fill:none;stroke:var(--c);stroke-width:2.5;stroke-linejoin:round}.dashed{stroke-dasharray:6 4}
rect.bar{fill:var(--c)}.spared{fill:none;stroke:var(--c);stroke-dasharray:5 4}.label{fill:var(--c);font-weight:600}
@media(prefers-color-scheme:dark){text{fill:#e8ecf6}.quiet,.axis{fill:#a5b0c7}.rule{stroke:#2c3654}.ground{fill:#0d1117}
.a{--c:#a5b4fc}.b{--c:#67e8f9}.c{--c:#6ee7b7}.d{--c:#f0abfc}.e{--c:#fbbf24}.x{--c:#94a3b8}}
""".strip()


@dataclass(frozen=True)
class Line:
    """A series: its name, its kind (a letter of the palette), its points."""

    name: str
    kind: str
    points: Sequence[tuple[float, float]]
    dashed: bool = False


@dataclass(frozen=True)
class Bar:
    """A row: what stands before the bar, its kind, its parts in the plot's unit, what stands behind it.

    Of several parts each but the last is drawn in grey: the time that is not ours.
    """

    name: str
    kind: str
    parts: Sequence[float]
    told: str


@dataclass(frozen=True)
class Chart:
    """What every plot has: a title, what a reader without the picture is told, words of the axes."""

    title: str
    description: str
    unit: str
    across: str = ""
    ticks: Mapping[float, str] = field(default_factory=dict)


def lines(chart: Chart, series: Sequence[Line]) -> str:
    """Draw lines over a logarithmic height; over a logarithmic width where the widths are far apart."""
    left, right, top, bottom = 64.0, WIDTH - 310.0, 68.0, 336.0
    widths = sorted({x for line in series for x, _ in line.points})
    heights = [y for line in series for _, y in line.points]
    least, most = log10(min(heights)) - 0.1, log10(max(heights)) + 0.1
    wide = widths[-1] / max(widths[0], 1) > 50 and len(widths) < 20

    def x_of(x: float) -> float:
        first, last, at = (log10(widths[0]), log10(widths[-1]), log10(x)) if wide else (widths[0], widths[-1], x)
        return left + (at - first) / (last - first) * (right - left)

    def y_of(y: float) -> float:
        return bottom - (log10(y) - least) / (most - least) * (bottom - top)

    parts = []
    for power in range(ceil(least), floor(most) + 1):
        y = y_of(10**power)
        parts.append(f'<line class="rule" x1="{left:g}" x2="{right:g}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="axis" x="{left - 8:g}" y="{y + 4:.1f}" text-anchor="end">{10**power:,}</text>')
    parts += [
        f'<text class="axis" x="{x_of(x):.1f}" y="{bottom + 20:g}" text-anchor="middle">{x:,.0f}</text>'
        for x in (widths if wide else (widths[0], *range(50, int(widths[-1]) + 1, 50)))
    ]
    middle = (left + right) / 2
    parts.append(
        f'<text class="quiet" x="{middle:g}" y="{bottom + 40:g}" text-anchor="middle">{escape(chart.across)}</text>'
    )
    for line in series:
        drawn = " L".join(f"{x_of(x):.1f} {y_of(y):.1f}" for x, y in line.points)
        parts.append(f'<path class="{line.kind}{" dashed" if line.dashed else ""}" d="M{drawn}"/>')
        if wide:
            parts += [_figure(x_of(x), y_of(y) - 8, y, line.kind) for x, y in line.points[:-1]]
    ends = apart([y_of(line.points[-1][1]) for line in series], low=top, high=bottom)
    for line, y in zip(series, ends, strict=True):
        words = f"{escape(line.name)} {line.points[-1][1]:,.0f}"
        parts.append(f'<text class="label {line.kind}" x="{right + 10:g}" y="{y + 4:.1f}">{words}</text>')
    return _svg(chart, parts, height=392)


def _figure(x: float, y: float, value: float, kind: str) -> str:
    return f'<text class="{kind} label" x="{x:.1f}" y="{y:.1f}" text-anchor="middle">{value:,.0f}</text>'


def apart(places: Sequence[float], *, low: float, high: float) -> list[float]:
    """Move labels so far apart that none covers another; their order stays, and they stay between the two ends."""
    order = sorted(range(len(places)), key=places.__getitem__)
    moved = [max(low, min(high, places[one])) for one in order]
    for place in range(1, len(moved)):
        moved[place] = max(moved[place], moved[place - 1] + _LINE_HEIGHT)
    for place in range(len(moved) - 1, -1, -1):
        limit = high if place == len(moved) - 1 else moved[place + 1] - _LINE_HEIGHT
        moved[place] = min(moved[place], limit)
    found = dict(zip(order, moved, strict=True))
    return [found[place] for place in range(len(places))]


def bars(chart: Chart, rows: Sequence[Bar]) -> str:
    """Draw rows of bars on one axis from 0, each with its figure."""
    left, right, top = 264.0, WIDTH - 176.0, 62.0
    most = max(sum(row.parts) for row in rows)
    parts = []
    for number, row in enumerate(rows):
        y = top + 34 * number
        parts.append(f'<text x="{left - 10:g}" y="{y + 15:g}" text-anchor="end">{escape(row.name)}</text>')
        x = left
        for place, value in enumerate(row.parts):
            width = max(value / most * (right - left), 1.5)
            kind = row.kind if place == len(row.parts) - 1 else "x"
            parts.append(f'<rect class="bar {kind}" x="{x:.1f}" y="{y:g}" width="{width:.1f}" height="22" rx="2"/>')
            x += width
        parts.append(f'<text class="label {row.kind}" x="{x + 8:.1f}" y="{y + 15:g}">{escape(row.told)}</text>')
    end = top + 34 * len(rows)
    parts.append(f'<text class="quiet" x="20" y="{end + 14:g}">{escape(chart.across)}</text>')
    return _svg(chart, parts, height=int(end) + 28)


def _svg(chart: Chart, parts: Sequence[str], *, height: int) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="t d">\n'
        f'<title id="t">{escape(chart.title)}</title>\n<desc id="d">{escape(chart.description)}</desc>\n'
        f"<style>{_STYLE}</style>\n"
        f'<rect class="ground" width="{WIDTH}" height="{height}" rx="8"/>\n'
        f'<text class="title" x="20" y="28">{escape(chart.title)}</text>\n'
        f'<text class="quiet" x="20" y="48">{escape(chart.unit)}</text>\n'
    )
    return head + "\n".join(parts) + "\n</svg>\n"
