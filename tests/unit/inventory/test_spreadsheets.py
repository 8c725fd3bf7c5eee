"""What spreadsheets make of a CSV file: taken where it can mean one thing only, else refused for the true reason."""

from typing import Any

import pytest

from tests.unit.inventory.conftest import Seller

HEADER = "sku,size,sizeSystem,marketplaces,cost,currency"
ROW = "DD1391-100,10,uk,StockX|EBAY,110.50,usd"
PLAIN = f"{HEADER}\n{ROW}\n"
QUOTED = '";"'
SEMICOLONS, TABS = PLAIN.replace(",", ";"), PLAIN.replace(",", "\t")

TAKEN: dict[str, tuple[bytes, str]] = {
    "commas": (PLAIN.encode(), "text/csv"),
    "semicolons": (SEMICOLONS.encode(), "text/csv"),
    "tabs": (TABS.encode(), "text/tab-separated-values"),
    "a line sep=": (f"sep=;\r\n{SEMICOLONS}".encode(), "text/csv"),
    "a line sep= in quotes, blank lines before": (f'\r\n\r\n"sep=,"\r\n{PLAIN}'.encode(), "text/csv"),
    "a line sep= with a tab": (f"sep=\t\n{TABS}".encode(), "text/csv"),
    "what a browser calls it where a spreadsheet program is": (SEMICOLONS.encode(), "application/vnd.ms-excel"),
    "application/csv": (PLAIN.encode(), "application/csv; charset=utf-8"),
    "UTF-8 with a mark": (PLAIN.encode("utf-8-sig"), "text/csv"),
    "UTF-16 with a mark, little end first": (b"\xff\xfe" + TABS.encode("utf-16-le"), "text/csv; charset=utf-16"),
    "UTF-16 with a mark, big end first": (b"\xfe\xff" + TABS.encode("utf-16-be"), "text/csv"),
    "UTF-16 without a mark, little end first": (SEMICOLONS.encode("utf-16-le"), "text/csv; charset=UTF-16LE"),
    "UTF-16 without a mark, big end first": (PLAIN.encode("utf-16-be"), "application/vnd.ms-excel"),
    "UTF-16 that a gateway took for UTF-8": ("\ufffd\ufffd".encode() + PLAIN.encode("utf-16-le"), "text/csv"),
    "empty columns behind the last": (f"{HEADER},,\n{ROW},,\n,,,,,,,\n".encode(), "text/csv"),
    "empty cells behind the last column": (f"{HEADER}\n{ROW},,,\n".encode(), "text/csv"),
    "an empty column in the middle": (
        b"sku,,size,sizeSystem,marketplaces,cost\nDD1391-100, ,10,uk,stockx|ebay,110.5\n",
        "text/csv",
    ),
    "no cells at the end": (f"{HEADER},category\n{ROW}\n".encode(), "text/csv"),
    "names of columns in words": (PLAIN.replace("sizeSystem", "Size System").encode(), "text/csv"),
    "names of columns with an underscore": (PLAIN.replace("sizeSystem", "SIZE_SYSTEM").encode(), "text/csv"),
    "system, marketplace and currency in any case": (PLAIN.replace("uk", "UK").encode(), "text/csv"),
    "everything in quotes": (
        "".join(f'"{line.replace(";", QUOTED)}"\r\n' for line in SEMICOLONS.split()).encode(),
        "text/csv",
    ),
}


@pytest.mark.parametrize("name", TAKEN)
def test_a_file_that_can_mean_one_thing_only_is_taken(seller: Seller, name: str) -> None:
    data, content_type = TAKEN[name]
    answer = seller.upload(data, content_type)
    assert (answer.status, answer.json.get("refused")) == (202, []), answer.text
    seller.deliver()
    [stored] = seller.portfolio()["items"]
    assert [stored[field] for field in ("sku", "size", "sizeSystem", "cost", "currency")] == [
        *("DD1391-100", "10", "uk", "110.50", "USD")
    ]
    assert [price["marketplace"] for price in stored["prices"]] == ["stockx", "ebay"]


def test_a_json_list_may_write_its_words_in_any_case_too(seller: Seller) -> None:
    row = {"sku": "DD1391-100", "size": "10", "sizeSystem": "UK", "marketplaces": ["StockX"]}
    assert seller.add({**row, "cost": "1", "currency": "usd"}).json["counts"]["created"] == 1
    [stored] = seller.portfolio()["items"]
    assert (stored["sizeSystem"], stored["currency"]) == ("uk", "USD")


WORKBOOK = b"PK\x03\x04\x14\x00\x06\x00"
DAMAGED = "\ufffd\ufffd".encode() + PLAIN.encode("utf-16-le").replace(b"D\0D\0", "\ufffd\0".encode(), 1)

REFUSED: dict[str, tuple[bytes, str, str]] = {
    "a workbook": (
        WORKBOOK,
        "application/vnd.ms-excel",
        "line 1: the file is a workbook of a spreadsheet; save it as CSV UTF-8",
    ),
    "a workbook that is called CSV": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "text/csv", "is a workbook"),
    "UTF-16 that lost characters": (DAMAGED, "text/csv", "lost characters on its way"),
    "another separator": (PLAIN.replace(",", "|").encode(), "text/csv", "column 1 is not known (sku|size"),
    "a line sep= with another separator": (
        b"sep=|\nsku|size\nA|10\n",
        "text/csv",
        "must name a comma, a semicolon or a tab",
    ),
    "a column that nobody knows": (b"sku;size;colour\nA;10;red\n", "text/csv", "column 3 is not known (colour)"),
    "a column that is given twice": (b"sku;size;SKU\nA;10;A\n", "text/csv", "the column sku is given twice"),
    "no column size": (b"sku;cost\nA;10\n", "text/csv", "the column size is missing"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_cannot_be_taken_is_refused_for_its_own_reason(seller: Seller, name: str) -> None:
    data, content_type, why = REFUSED[name]
    answer = seller.upload(data, content_type)
    assert answer.status == 400
    assert answer.json["error"]["message"] == "file rejected; nothing was imported"
    assert why in answer.fields["body"]
    assert seller.items() == []


ROWS: dict[str, tuple[str, str, str]] = {
    "a decimal comma": ("A;10;110,50", "cost", "has a decimal comma; write 110.50"),
    "thousands with a point": ("A;10;1.250", "cost", "at most 2 decimals in USD; write thousands without a separator"),
    "a cell that no column names": ("A;10;1;x", "row", "has a cell in column 4, which the header does not name"),
    "a cell of a column without a name": ("A;10;1;;;x", "row", "has a cell in column 6"),
    "no size": ("A", "size", "must not be empty"),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_that_can_be_misread_is_refused_for_its_own_reason(seller: Seller, name: str) -> None:
    row, field, why = ROWS[name]
    answer: Any = seller.upload(f"sku;size;cost;;;\nB;10;1\n{row}\n").json
    [refused] = answer["refused"]
    assert (refused["line"], refused["fields"][0]["field"]) == (3, field)
    assert why in refused["fields"][0]["message"]
    assert answer["accepted"] == 1


def test_lines_are_counted_from_the_line_sep(seller: Seller) -> None:
    answer = seller.upload("\nsep=;\n\nsku;size\nA;10\nB;\n").json
    assert [row["line"] for row in answer["refused"]] == [6]
