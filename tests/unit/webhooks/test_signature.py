"""What signs a webhook is what the specification says, worked out here by hand."""

import base64
import hashlib
import hmac

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from sluice.platform.clock import SystemClock
from sluice.webhooks import signature

BODY = '{"type":"job.dead","data":{"name":"Größe"}}'


def by_hand(secret: str, signed: str) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return "v1," + base64.b64encode(hmac.new(key, signed.encode(), hashlib.sha256).digest()).decode()


def test_the_signature_covers_id_time_and_body() -> None:
    secret = signature.new_secret()
    headers = signature.headers([secret], "m1", 1_795_348_800_999, BODY)
    assert headers == {
        "webhook-id": "m1",
        "webhook-timestamp": "1795348800",
        "webhook-signature": by_hand(secret, f"m1.1795348800.{BODY}"),
    }


def test_each_secret_signs() -> None:
    old, new = signature.new_secret(), signature.new_secret()
    signatures = signature.headers([new, old], "m1", 1_795_348_800_000, BODY)["webhook-signature"]
    assert signatures.split(" ") == [by_hand(secret, f"m1.1795348800.{BODY}") for secret in (new, old)]


@pytest.mark.parametrize("change", ["body", "id", "time", "secret"])
def test_a_receiver_finds_out_when_anything_was_changed(change: str) -> None:
    secret, now = signature.new_secret(), SystemClock().now()
    headers, body = signature.headers([secret], "m1", now, BODY), BODY
    assert Webhook(secret).verify(body, headers)["type"] == "job.dead"
    if change == "body":
        body = body.replace("dead", "fine")
    elif change == "id":
        headers["webhook-id"] = "m2"
    elif change == "time":
        headers["webhook-timestamp"] = str(int(headers["webhook-timestamp"]) - 1)
    else:
        secret = signature.new_secret()
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, headers)


def test_secrets_are_as_long_as_the_specification_wants_and_never_the_same() -> None:
    secrets = {signature.new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert {len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) for secret in secrets} == {32}
