"""What whoever runs the deployment is mailed arrives, whatever texts an event holds."""

import json
from typing import Any

import pytest
from ministack.services import eventbridge

from local.cloud import template as templates
from local.cloud.template import resources

RULES = {
    name: rule
    for name, rule in resources(templates.load(), "AWS::Events::Rule")
    if rule["Targets"][0]["Arn"] == {"Ref": "MailTopic"}
}
# What a shop may call its product, and a marketplace may say.
ODD = 'a 29" <rack> \\ {"x": 1},\nnew'
DETAIL = {
    "tenant": "acme",
    "tenants": ["acme"],
    "kind": ODD,
    "jobId": ODD,
    "account": ODD,
    "status": ODD,
    "reason": ODD,
    "error": {"code": ODD, "message": ODD},
    "title": ODD,
    "label": None,
    "url": ODD,
    "pageId": ODD,
    "variants": [{"text": ODD}],
    "at": "2026-11-22T12:00:00.000Z",
}


def mailed(rule: dict[str, Any]) -> str:
    """What the local cloud gives the topic for an event with `DETAIL`."""
    [target] = rule["Targets"]
    view = eventbridge._pattern_event_view({"Source": "sluice", "DetailType": "any", "Detail": json.dumps(DETAIL)})
    text: str = eventbridge._apply_input_transformer(target["InputTransformer"], rule, view)
    return text


def test_dead_jobs_broken_accounts_and_pages_are_mailed() -> None:
    told = {kind for rule in RULES.values() for kind in rule["EventPattern"]["detail-type"]}
    pages = {"page.price_dropped", "page.back_in_stock", "page.variant_gone", "page.unreadable"}
    assert told == {"job.dead", "account.broken", *pages}


@pytest.mark.parametrize("name", RULES)
def test_a_mail_is_json_whatever_an_event_holds(name: str) -> None:
    mail = json.loads(mailed(RULES[name]))
    assert mail["event"] == DETAIL
    assert mail["text"]


def test_the_local_cloud_escapes_nothing_in_a_quoted_text() -> None:
    """As EventBridge; so the test above can fail."""
    transformer = {"InputPathsMap": {"title": "$.detail.title"}, "InputTemplate": '"<title> is new"'}
    assert mailed({"Targets": [{"InputTransformer": transformer}]}) == f'"{ODD} is new"'
