"""The routes of notifications: what a tenant wants to be told by mail, a test mail, and what was mailed."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from sluice.notifications import api, mailer, table
from sluice.platform.clock import DAY
from sluice.platform.http.auth import ROLES
from sluice.platform.tables import ConditionFailed
from tests.support.command import Shell, in_environment
from tests.support.http import Answer, call
from tests.support.mailbox import error
from tests.support.store import Answer as Answered
from tests.support.store import Request, Send, Store
from tests.support.wire import api_of
from tests.unit.api.conftest import MAIL, Cloud
from tests.unit.api.document import conforms

BASE = "/v1/notifications"
OPS = MAIL["mail"]["address"]


@pytest.fixture(autouse=True)
def long_after(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each request comes long after the one before it: what SNS said then counts no more."""
    monkeypatch.setattr(api, "STANDING_MS", 0)


def ask(method: str, path: str = BASE, **request: Any) -> Answer:
    answer = call(method, path, **request)
    conforms(f"{method} {path}", answer)
    return answer


def test_who_has_never_said_anything_is_told_nothing(cloud: Cloud) -> None:
    names = ("mail", "failureRate", "summary", "mailedAt", "nextMailAt", "updatedAt")
    assert ask("GET").json == dict.fromkeys(names)
    assert ask("GET", f"{BASE}/mails").json == {"mails": [], "next": None}
    assert cloud.mailbox.topics == {}


def test_an_address_is_asked_first(cloud: Cloud, logged: StringIO) -> None:
    made = ask("PUT", body=MAIL)
    assert (made.status, made.json["mail"]) == (200, {**MAIL["mail"], "status": "PENDING"})
    [(topic, address)] = cloud.mailbox.asked
    assert (topic.rpartition(":")[2][:-8], address) == ("sluice-local-mail-acme-", OPS)
    cloud.mailbox.confirm(OPS)
    assert ask("GET").json["mail"]["status"] == "CONFIRMED"
    cloud.mailbox.leave(OPS)
    assert ask("GET").json["mail"]["status"] == "GONE"
    assert OPS not in logged.getvalue()


def test_an_address_that_has_not_said_yes_is_asked_again_and_one_that_has_is_not(cloud: Cloud) -> None:
    ask("PUT", body=MAIL)
    ask("PUT", body=MAIL)
    cloud.mailbox.confirm(OPS)
    more = {"mail": {**MAIL["mail"], "eventTypes": ["job.dead", "account.broken", "job.dead"]}}
    assert ask("PUT", body=more).json["mail"]["eventTypes"] == ["account.broken", "job.dead"]
    assert len(cloud.mailbox.asked) == 2
    cloud.mailbox.leave(OPS)
    assert ask("PUT", body=MAIL).json["mail"]["status"] == "PENDING"


def test_another_address_starts_with_nobodys_yes_and_the_first_hears_no_more(cloud: Cloud) -> None:
    ask("PUT", body=MAIL)
    cloud.mailbox.confirm(OPS)
    [first] = cloud.mailbox.topics
    changed = ask("PUT", body={"mail": {**MAIL["mail"], "address": "desk@acme.example"}})
    assert changed.json["mail"]["status"] == "PENDING"
    assert first not in cloud.mailbox.topics
    back = ask("PUT", body=MAIL)
    assert back.json["mail"]["status"] == "PENDING"
    assert ask("PUT", body={}).json["mail"] is None
    assert cloud.mailbox.topics == {}


def test_the_same_address_is_asked_by_each_tenant(cloud: Cloud) -> None:
    """Nobody has another tenant's mails sent to who agreed to one's own."""
    ask("PUT", body=MAIL)
    cloud.mailbox.confirm(OPS)
    assert ask("PUT", body=MAIL, tenant="globex").json["mail"]["status"] == "PENDING"
    ask("PUT", body={}, tenant="globex")
    assert ask("GET").json["mail"]["status"] == "CONFIRMED"


def test_an_address_that_aws_refuses_changes_nothing(cloud: Cloud) -> None:
    ask("PUT", body=MAIL)
    before = cloud.content(), dict(cloud.mailbox.topics)
    cloud.mailbox.refuses = {"no@acme.example"}
    answer = ask("PUT", body={"mail": {**MAIL["mail"], "address": "no@acme.example"}})
    assert (answer.status, answer.fields) == (400, {"mail.address": "is no address that AWS sends mail to"})
    assert (cloud.content(), cloud.mailbox.topics) == before


