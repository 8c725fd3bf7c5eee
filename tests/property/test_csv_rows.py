"""A CSV file of items, whatever is in it: what is good is read as it was written, and what is not costs its own row."""

import csv
import io
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.inventory import csv_rows
from sluice.inventory.csv_rows import COLUMNS, MOST_RECORD_CHARACTERS, CsvRow
from sluice.inventory.rules import CURRENCIES, MARKETPLACES, Raw, all_for
from sluice.inventory.sheet import Sheet
from sluice.platform import csv_records
from sluice.platform.csv_records import MOST_RECORD_LINES
from sluice.platform.csv_text import DELIMITERS, NoFile
from sluice.platform.imports.sheet import MOST_ROWS

HEADER = ",".join(COLUMNS)
# What cannot be taken for something that a spreadsheet has made of it.
STYLES = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", max_size=12).map("SKU{}".format)
SIZES = st.tuples(st.integers(1, 60), st.sampled_from(["", ".5"])).map(lambda size: f"{size[0]}{size[1]}")
# Whatever a CSV cell may have to quote.
CATEGORIES = st.text(st.characters(codec="utf-8", exclude_categories=["C"], exclude_characters="�"), min_size=1).filter(
    lambda text: text == text.strip() and text[0] not in "=+-@" and len(text) <= 64
)
ITEMS = st.fixed_dictionaries(
    {
        "sku": STYLES,
        "size": SIZES,
        "sizeSystem": st.sampled_from(["", "us", "uk", "eu"]),
        "marketplaces": st.lists(st.sampled_from(MARKETPLACES), unique=True),
        "cost": st.sampled_from(["", "0", "110", "99.5", "0.01"]),
        "currency": st.sampled_from(sorted(CURRENCIES - {"JPY", "KRW", "CLP", "VND"})),
        "category": st.one_of(st.just(""), CATEGORIES),
        "quantity": st.sampled_from(["", "1", "2", "100000"]),
    }
)


def written(items: list[dict[str, Any]], columns: list[str], end: str, quoting: int, delimiter: str) -> str:
    """The file that another program would write of `items`."""
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, columns, lineterminator=end, quoting=quoting, delimiter=delimiter)  # type: ignore[arg-type]
    writer.writeheader()
    for item in items:
        joined = "|".join(item["marketplaces"])
        currency = item["currency"] if item["cost"] else ""
        row = item | {"marketplaces": joined, "currency": currency}
        writer.writerow({name: row[name] for name in columns})
    return file.getvalue()


def rows(data: bytes) -> Sheet:
    found = Sheet("line")
    for row in csv_rows.read(data):
        found.add(row)
    return found


@given(
    st.lists(
        ITEMS, min_size=1, max_size=8, unique_by=lambda item: (item["sku"], item["size"], item["sizeSystem"] or "us")
    ),
    st.permutations(COLUMNS),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(DELIMITERS),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]),
    st.booleans(),
)
def test_what_is_written_is_read(
    items: list[dict[str, Any]],
    columns: list[str],
    end: str,
    quoting: int,
    delimiter: str,
    encoding: str,
    directive: bool,
) -> None:
    text = (f"sep={delimiter}{end}" if directive else "") + written(items, columns, end, quoting, delimiter)
    found = rows(text.encode(encoding))
    assert found.refused == []
    for item, draft in zip(items, found.good, strict=True):
        assert (draft.sku, draft.size) == (item["sku"], item["size"])
        assert draft.size_system == (item["sizeSystem"] or "own")
        assert set(draft.marketplaces or ()) == set(item["marketplaces"])
        assert float(draft.cost or 0) == float(item["cost"] or 0)
        assert draft.category == (item["category"] or None)
        assert draft.quantity == (int(item["quantity"]) if item["quantity"] else None)


@given(st.binary(max_size=400))
def test_whatever_the_bytes_are_they_are_rows_refusals_or_no_file(data: bytes) -> None:
    with suppress(NoFile):
        assert all(row["fields"] for row in rows(data).refused)


@given(st.lists(st.text(max_size=30), max_size=12))
def test_after_a_good_header_nothing_but_its_length_refuses_a_file(lines: list[str]) -> None:
    data = "\n".join([HEADER, *lines]).encode("utf-8", errors="surrogatepass")
    found = list(csv_rows.read(data))
    numbers = [row.number for row in found]
    assert numbers == sorted(set(numbers))
    assert all(2 <= number <= data.count(b"\n") + data.count(b"\r") + 1 for number in numbers)


BAD_LINES = {
    "=cmd|'/c calc'!A0,10": "sku",
    "+SKU,10": "sku",
    "@SKU,10": "sku",
    '"\tSKU",10': "sku",
    " =1+1,10": "sku",
    "SKU,-1": "size",
    "SKU": "size",
    "SKU,10,11": "row",
    '"SKU,10': "row",
    '"SKU"x,10': "row",
    '"SKU\n1",10': "sku",
    ",10": "sku",
    "SKU,": "size",
    "SKU,10" + " " * MOST_RECORD_CHARACTERS: "row",
}


@pytest.mark.parametrize(("line", "field"), BAD_LINES.items())
def test_a_bad_row_is_refused_by_its_line_and_those_around_it_are_kept(line: str, field: str) -> None:
    found = rows(f"sku,size\nFIRST,10\n{line}\nLAST,10\n".encode())
    [refused] = found.refused
    assert (refused["line"], refused["fields"][0]["field"]) == (3, field)
    assert [draft.sku for draft in found.good] == ["FIRST", "LAST"]


