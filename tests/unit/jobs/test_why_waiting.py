"""Why a job waits: one word, a sentence for a person, and until when."""

from dataclasses import replace

import pytest

from sluice.jobs.budgets.windows import Usage
from sluice.jobs.dispatch.explain import Gate, Position, Reason, Wait, explain, held
from sluice.jobs.model.keys import BACKGROUND, HOT, MANUAL
from sluice.platform.clock import DAY, HOUR, MINUTE
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
    ("wait", "reason", "until"),
    [
        (why(), Reason.READY, NOW),
        (why("succeeded"), Reason.FINAL, None),
        (why("dead"), Reason.FINAL, None),
        (why("leased", NOW + HOUR), Reason.RUNNING, NOW + HOUR),
        (why("waiting", NOW + MINUTE), Reason.OPERATION, NOW + MINUTE),
        (why(due_at=NOW + MINUTE), Reason.NOT_DUE, NOW + MINUTE),
        (why(status="BROKEN"), Reason.ACCOUNT, None),
        (why(config=paused("stockx")), Reason.PAUSED, None),
        (why(config=paused(BUDGET)), Reason.PAUSED, None),
        (why(config=paused("alias")), Reason.READY, NOW),
        (
            why(config=paused("market.refresh")),
            Reason.PAUSED,
            None,
        ),
        (
            why(config=paused("market.refresh:stockx")),
            Reason.PAUSED,
            None,
        ),
        (
            why(config=paused("market.refresh:ebay")),
            Reason.READY,
            NOW,
        ),
        (why(usage=Usage(closed_until=NOW + 7, closed_reason="429")), Reason.CLOSED, NOW + 7),
        (why(usage=Usage(closed_until=NOW, closed_reason="429")), Reason.READY, NOW),
        (why(usage=Usage(hour=100, day=100)), Reason.NO_BUDGET, NOON + HOUR),
        (why(usage=Usage(hour=0, day=1_000)), Reason.NO_BUDGET, MIDNIGHT),
        # What is kept for others: until the window that is scarce begins anew.
        (why(usage=Usage(hour=80, day=80)), Reason.NO_BUDGET, NOON + HOUR),
        (why(usage=Usage(hour=0, day=800)), Reason.NO_BUDGET, MIDNIGHT),
        (why(usage=Usage(hour=79, day=79)), Reason.READY, NOW),
        (why(usage=Usage(hour=80, day=80), standing=HOT), Reason.READY, NOW),
        (why(usage=Usage(hour=99, day=99), standing=MANUAL), Reason.READY, NOW),
    ],
)
def test_every_reason(wait: Wait, reason: Reason, until: int | None) -> None:
    assert (wait.reason, wait.until) == (reason, until)
    assert len(wait.message) > 10


def test_a_message_says_what_to_do() -> None:
    assert "connect it again" in why(status="BROKEN").message
    assert "429" in why(usage=Usage(closed_until=NOW + 7, closed_reason="429")).message
