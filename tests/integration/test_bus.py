"""What happens on the deployed bus: each end of a job is an event, and what will not mend itself becomes mail."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from local.laptop import Api, Laptop
from sluice_command.golden_set import items
from tests.integration.levers import forget_operator_mail
from tests.support.stack import until


@pytest.fixture(scope="module")
def mailbox(laptop: Laptop) -> Callable[[], list[str]]:
    """Reads what the mail topic was given since the last look."""
    sqs, sns = laptop.cloud.client("sqs"), laptop.cloud.client("sns")
    url = sqs.create_queue(QueueName="mailbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = laptop.stack.outputs["MailTopicArn"]
    allow = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": [allow]})})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    def read() -> list[str]:
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"])["Message"] for message in messages]

    return read


def finish(laptop: Laptop, api: Api, **changes: Any) -> str:
    """Ask for a price now, and wait until the job is over; its id."""
    body = {"items": [items()[6] | {"priority": "manual"} | changes]}
    [row] = api.post("/v1/market/refresh", body)["items"]
    until(lambda: api.job(row["jobId"])["state"] in ("succeeded", "dead"), "the job is over")
    return str(row["jobId"])


def test_a_dead_job_is_mailed_and_one_that_succeeded_is_not(laptop: Laptop, mailbox: Callable[[], list[str]]) -> None:
    api = laptop.api("mailed")
    laptop.connect_stockx("mailed")
    succeeded, mails = finish(laptop, api), list[str]()
    forget_operator_mail(laptop)  # tests before this one may have led to a mail
    dead = finish(laptop, api, sku="NO-SUCH-STYLE")

    def has_come() -> bool:
        laptop.cloud.invoke(laptop.stack.function("notifier"), {})
        mails.extend(mailbox())
        return any(dead in mail for mail in mails)

    until(has_come, "the operator's mail")
    [mail] = [mail for mail in mails if dead in mail]
    assert "mailed: 1 dead job" in mail
    assert "product_unknown" in mail
    assert "stockx:mailed" in mail
    assert succeeded not in mail


def test_a_tenant_is_mailed_what_it_wants_to_be_told(laptop: Laptop) -> None:
    """From a job that dies to the mail of its tenant: stream, bus, queue, table, topic."""
    api = laptop.api("told", "operator")
    laptop.connect_stockx("told")
    api.put("/v1/notifications", {"mail": {"address": "ops@told.example", "eventTypes": ["job.dead"]}})
    dead = finish(laptop, api, sku="NO-SUCH-SHOE")

    def mails() -> list[Any]:
        laptop.cloud.invoke(laptop.stack.function("notifier"), {})
        found: list[Any] = api.get("/v1/notifications/mails")["mails"]
        return found

    until(mails, "the mail")
    [mail] = mails()
    assert (mail["state"], mail["events"], mail["subject"]) == ("SENT", 1, "Sluice (local): 1 dead job")
    assert dead in mail["text"]
    assert "product_unknown" in mail["text"]