def test_who_changes_it_at_the_same_time_is_told(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    ask("PUT", body=MAIL)
    before = table.wants("acme")
    assert before
    table.change(before, "acme", table.Wanted(), cloud.now)
    with pytest.raises(ConditionFailed):
        table.change(before, "acme", table.Wanted(), cloud.now)
    monkeypatch.setattr(table, "wants", lambda _: before)
    answer = ask("PUT", body=MAIL)
    assert (answer.status, answer.json["error"]["code"]) == (409, "changing")


def test_a_test_mail_is_sent_at_once_and_listed(cloud: Cloud) -> None:
    ask("PUT", body=MAIL)
    cloud.mailbox.confirm(OPS)
    sent = ask("POST", f"{BASE}/test")
    assert (sent.status, sent.json["state"], sent.json["events"]) == (202, mailer.SENT, 0)
    assert cloud.mailbox.sent == [(OPS, "Sluice (local): a test", sent.json["text"])]
    assert ask("GET", f"{BASE}/mails").json == {"mails": [sent.json], "next": None}


@pytest.mark.parametrize(("body", "code"), [(None, "no_address"), ({}, "no_address"), (MAIL, "not_confirmed")], ids=str)
def test_a_test_mail_that_could_not_arrive_is_refused(cloud: Cloud, body: dict[str, Any] | None, code: str) -> None:
    if body is not None:
        ask("PUT", body=body)
    answer = ask("POST", f"{BASE}/test")
    assert (answer.status, answer.json["error"]["code"]) == (409, code)
    assert ask("GET", f"{BASE}/mails").json["mails"] == []


def test_a_test_that_is_asked_for_again_under_its_key_is_one_mail(cloud: Cloud) -> None:
    ask("PUT", body=MAIL)
    cloud.mailbox.confirm(OPS)
    first, again = (ask("POST", f"{BASE}/test", key="k") for _ in range(2))
    assert first.text == again.text
    assert len(cloud.mailbox.sent) == 1


def test_mails_are_listed_a_page_at_a_time_newest_first(cloud: Cloud) -> None:
    for number in range(5):
        table.keep("acme", cloud.now + number, f"mail {number}", "text", mailer.SENT, None, 1)
    table.keep("globex", cloud.now, "of globex", "text", mailer.SENT, None, 1)
    table.note("acme", ("job.dead", "e1"), cloud.now, "waits", cloud.now)
    seen, cursor = list[str](), None
    while cursor is not None or not seen:
        page = ask("GET", f"{BASE}/mails", query={"limit": 2, **({"cursor": cursor} if cursor else {})}).json
        seen += [mail["subject"] for mail in page["mails"]]
        cursor = page["next"]
    assert seen == ["mail 4", "mail 3", "mail 2", "mail 1", "mail 0"]


@pytest.mark.parametrize("role", ROLES)
def test_who_may_read_and_who_may_say(cloud: Cloud, role: str) -> None:
    statuses = {
        key: call(method, path, roles=role, **request).status
        for key, method, path, request in (
            ("read", "GET", BASE, {}),
            ("mails", "GET", f"{BASE}/mails", {}),
            ("put", "PUT", BASE, {"body": MAIL}),
            ("test", "POST", f"{BASE}/test", {}),
        )
    }
    read, write = role in ("user", "operator", "admin"), role in ("operator", "admin")
    assert statuses == {
        "read": 200 if read else 403,
        "mails": 200 if read else 403,
        "put": 200 if write else 403,
        "test": 409 if write else 403,
    }
    assert bool(cloud.mailbox.asked) == write


def test_the_example_is_one_that_is_taken(cloud: Cloud) -> None:
    assert ask("PUT", body=json.loads(json.dumps(api.Preferences.example))).status == 200


# --- sluice notifications ---


@pytest.fixture
def shell(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shell:
    in_environment(monkeypatch, tmp_path)
    return Shell(api_of("acme"))


def test_the_command_says_what_is_wanted_and_whether_it_arrives(cloud: Cloud, shell: Shell) -> None:
    assert shell.run("notifications", "show").out == "no mail is sent\n"
    made = shell.run("notifications", "set", OPS, "job.dead", "account.broken")
    assert (made.code, made.out.splitlines()) == (
        0,
        [f"address\t{OPS}", "status\tPENDING", "told of\taccount.broken, job.dead"],
    )
    assert "until somebody opens its link" in made.err
    refused = shell.run("notifications", "test")
    assert (refused.code, "open the link" in refused.err) == (4, True)
    cloud.mailbox.confirm(OPS)
    assert shell.run("notifications", "test").out.endswith("Sluice (local): a test\n")
    [[_, state, subject, why]] = shell.run("notifications", "mails").rows
    assert (state, subject, why) == ("SENT", "Sluice (local): a test", "")
    rate = shell.run("notifications", "rate", "20").out
    assert "failures\tabove 20 % of 20 jobs or more" in rate
    assert f"address\t{OPS}" in rate, "the rest stays as it is"
    assert "summary\tat 8:00 UTC, next " in shell.run("notifications", "summary", "8").out
    off = shell.run("notifications", "off").out
    assert off.startswith("no mail is sent\n")
    assert "above 20 %" in off
    assert "failures" not in shell.run("notifications", "rate", "0").out
    assert shell.run("notifications", "summary", "off").out == "no mail is sent\n"
    assert shell.run("notifications", "summary", "eight").code == 2


def test_the_command_says_what_is_wrong_with_a_type_or_an_address(shell: Shell) -> None:
    for words, field in (((OPS, "job.gone"), "mail.eventTypes[0]"), (("ops", "job.dead"), "mail.address")):
        ran = shell.run("notifications", "set", *words)
        assert (ran.code, field in ran.err, ran.err.count("\n")) == (4, True, 1)


def mails_counted(tables: Store) -> int:
    """What the tenant has used of its allowance of mails in this hour, but for the address that was asked first."""
    used = [int(one["mails"]["N"]) for one in tables.items("usage") if "mails" in one]
    return sum(used) - 1


@pytest.mark.parametrize(
    ("method", "path", "body"), [("GET", BASE, None), ("PUT", BASE, MAIL), ("POST", f"{BASE}/test", {})]
)
@pytest.mark.parametrize("standing", ["PENDING", "CONFIRMED"])
def test_a_tenant_that_asks_all_the_time_leaves_others_the_questions_to_sns(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, tables: Store, method: str, path: str, body: Any, standing: str
) -> None:
    """SNS answers 30 a second of the whole AWS account; a tenant may ask us 1,200 times a minute."""
    monkeypatch.setattr(api, "STANDING_MS", DAY)
    ask("PUT", body=MAIL)
    if standing == "CONFIRMED":
        cloud.mailbox.confirm(OPS)
        monkeypatch.setattr(api, "STANDING_MS", 0)
        ask("GET")
        monkeypatch.setattr(api, "STANDING_MS", DAY)
    asked, before = list[str](), tables.around

    def around(request: Request, send: Send) -> Answered:
        asked.append(request.operation)
        return before(request, send) if before else send()

    tables.around = around
    for _ in range(5):
        ask(method, path, **({} if body is None else {"body": body}))
    tables.around = before
    # Addresses that are asked, and tests, are counted by an allowance of their own.
    assert asked.count("ListSubscriptionsByTopic") <= asked.count("Subscribe") + 2 * mails_counted(tables)


def test_another_address_is_not_taken_for_what_was_known_of_the_first(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask("PUT", body=MAIL)
    cloud.mailbox.confirm(OPS)
    assert ask("GET").json["mail"]["status"] == "CONFIRMED"
    monkeypatch.setattr(api, "STANDING_MS", DAY)
    other = ask("PUT", body={"mail": {**MAIL["mail"], "address": "desk@acme.example"}})
    assert other.json["mail"]["status"] == "PENDING"


def test_while_sns_says_nothing_the_same_request_may_succeed_later(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask("PUT", body=MAIL)
    before = cloud.content()

    def throttled(operation: str, parameters: dict[str, Any]) -> Any:
        raise error("Throttled", operation)

    with monkeypatch.context() as patch:
        patch.setattr(cloud.mailbox, "_ListSubscriptionsByTopic", lambda **_: throttled("ListSubscriptionsByTopic", {}))
        for answer in (ask("GET"), ask("PUT", body=MAIL), ask("POST", f"{BASE}/test", body={})):
            assert (answer.status, answer.json["error"]["code"]) == (503, "unavailable")
    assert cloud.content() == before
    assert ask("GET").status == 200
