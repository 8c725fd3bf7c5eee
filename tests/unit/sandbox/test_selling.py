"""Listings and operations over HTTP: states, order, lists and every refusal."""

from typing import Any

from local.sandbox.catalog.golden import NAMED
from local.sandbox.server import Sandbox
from local.sandbox.stockx import bodies
from tests.unit.sandbox.client import Client, Clock

LISTINGS = "/v2/selling/listings"
PANDA_10 = bodies.variant_id(next(each for each in NAMED[0].variants if each.size.value == "10"))


def _create(client: Client, amount: str = "150", **more: object) -> Any:
    answer = client.send("POST", LISTINGS, {"amount": amount, "variantId": PANDA_10, **more})
    assert answer.status_code == 201
    return answer.json()


def _listing(client: Client, listing_id: str) -> Any:
    return client.get(f"{LISTINGS}/{listing_id}").json()


def _look(client: Client, operation: Any) -> Any:
    return client.get(f"{LISTINGS}/{operation['listingId']}/operations/{operation['operationId']}").json()


def _change(client: Client, method: str, path: str, body: object = None) -> Any:
    answer = client.send(method, f"{LISTINGS}/{path}", body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_listing_from_its_creation_to_its_end(client: Client, clock: Clock, sandbox: Sandbox) -> None:
    created = _create(client)
    listing_id = created["listingId"]
    assert (created["operationType"], created["operationStatus"], created["error"]) == ("CREATE", "PENDING", None)
    assert created["operationUrl"].endswith(f"/{listing_id}/operations/{created['operationId']}")
    assert _listing(client, listing_id)["status"] == "INACTIVE"
    clock.now += 10_000
    assert _look(client, created)["operationStatus"] == "SUCCEEDED"
    listing = _listing(client, listing_id)
    assert (listing["status"], listing["amount"], listing["lastOperation"]["operationType"]) == (
        "ACTIVE",
        "150",
        "CREATE",
    )
    _change(client, "PATCH", listing_id, {"amount": "140"})
    clock.now += 10_000
    listing = _listing(client, listing_id)
    assert (listing["amount"], listing["payout"]["totalPayout"]) == ("140", "123.20")
    _change(client, "PUT", f"{listing_id}/deactivate")
    clock.now += 10_000
    listing = _listing(client, listing_id)
    assert (listing["status"], listing["ask"]) == ("INACTIVE", None)
    _change(client, "PUT", f"{listing_id}/activate", {"amount": "130", "currencyCode": "EUR"})
    clock.now += 10_000
    listing = _listing(client, listing_id)
    assert (listing["status"], listing["amount"], listing["currencyCode"]) == ("ACTIVE", "130", "EUR")
    _change(client, "DELETE", listing_id)
    clock.now += 10_000
    assert _listing(client, listing_id)["status"] == "DELETED"
    types = [operation.type for operation in sandbox.operations("tenant-a")]
    assert types == ["CREATE", "UPDATE", "DEACTIVATE", "ACTIVATE", "DELETE"]
