"""From a cause to a mail: told once, in one mail where much happens, and only to who wants it and has agreed."""

import json

import pytest

from sluice.notifications import mailer, receive, table, texts, topics
from sluice.notifications.topics import Standing
from sluice.platform.clock import MINUTE
from sluice.platform.observe import metrics
from tests.support.store import Answer, Request, Send
from tests.unit.notifications.conftest import (
    NOON,
    OPERATOR_TOPIC,
    OPERATORS,
    OPS,
    OTHERS,
    Office,
    broken,
    dead,
    live,
)
from tests.unit.notifications.test_texts import SAMPLES


@pytest.mark.parametrize("kind", texts.SAID)
def test_what_a_tenant_wants_to_be_told_is_mailed_within_a_minute(office: Office, kind: str) -> None:
    office.wants(kind)
    office.happens(SAMPLES[kind])
    assert office.box.sent == []
    assert office.minute() == 1
    [(address, subject, text)] = office.box.sent
    assert (address, subject) == (OPS, f"Sluice (local): 1 {texts.NAMES[kind][0]}")
    assert "2026-11-22T11:59:58.000Z" in text
    assert office.minute() == 0
    assert office.lines() == []


@pytest.mark.parametrize("kind", texts.SAID)
def test_what_a_tenant_does_not_want_is_not_mailed(office: Office, kind: str) -> None:
    office.wants(*(texts.SAID.keys() - {kind}))
    office.happens(SAMPLES[kind])
    assert office.minute() == 0
    assert office.box.sent == []


def test_who_never_said_what_they_want_is_told_nothing(office: Office) -> None:
    office.happens(dead(), broken())
    assert office.minute() == 0
    assert [one["entry"]["S"] for one in office.store.items("notifications") if one["tenant"]["S"] == "acme"] == []
    assert office.box.sent == []


@pytest.mark.parametrize("again", [1, 3])
def test_an_event_that_comes_again_is_told_once(office: Office, again: int) -> None:
    """Before its mail and long after it: the stream hands a record over for a day."""
    office.wants("job.dead")
    office.happens(dead(), *[dead()] * again)
    office.minute()
    office.clock.time += 20 * MINUTE
    office.happens(*[dead()] * again)
    office.minute()
    assert [subject for _, subject, _ in office.box.sent] == ["Sluice (local): 1 dead job"]


