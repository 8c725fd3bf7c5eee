"""The operator's mail: gathered, bounded, fair to every tenant, and of all that will not mend itself."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.cloud import template as templates
from local.cloud.template import resources
from sluice.feed import bus_events
from sluice.notifications import mailer, operator_mail, texts
from sluice.notifications.texts import Line
from sluice.platform.clock import DAY
from tests.unit.notifications.conftest import NOON, OPERATORS, Office, broken, dead, event
from tests.unit.notifications.test_texts import SAMPLES


def deaths(office: Office, number: int, tenant: str, name: str = "e") -> None:
    office.happens(*(dead(f"{tenant}-{name}{one}", tenant, jobId=f"job:{tenant}:{name}{one}") for one in range(number)))


def said(kind: str) -> str:
    found = bus_events.event(SAMPLES[kind])
    return operator_mail.said(found.type, found.detail)


# ── what it tells of ──


def test_dead_jobs_broken_accounts_and_pages_are_told() -> None:
    pages = {"page.price_dropped", "page.back_in_stock", "page.variant_gone", "page.unreadable"}
    assert operator_mail.SAID.keys() == {"job.dead", "account.broken"} | pages
    assert operator_mail.SAID.keys() <= texts.SAID.keys(), "the queue has all of them"


def test_nothing_but_the_notifier_sends_there() -> None:
    """A rule that mailed each event would be the flood once more."""
    targets = [target for _, rule in resources(templates.load(), "AWS::Events::Rule") for target in rule["Targets"]]
    assert targets
    assert [target for target in targets if "MailTopic" in str(target["Arn"])] == []


@pytest.mark.parametrize("kind", operator_mail.SAID)
def test_it_is_mailed_within_a_minute_to_an_operator_that_no_tenant_told_anything(office: Office, kind: str) -> None:
    office.operator_reads()
    office.happens(SAMPLES[kind])
    office.minute()
    [(subject, text)] = office.operators_mails()
    assert subject == f"Sluice (local): 1 {texts.NAMES[kind][0]} of acme"
    assert said(kind) in text
    assert operator_mail.WHERE in text


def test_what_only_tenants_are_told_of_is_not_mailed_to_the_operator(office: Office) -> None:
    office.operator_reads()
    office.happens(*(sample for kind, sample in SAMPLES.items() if kind not in operator_mail.SAID))
    office.minute()
    assert office.operators_mails() == []


def test_the_operator_is_told_whose_account_it_was_and_all_that_was_said() -> None:
    assert "of stockx:globex was given up after 3 tries: stockx:globex answered 503 (unavailable)" in said("job.dead")
    assert "The account stockx:acme is BROKEN: the token was revoked." in said("account.broken")
    assert said("page.unreadable").startswith("Dunk Low: the page cannot be read any more (a login page).")


@pytest.mark.parametrize("kind", operator_mail.SAID)
def test_a_line_end_in_others_words_makes_no_line_of_ours(kind: str) -> None:
    forged = "x\r\n\n2026-11-22T12:00:00.000Z  globex: The account stockx:globex is BROKEN\x1b\x85\u2028"

    def worded(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: worded(one) for name, one in value.items()}
        return f"{value}{forged}" if isinstance(value, str) else value

    assert operator_mail.said(kind, worded(SAMPLES[kind]["detail"])).isprintable()


# ── gathered ──


def test_a_flood_is_a_mail_at_once_and_one_each_ten_minutes(office: Office) -> None:
    office.operator_reads()
    deaths(office, 1, "hostile", "first")
    office.minute()
    for number in range(30):
        deaths(office, 5, "hostile", f"{number}-")
        office.minute(30_000)
    assert [subject for subject, _ in office.operators_mails()] == [
        "Sluice (local): 1 dead job of hostile",
        "Sluice (local): 100 dead jobs of hostile",
    ]
    office.minute(mailer.PAUSE_MS)
    office.minute(DAY)
    assert [subject for subject, _ in office.operators_mails()][2:] == ["Sluice (local): 50 dead jobs of hostile"]


@pytest.mark.parametrize("hostile", ["aaa", "zzz"])
@pytest.mark.parametrize("first", [True, False])
def test_a_flood_hides_nobody_elses_death(office: Office, hostile: str, first: bool) -> None:
    """Whoever stands before whom: more lines than are shown wait when another's only job dies."""
    office.operator_reads()
    for tenant, number in ((hostile, 200), ("globex", 1)) if first else (("globex", 1), (hostile, 200)):
        deaths(office, number, tenant)
    office.minute()
    [(subject, text)] = office.operators_mails()
    assert subject == "Sluice (local): 201 dead jobs of 2 tenants"
    assert f"{hostile}: 200 dead jobs" in text
    assert "globex: 1 dead job\n" in text
    assert "job:globex:e0" in text
    assert "… and 161 more." in text


