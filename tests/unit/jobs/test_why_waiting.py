"""Why a job waits: one word, a sentence for a person, and until when."""

from dataclasses import replace
from typing import Any

import pytest

from sluice.jobs.budgets.pace import Slowed
from sluice.jobs.budgets.shares import KEPT_PART
from sluice.jobs.budgets.windows import Usage
from sluice.jobs.dispatch.explain import MISSING, Gate, Position, Reason, Wait, explain, held
from sluice.jobs.model.keys import BACKGROUND, HOT, MANUAL
from sluice.platform.clock import DAY, HOUR, MINUTE, iso
from sluice.platform.config.document import Config
from sluice.platform.config.limits import Limits, by_clock
from sluice.platform.config.pauses import Pause, Pauses

NOON = 1_795_348_800_000
NOW = NOON + MINUTE
BUDGET = "stockx:acme"
CONFIG = Config(limits={"stockx": Limits(by_clock(100, 1_000), by_account=True)})
MIDNIGHT = NOON + DAY // 2


def paused(name: str) -> Config:
    return replace(CONFIG, pauses=Pauses.of([Pause(name)]))


def why(
    state: str = "queued",
    due_at: int = NOW,
    standing: int = BACKGROUND,
    usage: Usage | None = None,
    status: str = "ACTIVE",
    config: Config = CONFIG,
) -> Wait:
    gate = Gate(BUDGET, status, BUDGET, usage or Usage())
    hold = held(gate, "market.refresh", config, NOW)
    return explain(Position(state, due_at, standing), hold, gate, config, NOW)


@pytest.mark.parametrize(
    ("case", "reason", "until"),
    [
        ({}, Reason.READY, NOW),
        ({"state": "succeeded"}, Reason.FINAL, None),
        ({"state": "dead"}, Reason.FINAL, None),
        ({"state": "leased", "due_at": NOW + HOUR}, Reason.RUNNING, NOW + HOUR),
        ({"state": "waiting", "due_at": NOW + MINUTE}, Reason.OPERATION, NOW + MINUTE),
        ({"due_at": NOW + MINUTE}, Reason.NOT_DUE, NOW + MINUTE),
        ({"status": "BROKEN"}, Reason.ACCOUNT, None),
        ({"config": paused("stockx")}, Reason.PAUSED, None),
        ({"config": paused(BUDGET)}, Reason.PAUSED, None),
        ({"config": paused("alias")}, Reason.READY, NOW),
        (
            {"config": paused("market.refresh")},
            Reason.PAUSED,
            None,
        ),
        (
            {"config": paused("market.refresh:stockx")},
            Reason.PAUSED,
            None,
        ),
        (
            {"config": paused("market.refresh:ebay")},
            Reason.READY,
            NOW,
        ),
        ({"usage": Usage(closed_until=NOW + 7, closed_reason="429")}, Reason.CLOSED, NOW + 7),
        ({"usage": Usage(closed_until=NOW, closed_reason="429")}, Reason.READY, NOW),
        ({"usage": Usage(hour=100, day=100)}, Reason.NO_BUDGET, NOON + HOUR),
        ({"usage": Usage(hour=0, day=1_000)}, Reason.NO_BUDGET, MIDNIGHT),
        # What is kept for others: until the window that is scarce begins anew.
        ({"usage": Usage(hour=80, day=80)}, Reason.NO_BUDGET, NOON + HOUR),
        ({"usage": Usage(hour=0, day=800)}, Reason.NO_BUDGET, MIDNIGHT),
        ({"usage": Usage(hour=79, day=79)}, Reason.READY, NOW),
        ({"usage": Usage(hour=80, day=80), "standing": HOT}, Reason.READY, NOW),
        ({"usage": Usage(hour=99, day=99), "standing": MANUAL}, Reason.READY, NOW),
    ],
)
def test_every_reason(case: dict[str, Any], reason: Reason, until: int | None) -> None:
    wait = why(**case)
    assert (wait.reason, wait.until) == (reason, until)
    assert len(wait.message) > 10


LATER = NOW + MINUTE


@pytest.mark.parametrize(
    ("case", "reason", "until"),
    [
        # What holds a job for at least as long as its own time is the reason; what ends before is none.
        ({"usage": Usage(closed_until=LATER, closed_reason="429")}, Reason.CLOSED, LATER),
        ({"usage": Usage(closed_until=LATER - 1, closed_reason="429")}, Reason.NOT_DUE, LATER),
        ({"status": "BROKEN"}, Reason.ACCOUNT, None),
        ({"config": paused("stockx")}, Reason.PAUSED, None),
        ({"usage": Usage(hour=100, day=100)}, Reason.NO_BUDGET, NOON + HOUR),
        ({"usage": Usage(hour=80, day=80)}, Reason.NOT_DUE, LATER),
        # The marketplace works on it, whatever becomes of the account.
        ({"state": "waiting", "status": "BROKEN"}, Reason.OPERATION, LATER),
        ({"state": "leased", "status": "BROKEN"}, Reason.RUNNING, LATER),
        ({"state": "cancelled", "status": "BROKEN"}, Reason.FINAL, None),
    ],
)
def test_what_is_not_due_waits_for_its_time_unless_something_holds_it_for_longer(
    case: dict[str, Any], reason: Reason, until: int | None
) -> None:
    wait = why(due_at=LATER, **case)
    assert (wait.reason, wait.until) == (reason, until)