def test_a_flood_is_a_mail_at_once_and_one_each_ten_minutes(office: Office) -> None:
    office.wants()
    office.happens(dead("first"))
    office.minute()
    for number in range(30):
        office.happens(dead(f"e{number}"), *([broken()] if number == 7 else []))
        office.minute(MINUTE // 2)
    assert [subject for _, subject, _ in office.box.sent] == [
        "Sluice (local): 1 dead job",
        "Sluice (local): 20 dead jobs, 1 broken account",
    ]
    office.minute(mailer.PAUSE_MS)
    assert office.box.sent[-1][1] == "Sluice (local): 10 dead jobs"
    assert len(office.box.sent) == 3


def test_what_happens_alone_later_is_told_at_once_again(office: Office) -> None:
    office.wants("job.dead")
    office.happens(dead("e1"))
    office.minute()
    office.clock.time += mailer.PAUSE_MS
    office.happens(dead("e2"))
    office.minute()
    assert len(office.box.sent) == 2


def test_more_than_fits_into_a_mail_waits_for_the_next(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailer, "MOST_LINES", 3)
    office.wants("job.dead")
    office.happens(*(dead(f"e{number}") for number in range(5)))
    assert office.minute() == 1
    assert office.minute() == 0
    assert office.minute(mailer.PAUSE_MS) == 1
    assert [subject for _, subject, _ in office.box.sent] == [
        "Sluice (local): 3 dead jobs",
        "Sluice (local): 2 dead jobs",
    ]


def test_each_tenant_of_a_shared_job_is_told_its_own(office: Office) -> None:
    office.wants("job.dead")
    office.wants("job.dead", tenant="globex", address=OTHERS)
    office.happens(dead("e1", "acme", "globex"))
    assert office.minute() == 2
    told = {address: text for address, _, text in office.box.sent}
    assert "globex" not in told[OPS]
    assert "acme" not in told[OTHERS]
    assert "stockx:globex answered 503" in told[OTHERS]


def test_two_tenants_with_one_address_are_two_topics(office: Office) -> None:
    """Somebody who runs two shops reads both; leaving one leaves the other."""
    office.wants("job.dead")
    office.wants("account.broken", tenant="globex")
    assert len(office.box.topics.keys() - {OPERATOR_TOPIC}) == 2
    office.happens(dead(), broken("globex"))
    assert office.minute() == 2
    assert sorted(subject for _, subject, _ in office.box.sent) == [
        "Sluice (local): 1 broken account",
        "Sluice (local): 1 dead job",
    ]


@pytest.mark.parametrize(("standing", "words"), [(Standing.PENDING, "open the link"), (Standing.GONE, "once more")])
def test_to_who_has_not_agreed_nothing_is_sent_and_that_is_remembered(
    office: Office, standing: Standing, words: str
) -> None:
    office.wants("job.dead", confirmed=False)
    if standing is Standing.GONE:
        office.box.confirm(OPS)
        office.box.leave(OPS)
    office.happens(dead())
    office.minute()
    [mail] = table.mails("acme", 10, None)
    assert (mail.state, mail.lines) == (mailer.NOT_SENT, 1)
    assert words in mail.reason
    assert "DD1391-100" in mail.text
    assert office.box.sent == []


def test_a_topic_that_somebody_deleted_is_gone(office: Office) -> None:
    office.wants("job.dead")
    [topic] = office.box.topics.keys() - {OPERATOR_TOPIC}
    assert topics.standing(topic) is Standing.CONFIRMED
    topics.remove(topic)
    assert topics.standing(topic) is Standing.GONE
    office.happens(dead())
    office.minute()
    assert [mail.state for mail in table.mails("acme", 10, None)] == [mailer.NOT_SENT]


def test_what_waits_when_the_address_goes_is_remembered(office: Office) -> None:
    office.wants("job.dead")
    office.happens(dead())
    table.change(table.wants("acme"), "acme", table.Wanted(), NOON)
    office.minute()
    assert [(mail.state, mail.reason) for mail in table.mails("acme", 10, None)] == [
        (mailer.NOT_SENT, mailer.NO_ADDRESS)
    ]
    assert office.lines() == []


def test_a_mail_that_fails_is_tried_again_and_stops_nobody_else(office: Office) -> None:
    office.wants("listing.live")
    office.wants("listing.live", tenant="globex", address=OTHERS)
    office.happens(live("l1"), live("l2", "globex"))
    office.box.fails = ["Throttled"]
    assert office.minute() == 1
    assert [address for address, _, _ in office.box.sent] == [OTHERS]
    assert office.minute() == 0
    assert office.minute(mailer.LEASE_MS) == 1
    assert [address for address, _, _ in office.box.sent] == [OTHERS, OPS]
    assert "MailsFailed" in json.dumps(metrics.serialize_metric_set())


def test_two_runs_at_once_send_one_mail(office: Office) -> None:
    office.wants("job.dead")
    office.happens(dead())
    office.clock.time += MINUTE
    found = table.wants("acme")
    assert found
    assert mailer.serve(found, office.clock.time)
    assert not mailer.serve(found, office.clock.time)
    assert len(office.box.sent) == 1


@pytest.mark.parametrize("more", [0, 1])
def test_a_line_that_comes_while_a_mail_is_sent_is_in_the_next(office: Office, more: int) -> None:
    """However it falls: after the lines were read, the one who sends must not think that none is left."""
    office.wants("listing.live")
    office.happens(live("l1"))
    came = list[bool]()

    def around(request: Request, send: Send) -> Answer:
        if request.service == "sns" and request.operation == "Publish" and not came:
            came.append(True)
            office.happens(*(live(f"late{number}") for number in range(more)))
        return send()

    office.store.around = around
    office.minute()
    office.store.around = None
    assert len(office.lines()) == more
    office.minute(mailer.PAUSE_MS)
    assert len(office.box.sent) == 1 + more
    assert office.lines() == []


# The way of one event: taken in for the operator and for the tenant; then each one's mail.
WAY = (
    *("TransactWriteItems", "GetItem", "UpdateItem"),
    *("GetItem", "TransactWriteItems", "UpdateItem"),
    "Query",
    *("UpdateItem", "Query", "Query", "Query", "Publish", "BatchWriteItem", "UpdateItem"),
    *("UpdateItem", "Query", "ListSubscriptionsByTopic", "Publish", "PutItem", "BatchWriteItem", "UpdateItem"),
)
# Where it is sent already, and its lines still wait.
TWICE = {OPERATORS: (12,), OPS: (18, 19)}


class Died(BaseException):
    """The process ends."""


def requests_of(office: Office) -> list[str]:
    """The requests that it takes to take an event in and mail it."""
    requests = list[str]()

    def around(request: Request, send: Send) -> Answer:
        requests.append(request.operation)
        return send()

    office.store.around = around
    office.happens(dead())
    office.minute()
    office.store.around = None
    return requests


@pytest.mark.parametrize("at", range(len(WAY)))
def test_who_dies_at_any_step_loses_no_line(office: Office, at: int) -> None:
    """Each is told once, and once more only where the process died between sending the mail and saying so."""
    office.wants("job.dead")
    office.operator_reads()
    count = [0]

    def around(_: Request, send: Send) -> Answer:
        count[0] += 1
        if count[0] - 1 == at:
            raise Died
        return send()

    office.store.around = around
    for step in (lambda: office.happens(dead()), lambda: office.minute(mailer.LEASE_MS)):
        try:
            step()
        except Died:
            step()
    office.store.around = None
    office.minute(mailer.PAUSE_MS)
    sent = [address for address, _, _ in office.box.sent]
    assert sent.count(OPS) == 1 + (at in TWICE[OPS])
    assert sent.count(OPERATORS) == 1 + (at in TWICE[OPERATORS])
    assert office.lines() == []


def test_it_dies_at_every_step_there_is(office: Office) -> None:
    """The test above dies at each request of the way of one event."""
    office.wants("job.dead")
    assert requests_of(office) == list(WAY)


@pytest.mark.parametrize(
    "message", ["not JSON", "[]", "{}", json.dumps({"source": "aws.ec2", "detail-type": "x", "detail": {}})]
)
def test_a_message_that_is_no_event_is_set_aside(office: Office, message: str) -> None:
    assert receive.work({"1": message}, office.clock) == []
    assert office.set_aside == [message]


def test_an_event_that_nobody_is_told_of_is_let_go(office: Office) -> None:
    office.wants()
    office.happens(dead() | {"detail-type": "job.succeeded"})
    assert office.lines() == []
