"""Imports by someone who means no good: what is odd costs its own row, and no answer is larger than can be given."""

import json
import re
from typing import Any

import pytest

from tests.unit.inventory.conftest import Seller

# An answer of a Lambda function.
MOST_ANSWER_BYTES = 6 * 1024 * 1024
# What a message of SQS may hold.
MESSAGE = re.compile("[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")


@pytest.mark.parametrize("category", ["\ufffe", "\uffff", "\u202e", "😀" * 64])
def test_a_category_may_hold_what_no_message_does(seller: Seller, category: str) -> None:
    row = {"sku": "A", "size": "10", "marketplaces": ["ebay"], "category": category}
    assert seller.upload(json.dumps({"items": [row]}), "application/json").status == 202
    assert all(MESSAGE.fullmatch(message) for message in seller.cloud.queued)
    seller.deliver()
    assert seller.portfolio()["items"][0]["category"] == category


@pytest.mark.parametrize("blank", ["\u00a0", "\u2003", "\u3000", " \u00a0"])
def test_a_formula_behind_any_blank_is_a_formula(seller: Seller, blank: str) -> None:
    answer = seller.upload(f"sku,size,category\nA,10,{blank}=1+1\n")
    assert (answer.status, list(answer.fields)) == (400, ["category"])


HOSTILE = {
    "no marketplaces": {"sku": "B", "size": "10", "marketplaces": [1] * 100_000},
    "unknown fields": {f"x{number}": 1 for number in range(100_000)},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_row_of_mistakes_gets_no_answer_of_many_times_its_size(seller: Seller, name: str) -> None:
    body = {"items": [HOSTILE[name], {"sku": "A", "size": "10"}]}
    answer = seller.upload(json.dumps(body), "application/json")
    assert (answer.status, answer.json["accepted"]) == (202, 1)
    [refused] = answer.json["refused"]
    assert refused["index"] == 0
    assert len(answer.text) < 1_000


@pytest.mark.parametrize("good", [0, 1])
def test_a_report_that_is_too_long_tells_of_the_first_rows_and_counts_the_others(seller: Seller, good: int) -> None:
    names = [f"{number:04}" + "\u20ac" * 60 for number in range(18)]
    rows: list[Any] = [{f"{row:04}{name}": 1 for name in names} for row in range(990)]
    rows += [{"sku": "A", "size": "10"}] * good
    answer = seller.upload(json.dumps({"items": rows}, ensure_ascii=False), "application/json")
    assert answer.status == (202 if good else 400)
    assert answer.json["refusedRows"] == 990
    assert [one["index"] for one in answer.json["refused"]] == list(range(len(answer.json["refused"])))
    assert 0 < len(answer.json["refused"]) < 990
    assert len(answer.text) < MOST_ANSWER_BYTES
    if good:
        seller.deliver()
        assert seller.progress(answer.json["importId"])["refused"] == answer.json["refused"]
