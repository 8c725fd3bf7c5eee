"""The page that draws the benchmarks over time."""

import json
import re
from datetime import date
from typing import Any

from bench import history, report
from bench.one import NAMES
from bench.row import Row


def day(*rows: Row, name: str = "quota") -> dict[str, Any]:
    return {"benchmarks": {name: [row.as_dict() for row in rows]}}


def test_a_number_is_drawn_over_its_days_with_its_target() -> None:
    """Time runs to the right by the calendar, and a larger number stands higher."""
    found = {
        "2026-11-22": day(Row("time", "four workers; 3 of them slow", 1.0, "times", most=2)),
        "2026-11-24": day(Row("time", "four workers; none slow", 1.5, "times", most=2)),
        "2026-12-02": day(Row("time", "four workers; all slow", 4.0, "times", most=2)),
    }
    [line] = history.lines(found)["quota"]
    assert [(at.day, result) for at, result in line.points] == [(22, 1.0), (24, 1.5), (2, 4.0)]
    assert (line.target, line.row["holds"]) == (2, False)
    page = history.page(found, NAMES)
    [path] = re.findall(r'points="([^"]*)"', page)
    points = [tuple(map(float, point.split(","))) for point in path.split()]
    (x1, y1), (x2, y2), (x3, y3) = points
    assert y1 > y2 > y3
    assert abs((x2 - x1) / (x3 - x1) - 0.2) < 0.01
    [target] = re.findall(r'y1="([^"]*)"', page)
    assert y2 > float(target) > y3
    assert "missed" in page.partition("</style>")[2]


def test_what_was_measured_under_other_conditions_is_another_line() -> None:
    found = {
        "2026-11-22": day(Row("time", "four workers", 1.0)),
        "2026-11-23": day(Row("time", "eight workers", 9.0), Row("time", "four workers", 2.0)),
    }
    four, eight = history.lines(found)["quota"]
    assert [result for _, result in four.points] == [1.0, 2.0]
    assert eight.points == [(date(2026, 11, 23), 9.0)]
    assert (eight.target, history.page(found, ()).count("<line")) == (None, 0)


def test_words_are_words_and_benchmarks_that_are_no_more_come_last() -> None:
    found = {"2026-11-22": day(Row("a < b & c", "x", 0.0), name="gone") | {}, "2026-11-23": day(Row("n", "y", 1))}
    page = history.page(found, NAMES)
    assert "a &lt; b &amp; c" in page
    assert page.index("<h2>quota") < page.index("<h2>gone")


def test_the_kept_results_can_be_drawn_and_the_page_asks_nobody_for_anything() -> None:
    found = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in report.RESULTS.glob("*.json")}
    page = history.page(found, NAMES)
    measures = {row["measure"] for kept in found.values() for rows in kept["benchmarks"].values() for row in rows}
    assert page.count("<figure>") >= len(measures)
    assert not re.search(r"<script|src=|href=|url\(|https?:", page)
