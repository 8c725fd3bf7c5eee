"""On the local cloud, as on AWS, a queue hands out others' messages before those of a tenant's flood."""

import json
from typing import Any

import pytest
from ministack.core.arn import parse_arn
from ministack.services import eventbridge, sqs

from local.cloud import fair
from local.cloud import template as templates
from local.cloud.template import resources

ARN = "arn:aws:sqs:us-east-1:000000000000:webhooks"
RULES = {rule["Targets"][0]["Id"]: rule["Targets"][0] for _, rule in resources(templates.load(), "AWS::Events::Rule")}
Queue = dict[str, Any]


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Queue:
    made: Queue = {"is_fifo": False, "attributes": {"QueueArn": ARN}, "messages": []}
    for module, name in ((eventbridge, "_dispatch_to_sqs"), (sqs, "_collect_msgs")):
        monkeypatch.setattr(module, name, getattr(module, name))
    monkeypatch.setattr(sqs, "_queue_by_arn", lambda arn: made if arn == ARN else None)
    fair.install()
    return made


def put(tenant: str, number: int) -> None:
    """An event of the tenant comes by the rule of webhooks."""
    event = {"detail-type": "job.dead", "detail": {"tenant": tenant, "id": f"{tenant}-{number}"}}
    parameters = RULES["WebhookQueue"]["SqsParameters"]
    eventbridge._dispatch_to_sqs(parse_arn(ARN), json.dumps(event), parameters)


def take(queue: Queue, most: int = 10) -> list[str]:
    """Whose messages a consumer is given."""
    return [json.loads(one["body"])["detail"]["tenant"] for one in sqs._collect_msgs(queue, most, 180)]


def test_what_comes_behind_a_flood_is_handed_out_next(queue: Queue) -> None:
    """100 of mallory's, of which ten are being handled; then one of acme's and two of globex'."""
    for number in range(100):
        put("mallory", number)
    assert take(queue) == ["mallory"] * 10
    put("acme", 0)
    put("globex", 0)
    put("globex", 1)
    assert take(queue) == ["acme", "globex", "globex", *["mallory"] * 7]
    assert len(queue["messages"]) == 103


def test_alone_a_tenants_messages_are_handed_out_as_they_came(queue: Queue) -> None:
    for number in range(25):
        put("acme", number)
    taken = [one for _ in range(3) for one in sqs._collect_msgs(queue, 10, 180)]
    ids = [json.loads(one["body"])["detail"]["id"] for one in taken]
    assert ids == [f"acme-{number}" for number in range(25)]


def test_an_event_must_have_what_its_rule_names() -> None:
    assert fair.named("$.detail.tenant", {"detail": {"tenant": "acme"}}) == "acme"
    assert fair.named("one for all", {}) == "one for all"
    with pytest.raises(KeyError):
        fair.named("$.detail.tenant", {"detail": {}})
