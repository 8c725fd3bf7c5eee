"""A job's end reaches its tenant's receiver, signed, on the deployed stack."""

import pytest
from standardwebhooks import Webhook

from local.laptop import Api, Laptop
from local.receiver import Receiver, status
from tests.support.stack import until

INSIDE = "http://169.254.169.254/latest/meta-data/"


@pytest.fixture(scope="module")
def api(laptop: Laptop) -> Api:
    laptop.connect_stockx("hooked")
    return laptop.api("hooked")


def die(api: Api, style: str) -> str:
    """Have a job fail for good; its id. That there is no such product is remembered, so each test has its own style."""
    item = {"sku": style, "size": "10", "priority": "manual"}
    [row] = api.post("/v1/market/refresh", {"items": [item]})["items"]
    return str(row["jobId"])


def test_an_event_arrives_and_its_signature_is_good(api: Api) -> None:
    with Receiver() as receiver:
        secret = api.put("/v1/webhooks/main", {"url": receiver.url, "eventTypes": ["job.dead"]})["secret"]
        job_id = die(api, "NO-SUCH-STYLE-2")
        until(lambda: bool(receiver.received), "the event")
        api.delete("/v1/webhooks/main")
    received = receiver.received[0]  # on a busy machine an answer may come so late that it is sent once more
    told = Webhook(secret).verify(received.body, dict(received.headers))
    assert (told["type"], told["data"]["jobId"], told["data"]["error"]["code"]) == (
        "job.dead",
        job_id,
        "product_unknown",
    )
    assert "hooked" not in received.body.decode()


def test_a_redirect_to_an_address_inside_is_not_followed(api: Api) -> None:
    with Receiver(status(302, location=INSIDE)) as receiver:
        api.put("/v1/webhooks/astray", {"url": receiver.url, "eventTypes": ["job.dead"]})
        die(api, "NO-SUCH-STYLE-3")
        path = "/v1/webhooks/astray/deliveries"
        until(lambda: any(one["attempts"] for one in api.get(path)["deliveries"]), "an attempt")
        [delivery] = api.get(path)["deliveries"]
        api.delete("/v1/webhooks/astray")
    first = delivery["attempts"][0]
    assert (first["status"], first["code"]) == (302, "refused")
    assert {received.path for received in receiver.received} == {"/hook"}
