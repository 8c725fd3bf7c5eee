"""Reading JSON answers: what is taken, and where a wrong one is named."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from sluice.marketplaces.http import fields
from sluice.marketplaces.http.errors import BadAnswer
from sluice.marketplaces.http.exchange import Answer
from sluice.marketplaces.http.fields import Value
from sluice.platform.packing import pack, unpack


def _read(body: Any) -> Value:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return fields.read(Answer("shop GET /x", 200, {}, raw))


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"<html>", b"\xff\xff", b"[" * 100_000, b"NaN", b'{"a": Infinity}', b"1" * 5_000]
)
def test_no_json(raw: bytes) -> None:
    with pytest.raises(BadAnswer, match="shop GET /x: the answer is not JSON") as caught:
        _read(raw)
    assert caught.value.status == 200


@pytest.mark.parametrize(
    ("raw", "amount"),
    [
        (b'"160"', "160"),
        (b'" 160.50 "', "160.50"),
        (b"160", "160"),
        (b"160.10", "160.10"),
        (b"0.1", "0.1"),
        (b'"0"', "0"),
    ],
)
def test_money_is_exact(raw: bytes, amount: str) -> None:
    money = _read(raw).money()
    assert type(money) is Decimal
    assert str(money) == amount


@pytest.mark.parametrize(
    "raw",
    [
        b"true",
        b"{}",
        b"[]",
        b'"-5"',
        b"-5",
        b'"1,200"',
        b'"$5"',
        b'"NaN"',
        b"1e999999",
        b'"1_0"',
        b'"\xd9\xa1"',
        b'" "',
    ],
)
def test_what_is_no_money(raw: bytes) -> None:
    for reader in (Value.money, Value.optional_money):
        with pytest.raises(BadAnswer, match=r"shop GET /x: \$ is"):
            reader(_read(raw))


def test_no_money_at_all() -> None:
    body = _read({"null": None, "blank": ""})
    assert body["null"].optional_money() is None
    assert body["blank"].optional_money() is None
    assert body["missing"].optional_money() is None
    with pytest.raises(BadAnswer, match=r"\$\.missing is missing"):
        body["missing"].money()


def test_whole_numbers() -> None:
    assert [_read(raw).whole() for raw in (b"13", b"13.0", b'"13"', b"-1")] == [13, 13, 13, -1]
    for raw in (b"13.5", b"true", b'"x"', b"null", b"[]"):
        with pytest.raises(BadAnswer):
            _read(raw).whole()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (lambda body: body["a"].text(), r"\$\.a is missing"),
        (lambda body: body["null"].text(), r"\$\.null is missing"),
        (lambda body: body["number"].text(), r"\$\.number is a number, not text"),
        (lambda body: body["blank"].text(), r"\$\.blank is blank"),
        (lambda body: body["rows"].rows()[1]["name"].text(), r"\$\.rows\[1\]\.name is missing"),
        (lambda body: body["rows"]["name"], r"\$\.rows is a list, not an object"),
        (lambda body: body["number"].rows(), r"\$\.number is a number, not a list"),
        (lambda body: body["deep"]["er"]["est"].text(), r"\$\.deep\.er\.est is missing"),
        (lambda body: body["blank"].flag(), r"\$\.blank is text, not true or false"),
        (lambda body: body["yes"].whole(), r"\$\.yes is true or false, not a number"),
    ],
)
def test_the_place_is_named(path: Callable[[Value], object], message: str) -> None:
    body = _read({"null": None, "number": 3, "blank": " ", "rows": [{"name": "x"}, {}], "deep": {}, "yes": True})
    with pytest.raises(BadAnswer, match=message):
        path(body)


def test_what_only_decorates_may_be_odd() -> None:
    body = _read({"text": "x", "number": 10.5, "list": [], "flag": True, "null": None, "blank": "", "half": "a\ud800"})
    assert body["text"].optional_text() == "x"
    assert body["number"].optional_text() == "10.5"
    assert [body[name].optional_text() for name in ("list", "flag", "null", "blank", "missing")] == [None] * 5
    assert body["half"].optional_text() == "a\ufffd"
    assert body["missing"].optional_rows() == []


@pytest.mark.parametrize("half", [rb"\ud83d", rb"\uD83d", rb"\udE00", b"\xed\xa0\xbd"])
def test_texts_that_were_cut_within_a_letter_can_be_stored_wherever_they_stand(half: bytes) -> None:
    body = _read(b'{"sku": "A%s", "aspects": {"B%s": ["C%s", "\\ud83d\\ude00"]}}' % (half, half, half))
    cut = "\ufffd"
    assert body["sku"].text() == f"A{cut}"
    assert body.raw["aspects"] == {f"B{cut}": [f"C{cut}", "\N{GRINNING FACE}"]}
    assert unpack(pack(body.raw)) == body.raw


def test_a_text_that_was_cut_in_a_document_that_is_too_deep_is_no_fault_of_ours() -> None:
    with pytest.raises(BadAnswer, match="is not JSON"):
        _read(b"[" * 990 + rb'"\ud83d"' + b"]" * 990)


def test_the_value_itself_is_never_shown() -> None:
    value = _read({"token": {"secret-0123456789": 1}})["token"]
    with pytest.raises(BadAnswer) as caught:
        value.text()
    assert "secret" not in caught.value.message + repr(value)