def test_what_does_not_fit_into_a_mail_waits_for_the_next_and_none_is_lost(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailer, "MOST_LINES", 8)
    office.operator_reads()
    deaths(office, 10, "hostile")
    deaths(office, 1, "globex")
    office.minute()
    office.minute(mailer.PAUSE_MS)
    (subject, text), (rest, at_last) = office.operators_mails()
    assert subject == "Sluice (local): 5 dead jobs of 2 tenants"
    assert (operator_mail.MORE in text, "job:globex:e0" in text) == (True, True)
    assert rest == "Sluice (local): 6 dead jobs of hostile"
    assert operator_mail.MORE not in at_last
    assert {f"job:hostile:e{number}" for number in range(10)} <= set((text + at_last).split())
    assert office.minute(DAY) == 0
    assert len(office.operators_mails()) == 2


def test_more_tenants_than_one_mail_tells_of_are_told_of_by_the_next(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailer, "MOST_TENANTS", 2)
    office.operator_reads()
    for tenant in ("acme", "acme-2", "b"):
        deaths(office, 2, tenant)
    office.minute()
    office.minute(mailer.PAUSE_MS)
    assert [subject for subject, _ in office.operators_mails()] == [
        "Sluice (local): 4 dead jobs of 2 tenants",
        "Sluice (local): 2 dead jobs of b",
    ]


@pytest.mark.parametrize("again", [1, 3])
def test_an_event_that_comes_again_is_told_once(office: Office, again: int) -> None:
    office.operator_reads()
    office.happens(*[dead()] * (1 + again))
    office.minute()
    office.clock.time += mailer.PAUSE_MS
    office.happens(*[dead()] * again)
    office.minute()
    assert [subject for subject, _ in office.operators_mails()] == ["Sluice (local): 1 dead job of acme"]


def test_a_job_that_several_asked_for_is_each_ones(office: Office) -> None:
    office.operator_reads()
    office.happens(dead("e1", "acme", "globex"))
    office.minute()
    [(_, text)] = office.operators_mails()
    assert {"acme: 1 dead job", "globex: 1 dead job"} <= set(text.splitlines())


def test_the_operators_mail_that_fails_is_tried_again_and_stops_no_tenants(office: Office) -> None:
    office.operator_reads()
    office.wants("job.dead")
    office.box.fails = ["Throttled"]
    office.happens(dead())
    assert office.minute() == 1
    assert office.operators_mails() == []
    office.minute(mailer.LEASE_MS)
    assert len(office.operators_mails()) == 1


def test_a_tenants_mails_and_the_operators_are_apart(office: Office) -> None:
    """No tenant is told what the operator is."""
    office.operator_reads()
    office.wants("job.dead")
    office.happens(dead("e1", "acme", "globex"), broken("globex"))
    assert office.minute() == 1
    [(_, _, text)] = [sent for sent in office.box.sent if sent[0] != OPERATORS]
    assert "globex" not in text


# ── how it is put ──

LINES = st.dictionaries(
    st.from_regex(r"[a-z0-9-]{1,64}", fullmatch=True),
    st.lists(
        st.tuples(st.sampled_from(list(operator_mail.SAID)), st.integers(0, NOON), st.text(max_size=80)), min_size=1
    ),
    min_size=1,
    max_size=60,
)


@given(LINES, st.booleans())
def test_every_mail_is_one_that_sns_takes_and_names_every_tenant(
    found: dict[str, list[tuple[str, int, str]]], more: bool
) -> None:
    lines = {tenant: [Line(*one) for one in of] for tenant, of in found.items()}
    mail = operator_mail.mail(lines, "prod", more=more)
    assert 0 < len(mail.subject) <= texts.MOST_SUBJECT
    assert (mail.subject.isascii(), mail.subject.isprintable()) == (True, True)
    assert {f"{tenant}: {texts.counted(Counter(line.type for line in of))}" for tenant, of in lines.items()} <= set(
        mail.text.splitlines()
    )
    assert (operator_mail.MORE in mail.text) == more


@given(LINES)
def test_each_tenant_has_a_line_before_anybody_has_two(found: dict[str, list[tuple[str, int, str]]]) -> None:
    lines = {
        tenant: [Line(kind, at, f"line {number}") for number, (kind, at, _) in enumerate(of)]
        for tenant, of in found.items()
    }
    shown = [one for one in operator_mail.mail(lines, "prod", more=False).text.splitlines() if ": line " in one]
    assert len(shown) == min(texts.MOST_SHOWN, sum(map(len, lines.values())))
    of = {tenant: sum(f"  {tenant}: line " in one for one in shown) for tenant in lines}
    for tenant, number in of.items():
        others = [of[other] for other in lines if len(lines[other]) > of[other]]
        assert number <= min(others, default=number) + 1, tenant


def test_the_largest_mail_is_one_that_sns_takes() -> None:
    name = f"{'t' * 60}%04d"
    line = Line("page.variant_gone", NOON, "\N{PILE OF POO}" * texts.MOST_LINE)
    kinds = [Line(kind, NOON, "x") for kind in operator_mail.SAID]
    mail = operator_mail.mail({name % one: [line, *kinds] for one in range(mailer.MOST_TENANTS)}, "prod", more=True)
    assert len(mail.text.encode()) < 256 * 1024


def test_a_line_is_bounded_whatever_a_marketplace_says() -> None:
    long = event("account.broken", broken()["detail"] | {"reason": "x" * 10_000})
    assert len(operator_mail.said("account.broken", long["detail"])) == texts.MOST_LINE
