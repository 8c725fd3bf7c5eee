"""What pages are made of: tables, charts and forms. Without the API."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.dashboard import ask, charts, forms, search, sent, sessions
from sluice.dashboard.html import element
from sluice.dashboard.table import Column, Row, Table
from sluice.dashboard.visit import Visit
from sluice.platform.http.auth import Caller

HOSTILE = "<script>alert(1)</script>"


def visit(here: str = "/dashboard", form: dict[str, str] | None = None, **query: str) -> Visit:
    session = sessions.Session(Caller("acme", frozenset({"operator"}), "ada"), "key")
    return Visit(session, here, "1", 0, query, form or {}, "once")


def table(rows: list[Row], name: str = "", **query: str) -> Table:
    columns: dict[str, Column] = {
        "day": Column("Day", lambda row: row["day"]),
        "calls": Column("Calls", lambda row: row["calls"]),
    }
    return Table(visit("/dashboard", None, **query), columns, rows, "Calls", "None.", name)


ROWS: list[Row] = [{"day": 1, "calls": 5}, {"day": 2, "calls": 9}, {"day": 4, "calls": 3}]


def chart(rows: list[Row], *, steps: bool = False, **query: str) -> str:
    lines = {"calls": lambda row: row["calls"]}
    days, axis = table(rows, "", **query), charts.Axis(lambda row: row["day"], lambda row: f"{row['day']}")
    return str(charts.chart("By day", days, axis, lines, steps=steps))


def test_two_tables_of_a_page_are_sorted_and_downloaded_apart() -> None:
    first, second = table(ROWS, "slow", **{"slow.sort": "-calls"}), table(ROWS, "recent", **{"slow.sort": "-calls"})
    assert first.csv().split() == ["Day,Calls", "2,9", "1,5", "4,3"]
    assert second.csv().split()[1] == "1,5"
    assert "table=slow" in first.html()
    assert "recent.sort=calls" in second.html()


def test_what_stands_in_a_cell_is_text() -> None:
    shown = table([{"day": HOSTILE, "calls": HOSTILE}]).html()
    assert HOSTILE not in shown
    assert "&lt;script&gt;" in shown


def test_two_columns_of_one_name_both_stand_in_the_csv() -> None:
    columns = {"a": Column("Price", lambda row: row["day"]), "b": Column("Price", lambda row: row["calls"])}
    assert Table(visit(), columns, ROWS[:1], "", "").csv().split() == ["Price,Price", "1,5"]


@pytest.mark.parametrize(("goes_on", "told"), [(None, "None."), ("x", search.ON_THE_NEXT)])
def test_a_page_of_a_list_without_a_row_does_not_say_that_the_list_has_none(goes_on: str | None, told: str) -> None:
    shown = search.listing("Calls", search.Found({"next": goes_on}, {}), table([]))
    assert f'<p class="empty">{told}</p>' in shown.body
    assert (">Next page</a>" in shown.body) is (goes_on is not None)


def test_a_chart_has_its_numbers_in_a_table_behind() -> None:
    shown = chart(ROWS)
    assert shown.count("<td") == 6
    assert "<details>" in shown
    assert "<details open>" in chart(ROWS, sort="day")
    assert chart([]) == '<p class="empty">None.</p>'


def test_a_price_holds_until_the_next() -> None:
    points = re.findall(r'polyline points="([^"]*)"', chart(ROWS, steps=True))[0].split()
    heights = [point.partition(",")[2] for point in points]
    assert heights == [heights[0], heights[0], heights[2], heights[2], heights[4]]


def test_a_gap_is_no_line() -> None:
    assert chart([*ROWS[:2], {"day": 3, "calls": None}, *ROWS[2:]]).count("<polyline") == 1
    assert "<circle" in chart([*ROWS[:2], {"day": 3, "calls": None}, *ROWS[2:]])


numbers = st.one_of(st.none(), st.integers(-(10**12), 10**12), st.floats(-1e12, 1e12))


@given(st.lists(st.tuples(st.integers(0, 10**13), numbers), max_size=30), st.booleans())
def test_nothing_is_drawn_outside_the_plane(values: list[tuple[int, float | None]], steps: bool) -> None:
    rows: list[Row] = [{"day": day, "calls": calls} for day, calls in values]
    for points in re.findall(r'polyline points="([^"]*)"', chart(rows, steps=steps)):
        for point in points.split():
            x, y = (float(one) for one in point.split(","))
            assert charts.LEFT <= x <= charts.WIDTH
            assert charts.ABOVE - 0.1 <= y <= charts.HEIGHT - charts.BELOW + 0.1


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    keys = list[str | None]()

    def note(caller: Caller, route: str, **request: Any) -> Any:
        keys.append(request["key"])

    monkeypatch.setattr(ask, "ask", note)
    return keys


def test_a_form_sent_twice_is_one_request_and_another_button_is_another(asked: list[str | None]) -> None:
    sent = visit(form={"once": "a"})
    for _ in range(2):
        sent.do("POST /v1/operator/actions", {"jobIds": ["1"]})
    sent.do("POST /v1/operator/actions", {"jobIds": ["2"]})
    visit(form={"once": "b"}).do("POST /v1/operator/actions", {"jobIds": ["1"]})
    sent.do("DELETE /v1/operator/pauses/{pause}", path={"pause": "stockx"})
    assert asked[0] == asked[1]
    assert len(set(asked)) == 4
    assert asked[-1] is None


def test_a_form_leads_back_to_the_page_that_it_stood_on() -> None:
    first = forms.form(visit("/dashboard/jobs", state="dead"), "/dashboard/actions")
    assert 'name="back" value="/dashboard/jobs?state=dead"' in first
    again = forms.form(visit("/dashboard/actions", form={"back": "/dashboard/jobs?state=dead"}), "/dashboard/actions")
    assert 'name="back" value="/dashboard/jobs?state=dead"' in again
    elsewhere = forms.form(visit("/dashboard/actions", form={"back": "//evil.example"}), "/dashboard/actions")
    assert 'name="back" value="/dashboard"' in elsewhere


def test_a_text_of_many_lines_keeps_its_first_line_break() -> None:
    assert str(forms.area("a", "A", "\n{}")).count("\n") == 2
    assert HOSTILE not in forms.area("a", "A", f"</textarea>{HOSTILE}")


def test_nothing_that_is_written_into_an_attribute_leaves_it() -> None:
    assert str(element("a", "x", href='"><script>')) == '<a href="&#34;&gt;&lt;script&gt;">x</a>'


def test_a_form_is_read_as_a_browser_writes_it() -> None:
    raw = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n\xff\xfe\r\n--\x00\r\n--b--\r\n'
    assert sent.read(raw, 'multipart/form-data; boundary="b"') == ({}, {"file": b"\xff\xfe\r\n--\x00"})
    assert sent.read(b"a=1&b=&a=2", "application/x-www-form-urlencoded") == ({"a": "2", "b": ""}, {})


@pytest.mark.parametrize(
    ("raw", "content_type", "why"),
    [
        (b"", "multipart/form-data", "what parts its fields"),
        (b"x", "multipart/form-data; boundary=b", "no end"),
        (b'--b\r\nx; name="a"\r\n\r\nx', "multipart/form-data; boundary=b", "no end"),
        (b"--b\r\n\r\n\r\nx\r\n--b--", "multipart/form-data; boundary=b", "no name"),
        (b'--b\r\nx; name="a"\r\n\r\n\xff\r\n--b--', "multipart/form-data; boundary=b", "decode"),
        (b"a=\xff", "application/x-www-form-urlencoded", "decode"),
    ],
)
def test_what_is_no_form_is_refused(raw: bytes, content_type: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        sent.read(raw, content_type)
