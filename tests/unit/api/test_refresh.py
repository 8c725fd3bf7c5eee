"""POST /v1/market/refresh: each item gets its own answer."""

from typing import Any

import pytest

from sluice.catalog.table import Product
from sluice.jobs.model.job import Job
from sluice.jobs.model.requests import AskRecord
from tests.support.http import Answer, call
from tests.unit.api.conftest import Cloud


def refresh(*items: Any, **request: Any) -> Answer:
    return call("POST", "/v1/market/refresh", body={"items": list(items)}, **request)


def test_an_item_becomes_a_job(acme: Cloud) -> None:
    answer = refresh({"sku": "dd1391 100", "size": "10.0", "sizeSystem": "us", "priority": "hot"})
    assert answer.status == 202
    job_id = "market.refresh:stockx:DD1391-100:us-10:USD"
    assert answer.json == {
        "items": [
            {"index": 0, "outcome": "created", "jobId": job_id, "state": "queued", "size": "10", "sizeSystem": "us"}
        ],
        "counts": {"created": 1, "merged": 0, "raised": 0, "rerunRequested": 0, "refused": 0},
    }
    job = Job.get(job_id)
    assert (job.priority, job.tenants, job.account) == (150, {"acme"}, "stockx:acme")


def test_the_same_item_again_is_merged_and_a_higher_priority_raises_it(acme: Cloud) -> None:
    item = {"sku": "DD1391-100", "size": "10"}
    answers = [refresh(item), refresh(item), refresh({**item, "priority": "hot"})]
    assert [answer.json["items"][0]["outcome"] for answer in answers] == ["created", "merged", "raised"]


def test_a_manual_item_starts_the_scheduler_and_others_do_not(acme: Cloud) -> None:
    refresh({"sku": "DD1391-100", "size": "9"})
    assert acme.invoked == []
    refresh({"sku": "DD1391-100", "size": "10", "priority": "manual"})
    assert acme.invoked == [("scheduler", {"source": "nudge"})]


def test_one_bad_item_does_not_stop_the_other_99(acme: Cloud) -> None:
    items: list[Any] = [{"sku": f"SKU-{number}", "size": "10"} for number in range(100)]
    items[41] = {"sku": "SKU-41", "size": 10, "colour": "red"}
    answer = refresh(*items)
    assert answer.status == 202
    assert answer.json["counts"] == {"created": 99, "merged": 0, "raised": 0, "rerunRequested": 0, "refused": 1}
    refused = answer.json["items"][41]
    assert (refused["index"], refused["outcome"]) == (41, "refused")
    assert {one["field"] for one in refused["error"]["fields"]} == {"items[41].size", "items[41].colour"}
    assert [one["index"] for one in answer.json["items"]] == list(range(100))
    assert len(list(Job.scan())) == 99
    [request] = AskRecord.query("acme")
    assert len(request.job_ids) == 99


def test_500_items_are_taken(acme: Cloud) -> None:
    answer = refresh(*({"sku": f"SKU-{number}", "size": "10"} for number in range(500)))
    assert answer.json["counts"]["created"] == 500


def test_a_size_that_a_known_product_lacks_is_refused_with_the_sizes_it_has(acme: Cloud) -> None:
    variants = [["v-10", "us", {"us": "10"}], ["v-11", "us", {"us": "11"}]]
    row: dict[str, Any] = {
        "marketplace": "stockx",
        "product_id": "p",
        "name": "Dunk",
        "updated_at": acme.now,
        "checked_at": 0,
    }
    Product("stockx:DD1391-100", variants=variants, **row).save()
    answer = refresh({"sku": "DD1391-100", "size": "99"})
    assert answer.status == 400
    assert "it has 10, 11" in answer.fields["items[0].size"]
    [refused] = answer.json["items"]
    assert refused["error"]["message"].startswith("items[0].size: DD1391-100 has no size 99")
    assert not list(Job.scan())


def test_without_an_account_nothing_is_enqueued_and_the_answer_says_what_to_do(cloud: Cloud) -> None:
    answer = refresh({"sku": "DD1391-100", "size": "10"})
    assert answer.status == 400
    assert "PUT /v1/accounts/stockx" in answer.fields["items[0].marketplace"]


def test_when_every_item_is_refused_the_whole_request_is_and_nothing_is_written(acme: Cloud) -> None:
    before = acme.content()
    answer = refresh({"sku": ""}, {"sku": "DD1391-100", "size": "10", "currency": "XXX"})
    assert answer.status == 400
    assert {"items[0].sku", "items[0].size", "items[1].currency"} >= set(answer.fields) > {"items[1].currency"}
    assert [one["outcome"] for one in answer.json["items"]] == ["refused", "refused"]
    assert answer.json["requestId"]
    assert acme.content() == before


def test_an_item_that_could_not_be_stored_may_be_asked_for_again(acme: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(specs: Any, *_: Any) -> list[Exception]:
        return [RuntimeError("the secret reason") for _ in specs]

    monkeypatch.setattr("sluice.jobs.ask.enqueue_many", fail)
    answer = refresh({"sku": "DD1391-100", "size": "10"})
    assert answer.status == 503
    assert "secret" not in answer.text
    assert list(answer.fields) == ["items[0]"]