def test_refusals_are_told_where_there_were_several_in_a_row() -> None:
    for refusals, told in ((0, False), (1, False), (2, True)):
        usage = Usage(closed_until=LATER, closed_reason="429", slowed=Slowed(4_000, refusals))
        assert ("in a row" in why(usage=usage).message) is told


def test_the_last_call_that_is_not_kept_for_others_is_anybodys() -> None:
    config, budget = Config(limits={"ebay": Limits(by_clock(hour=100))}), "ebay:app.3f9c"
    for had, reason in ((74, Reason.READY), (75, Reason.NO_BUDGET)):
        gate = Gate("ebay:acme", "ACTIVE", budget, Usage(hour=had, day=had, had={"acme": had}))
        wait = explain(Position("queued", None, HOT, "acme"), None, gate, config, NOON)
        assert wait.reason is reason
    nobodys = Gate("ebay:acme", "ACTIVE", budget, Usage(hour=75, day=75))
    assert explain(Position("queued", None, HOT), None, nobodys, config, NOON).reason is Reason.READY
    assert wait.until == NOON + 45 * MINUTE, "by then all of the hour is given free"
    assert iso(wait.until) in wait.message


@pytest.mark.parametrize(
    ("ahead", "standing", "told"), [(1_000, HOT, False), (1_001, HOT, True), (1_001, MANUAL, False)]
)
def test_who_waits_for_a_second_is_told_of_nobody(ahead: int, standing: int, told: bool) -> None:
    message = why(usage=Usage(next_at=NOW + ahead), standing=standing).message
    assert ("handed out before" in message) is told


def test_a_pace_that_is_as_configured_is_not_slow() -> None:
    config = Config(limits={"stockx": Limits(interval_ms=1_000, tolerance_ms=0)})
    for pace, told in ((1_000, False), (1_001, True)):
        assert ("slow" in why(usage=Usage(slowed=Slowed(pace, 1)), config=config).message) is told


def test_a_message_says_what_to_do() -> None:
    assert "connect it again" in why(status="BROKEN").message
    assert "acme is BROKEN: connect" in why(status="BROKEN").message
    assert "is not connected: connect it" in why(status=MISSING).message
    assert "429" in why(usage=Usage(closed_until=NOW + 7, closed_reason="429")).message


@pytest.mark.parametrize(("tenant", "reason"), [("acme", Reason.NO_BUDGET), ("zeta", Reason.READY), ("", Reason.READY)])
def test_who_has_had_its_part_of_an_applications_hour_waits_for_what_is_kept_for_others(
    tenant: str, reason: Reason
) -> None:
    """zeta has had nothing yet. At the beginning of the hour a part of it is kept for who comes later."""
    budget = "ebay:app.3f9c"
    config = Config(limits={"ebay": Limits(by_clock(hour=100))})
    kept = 100 // KEPT_PART
    # acme has had all that is not kept; that it was another's call that filled the rest, zeta's share does not mind.
    usage = Usage(hour=100 - kept, day=100 - kept, had={"acme": 100 - kept})
    gate = Gate(f"ebay:{tenant}", "ACTIVE", budget, usage)
    wait = explain(Position("queued", NOON, MANUAL, tenant), None, gate, config, NOON)
    assert wait.reason is reason
    assert ("kept for others" in wait.message) is (reason is Reason.NO_BUDGET)


def test_on_a_budget_of_its_own_nothing_is_kept_from_a_tenant() -> None:
    gate = Gate(BUDGET, "ACTIVE", BUDGET, Usage(hour=99, day=99, had={"acme": 99}))
    assert explain(Position("queued", NOW, MANUAL, "acme"), None, gate, CONFIG, NOW).reason is Reason.READY


def test_an_account_that_is_broken_for_a_part_of_its_calls_says_for_which() -> None:
    marketing = Gate("ebay:acme", "BROKEN", "ebay-marketing:app.3f9c", Usage())
    hold = held(marketing, "promote", CONFIG, NOW)
    assert hold
    assert "account ebay:acme is BROKEN for ebay-marketing: connect it again" in hold.message


def test_a_job_that_is_slow_because_calls_were_refused_says_so_and_no_other() -> None:
    assert "slow" not in why().message
    assert "one in 4.0 s" in why(usage=Usage(slowed=Slowed(pace=4_000, refusals=1))).message


def test_a_job_that_others_are_before_says_until_when_and_manual_work_does_not_wait_for_them() -> None:
    """Also where those who had that work were killed: their calls stay spoken for until then."""
    usage = Usage(admitted_until=NOW + 40_000)
    assert f"has the calls on {BUDGET} until {iso(NOW + 40_000)}" in why(usage=usage).message
    assert "until" not in why(usage=usage, standing=MANUAL).message
    assert "until" not in why(usage=Usage(admitted_until=NOW)).message
