"""Pictures of numbers, drawn as SVG by the server. What they show also stands in words or in a table."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from itertools import pairwise
from typing import Final, NamedTuple

from markupsafe import Markup

from sluice.dashboard.html import Child, element, join
from sluice.dashboard.table import Row, Table

# The plane of a chart, in its own units, and the room that is left for the words around it.
WIDTH, HEIGHT, LEFT, BELOW, ABOVE = 600, 200, 62, 24, 8
# As many lines have a colour of their own in style.css.
COLOURS: Final = 5

Point = tuple[float, float]


class Axis(NamedTuple):
    """The axis along which a picture goes. place: where a row stands on it. said: how that is said, at the two ends."""

    place: Callable[[Row], float]
    said: Callable[[Row], str]


# Of rows that have a `day`, as `2026-11-28`, and of those that have an `hour`, as a time.
BY_DAY: Final = Axis(lambda row: date.fromisoformat(row["day"]).toordinal(), lambda row: row["day"])
BY_HOUR: Final = Axis(lambda row: _hour(row).timestamp(), lambda row: f"{_hour(row):%m-%d %H:%M}")


def _hour(row: Row) -> datetime:
    return datetime.fromisoformat(row["hour"])


def gauge(used: int, limit: int, label: str) -> Markup:
    """How much of a limit is used."""
    return element(
        "meter", f"{used} of {limit}", min=0, max=limit, value=min(used, limit), high=0.9 * limit, aria_label=label
    )


def sparkline(values: Sequence[int], label: str) -> Markup:
    """Numbers over time as a small line. What it shows is told in words to whoever does not see it."""
    if not values:
        return Markup("")
    most, last = max(1, *values), max(1, len(values) - 1)
    points = " ".join(f"{100 * place / last:.4g},{23 - 21 * value / most:.3g}" for place, value in enumerate(values))
    told = f"{label}: {', '.join(map(str, values))}"
    return element(
        "svg",
        element("title", told),
        element("polyline", points=points, fill="none", stroke="currentColor", stroke_width="2"),
        viewBox="0 0 100 24",
        role="img",
        class_="spark",
        preserveAspectRatio="none",
    )


def chart(
    title: str,
    table: Table,
    axis: Axis,
    lines: Mapping[str, Callable[[Row], float | None]],
    *,
    steps: bool = False,
    zero: bool = True,
) -> Markup:
    """Lines over a common axis, with the table of what they show behind a click; the table alone if there is no line.

    axis, lines, steps, zero: as `picture` has them.
    """
    drawn = picture(title, table.rows, axis, lines, steps=steps, zero=zero)
    return join([drawn, numbers(table)]) if drawn else table.html()


def numbers(table: Table) -> Markup:
    """The table of what pictures show, behind a click."""
    return element("details", element("summary", "The numbers"), table.html(), open=table.is_sorted)


def picture(
    title: str,
    rows: Sequence[Row],
    axis: Axis,
    lines: Mapping[str, Callable[[Row], float | None]],
    *,
    steps: bool = False,
    zero: bool = True,
) -> Markup | None:
    """Lines over a common axis; None if there is nothing to draw.

    lines: by name, a row's value; None is a gap. steps: a value holds until the next one, as a price does.
    zero: the upright axis begins there, as that of counts does; that of prices begins at the lowest.
    """
    rows = sorted(rows, key=axis.place)
    drawn = {name: [_points(run, steps) for run in _runs(rows, axis.place, line)] for name, line in lines.items()}
    points = [point for runs in drawn.values() for run in runs for point in run]
    if not points:
        return None
    low, high = _ends([y for _, y in points], zero)
    first, last = min(x for x, _ in points), max(x for x, _ in points)

    def place(point: Point) -> Point:
        x = LEFT + (WIDTH - LEFT) * (point[0] - first) / ((last - first) or 1)
        return x, ABOVE + (HEIGHT - ABOVE - BELOW) * (1 - (point[1] - low) / ((high - low) or 1))

    shapes = [_shape([place(one) for one in run], number) for number, runs in enumerate(drawn.values()) for run in runs]
    made = element(
        "svg",
        element("title", f"{title}: {', '.join(lines)}"),
        _axes(low, high, (axis.said(rows[0]), axis.said(rows[-1]))),
        shapes,
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        class_="chart",
    )
    legend = [element("li", name, class_=f"line-{number % COLOURS}") for number, name in enumerate(lines)]
    return element("figure", element("figcaption", title, element("ul", legend, class_="legend")), made)


def _ends(values: Sequence[float], zero: bool) -> tuple[float, float]:
    """Where the upright axis begins and ends."""
    if zero:
        return min(0.0, *values), max(values) or 1.0
    low, high = min(values), max(values)
    return (low, high) if low < high else (low - 1, high + 1)


def ranges(
    title: str, table: Table, bars: Mapping[str, tuple[float | None, float | None]], ends: tuple[str, str]
) -> Markup:
    """Two numbers for each name on a common axis, joined by a line, above the table that has them.

    bars: by name; None is a number that is not known. ends: what the two are called.
    """
    known = [value for pair in bars.values() for value in pair if value is not None]
    if not known:
        return table.html()
    low, high = min(known), max(known)
    side = ABOVE + 2 * LEFT

    def place(value: float) -> float:
        return side + (WIDTH - side - LEFT) * (value - low) / ((high - low) or 1)

    shapes = [_bar(name, pair, place, BELOW * (row + 1)) for row, (name, pair) in enumerate(bars.items())]
    made = element(
        "svg",
        element("title", f"{title}: {', '.join(bars)}"),
        shapes,
        viewBox=f"0 0 {WIDTH} {BELOW * len(bars) + 2 * ABOVE}",
        role="img",
        class_="chart",
    )
    legend = [element("li", name, class_=f"line-{number}") for number, name in enumerate(ends)]
    caption = element("figcaption", title, element("ul", legend, class_="legend"))
    return join([element("figure", caption, made), table.html()])


def _bar(name: str, pair: tuple[float | None, float | None], place: Callable[[float], float], y: int) -> Child:
    """One name with its two numbers: the lower is written left of its dot, the higher right of it."""
    ends = sorted((value, number) for number, value in enumerate(pair) if value is not None)
    across = [f"{place(value):.4g}" for value, _ in ends]
    made: list[Child] = [element("text", name, x=0, y=y + 4)]
    if len(ends) == 2:
        made.append(element("path", d=f"M{across[0]} {y}H{across[1]}", class_="axis"))
    for x, (value, number) in zip(across, ends, strict=True):
        is_left = len(ends) == 2 and (value, number) == ends[0]
        anchor, moved = ("end", -8) if is_left else ("start", 8)
        made.append(element("circle", cx=x, cy=y, r=4, class_=f"line-{number} dot"))
        made.append(element("text", f"{value:.6g}", x=f"{float(x) + moved:.4g}", y=y + 4, text_anchor=anchor))
    return made


def _runs(
    rows: Sequence[Row], across: Callable[[Row], float], line: Callable[[Row], float | None]
) -> list[list[Point]]:
    """What is drawn without a gap of the rows, which are in the order of the axis."""
    runs: list[list[Point]] = [[]]
    for row in rows:
        value = line(row)
        if value is None:
            runs.append([])
        else:
            runs[-1].append((across(row), value))
    return [run for run in runs if run]


def _points(run: list[Point], steps: bool) -> list[Point]:
    if not steps:
        return run
    held = [(after[0], before[1]) for before, after in pairwise(run)]
    return [run[0], *(point for pair in zip(held, run[1:], strict=True) for point in pair)]


def _shape(points: list[Point], number: int) -> Markup:
    kind = f"line-{number % COLOURS}"
    if len(points) == 1:
        return element("circle", cx=f"{points[0][0]:.4g}", cy=f"{points[0][1]:.4g}", r=3, class_=f"{kind} dot")
    told = " ".join(f"{x:.4g},{y:.4g}" for x, y in points)
    return element("polyline", points=told, class_=kind)


def _axes(low: float, high: float, along: tuple[str, str]) -> Child:
    bottom = HEIGHT - BELOW
    return join(
        [
            element("path", d=f"M{LEFT} {ABOVE}V{bottom}H{WIDTH}", class_="axis"),
            element("text", f"{high:.6g}", x=LEFT - 6, y=ABOVE + 8, text_anchor="end"),
            element("text", f"{low:.6g}", x=LEFT - 6, y=bottom, text_anchor="end"),
            element("text", along[0], x=LEFT, y=HEIGHT - 4),
            element("text", along[1], x=WIDTH, y=HEIGHT - 4, text_anchor="end"),
        ]
    )
