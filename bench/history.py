"""A page that draws each measured number over the days on which it was measured, from `bench/results/*.json`.

```
 number
   │ ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄ target
   │      ●────●
   │ ●────            ●
   └──────────────────── day
```
It is one file without a script, to be opened from a checkout. Numbers of other conditions are other lines: what was
measured differently is not compared.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from typing import Any

from bench.row import show

WIDTH, HEIGHT, EDGE = 320, 72, 8
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #1d2430; }
h2 { margin: 2.5rem 0 .5rem; font-size: 1.1rem; }
figure { display: grid; grid-template-columns: 22rem 1fr; gap: 0 1.5rem; margin: 0; padding: .6rem 0; }
figure { border-top: 1px solid #d8dde5; }
figcaption span { color: #5b6675; display: block; font-size: .85rem; }
svg { width: 20rem; height: 4.5rem; }
polyline { fill: none; stroke: #2458b8; stroke-width: 2; }
circle { fill: #2458b8; }
line { stroke: #9a5b00; stroke-dasharray: 4 4; }
.missed { color: #a4161a; font-weight: 600; }
"""


@dataclass(frozen=True)
class Line:
    """One number over time. points: days and results, the first day first. row: as it was measured last."""

    points: Sequence[tuple[date, float]]
    row: Mapping[str, Any]

    @property
    def target(self) -> float | None:
        """What the last of them was held against."""
        most: float | None = self.row["most"]
        least: float | None = self.row["least"]
        return most if most is not None else least


def lines(days: Mapping[str, Mapping[str, Any]]) -> dict[str, list[Line]]:
    """By benchmark, its numbers over time. days: what `<day>.json` holds, by day."""
    found: dict[tuple[str, str, str], list[tuple[date, float]]] = defaultdict(list)
    last: dict[tuple[str, str, str], Mapping[str, Any]] = {}
    for day, kept in sorted(days.items()):
        for name, rows in kept["benchmarks"].items():
            for row in rows:
                key = name, row["measure"], _same(row["conditions"])
                found[key].append((date.fromisoformat(day), row["result"]))
                last[key] = row
    by_benchmark: dict[str, list[Line]] = defaultdict(list)
    for key, points in found.items():
        by_benchmark[key[0]].append(Line(points, last[key]))
    return dict(by_benchmark)


def page(days: Mapping[str, Mapping[str, Any]], order: Sequence[str]) -> str:
    """The whole page, benchmarks in `order`, those that are no more at the end."""
    found = lines(days)
    names = [name for name in (*order, *sorted(found.keys() - set(order))) if name in found]
    parts = [f"<h2>{escape(name)}</h2>\n" + "\n".join(map(_figure, found[name])) for name in names]
    head = '<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>Benchmarks over time</title>'
    head += f"<style>{STYLE}</style>"
    told = "<p>Each number as it was measured, by day; the dashed line is its target.</p>"
    return f"{head}\n<h1>Benchmarks over time</h1>\n{told}\n" + "\n".join(parts) + "\n</html>\n"


def _same(conditions: str) -> str:
    """The conditions without what was measured along with them: such words follow a semicolon."""
    return conditions.partition(";")[0]


def _figure(line: Line) -> str:
    row, (day, result) = line.row, line.points[-1]
    verdict = {True: "holds", False: '<b class="missed">missed</b>', None: ""}[row["holds"]]
    told = f"{show(result)} {escape(row['unit'])} on {day:%Y-%m-%d}"
    target = f"target {escape(row['target'])} {verdict}" if row["target"] else ""
    return (
        f"<figure>{_drawn(line)}<figcaption>{escape(row['measure'])}: {told} {target}"
        f"<span>{escape(row['conditions'])}</span></figcaption></figure>"
    )


def _drawn(line: Line) -> str:
    values = [result for _, result in line.points] + ([line.target] if line.target is not None else [])
    top, (first, last) = max(*values, 0) or 1, (line.points[0][0], line.points[-1][0])
    span = (last - first).days

    def x(day: date) -> float:
        return EDGE + (WIDTH - 2 * EDGE) * ((day - first).days / span if span else 0.5)

    def y(value: float) -> float:
        return HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * max(0, value) / top

    at = [(f"{x(day):.1f}", f"{y(result):.1f}") for day, result in line.points]
    target = ""
    if line.target is not None:
        target = f'<line x1="0" x2="{WIDTH}" y1="{y(line.target):.1f}" y2="{y(line.target):.1f}"/>'
    path = " ".join(",".join(point) for point in at)
    dots = "".join(f'<circle cx="{cx}" cy="{cy}" r="3"/>' for cx, cy in at)
    name = escape(line.row["measure"], quote=True)
    drawn = f'{target}<polyline points="{path}"/>{dots}'
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{name}">{drawn}</svg>'