@given(st.lists(st.sampled_from(["good", "blank", "open", "long", "formula", "bytes"]), max_size=25))
def test_line_numbers_are_right_whatever_stands_before(kinds: list[str]) -> None:
    lines, expected, good = [b"sku,size"], [], 1
    for number, kind in enumerate(kinds, 2):
        text = {
            "good": f"SKU-{number},10",
            "blank": " , ",
            "open": '"SKU,10',
            "long": "A" * 2 * MOST_RECORD_CHARACTERS,
            "formula": "=1,10",
            "bytes": "SKU-x,10",
        }[kind]
        lines.append(text.encode().replace(b"x", b"\xff"))
        good += kind == "good"
        expected += [] if kind in ("good", "blank") else [number]
    # An open quote takes in what follows until another one closes it, unless it stands alone.
    if kinds.count("open") > 1:
        lines = [line if line != b'"SKU,10' else b'"SKU"?,10' for line in lines]
    lines.append(b"SKU-0,11")
    found = rows(b"\n".join(lines))
    assert [row["line"] for row in found.refused] == expected
    assert len(found.good) == good


# One record after another that opens a quote; each could take in the whole rest of the file.
OPENING = ['x","\n', '"\n', '"x\n', '\n"', '"\r', 'a,"b\n', '"",""",\n']


@pytest.mark.parametrize("opening", OPENING)
def test_work_grows_with_the_file_and_not_with_its_square(opening: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(lines: int) -> int:
        """How many characters and lines the reader has looked at, counted."""
        done = 0
        following, measure = csv_records._Lines.__next__, len

        def count(self: csv_records._Lines) -> str:
            nonlocal done
            done += 1
            return following(self)

        def count_length(value: Any) -> int:
            nonlocal done
            done += 1
            return measure(value)

        with monkeypatch.context() as counted:
            counted.setattr(csv_records._Lines, "__next__", count)
            counted.setattr(csv_records, "len", count_length, raising=False)
            list(csv_rows.read(f"sku,size\n{opening * lines}\n\n\n".encode()))
        return done

    few, many = work(1_000), work(4_000)
    assert many <= 4.5 * few
    assert many <= 4 * MOST_RECORD_LINES * 4_010


def test_a_quote_may_close_some_lines_later_and_not_a_hundred(monkeypatch: pytest.MonkeyPatch) -> None:
    def lines(count: int) -> list[Any]:
        return list(csv_rows.read(b'sku,size,category\nA,10,"' + b"x\n" * count + b'"\nB,10,\n'))

    assert [type(row).__name__ for row in lines(MOST_RECORD_LINES - 1)] == ["CsvRow", "CsvRow"]
    refused = lines(MOST_RECORD_LINES)[0]
    assert refused.number == 2
    assert "does not close it within 100 lines" in refused.fields[0].message


@pytest.mark.parametrize(
    ("data", "line", "why"),
    [
        (b"", 1, "empty"),
        (b"\n\n", 1, "empty"),
        (b"SKU,10\n", 1, "column 2 is not known"),
        (b"sku|size\nSKU|10\n", 1, "separated by commas"),
        (b"sep=|\nsku|size\nSKU|10\n", 1, "sep= must name a comma"),
        (b"PK\x03\x04whatever", 1, "a workbook of a spreadsheet"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", 1, "a workbook of a spreadsheet"),
        (b"sku\nSKU\n", 1, "size is missing"),
        (b"sku,size,SKU\n", 1, "sku is given twice"),
        (b"sku,size,colour\n", 1, "column 3 is not known"),
        (b"sku,siz\xe9\n", 1, "column 2 is not known"),
        (b'"sku,size\nSKU,10\n', 1, "quote"),
        (b"sku,size\n" + b"SKU,10\n" * (MOST_ROWS + 1), MOST_ROWS + 2, "at most 10000 rows"),
        (b"sku,size\n" + b"\n" * (2 * MOST_ROWS + 1), 2 * MOST_ROWS + 2, "at most 20000 lines"),
        (b"sku,size\n" + b"S,1\n" * 1_000_000, MOST_ROWS + 2, "at most 10000 rows"),
    ],
)
def test_a_file_that_cannot_be_taken_as_a_whole_says_why(data: bytes, line: int, why: str) -> None:
    with pytest.raises(NoFile, match=why) as refused:
        rows(data)
    assert refused.value.line == line


def test_columns_may_be_written_in_any_case_and_blanks_around_cells_do_not_count() -> None:
    [row] = csv_rows.read(b" SKU ,Size,SIZESYSTEM\n dd1391 100 , 10.0 , us \n")
    assert row == CsvRow(2, Raw(sku="dd1391 100", size="10.0", size_system="us"))


def test_a_cost_below_zero_is_refused_as_that_and_not_as_a_formula() -> None:
    [row] = rows(b"sku,size,cost\nSKU,10,-5\n").refused
    assert row["fields"] == [{"field": "cost", "message": "must not be negative"}]


def test_a_row_tells_of_all_its_fields_at_once() -> None:
    [row] = rows(b"sku,size,sizeSystem,cost,currency\nS KU!,,mondo,1.234,XXX\n").refused
    assert [one["field"] for one in row["fields"]] == ["sku", "size", "sizeSystem", "currency", "cost"]


def test_bytes_that_are_not_utf_8_are_named_by_line_and_field() -> None:
    found = rows("sku,size,category\nA,10,caf\udce9\nB,10,café\n".encode("utf-8", errors="surrogateescape"))
    assert found.refused == [
        {"line": 2, "fields": [{"field": "category", "message": "is not UTF-8; save the file as CSV UTF-8"}]}
    ]
    assert [draft.category for draft in found.good] == ["café"]


def test_where_nobody_says_which_the_marketplaces_that_know_the_size_system_are_meant() -> None:
    assert (all_for("us"), all_for("kr")) == (("stockx", "alias", "ebay"), ("stockx",))
