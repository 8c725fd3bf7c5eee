"""The operator's rules for any history: counters agree with the jobs, quantiles hold, forecasts keep every limit."""

import json
import re
from collections import Counter
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sluice.jobs.budgets.pace import Slowed
from sluice.jobs.budgets.windows import Usage, Window
from sluice.jobs.model.states import ALL, FINAL, LEASED, QUEUED, TRANSITIONS
from sluice.operator import forecast, measures, metrics, standing
from sluice.operator.standing import Numbers, QueueHealth
from sluice.platform.clock import DAY, HOUR, SECOND
from sluice.platform.config.limits import Limits, by_clock

NOON = 1_795_348_800_000  # 2026-11-22 12:00 UTC
MOVES = sorted((source, name, move.target) for name, move in TRANSITIONS.items() for source in move.sources)


def image(state: str, at: int, **more: Any) -> dict[str, Any]:
    job = {"tenant": "acme", "kind": "market.refresh", "account": "stockx:acme", "state": state} | more
    found = {name: {"S": value} for name, value in job.items() if isinstance(value, str)}
    numbers = {"updated_at": at, "created_at": NOON, "due_at": NOON, "priority": 100, "attempts": 1}
    numbers |= {name: value for name, value in job.items() if isinstance(value, int)}
    return found | {name: {"N": str(value)} for name, value in numbers.items()}


@st.composite
def histories(draw: st.DrawFn) -> list[list[dict[str, Any] | None]]:
    """What became of some jobs: each an item of table `jobs` after each of its changes, and perhaps forgotten."""
    found = []
    for number in range(draw(st.integers(1, 6))):
        tenant, account = draw(st.sampled_from([("acme", "stockx:acme"), ("bolt", "ebay:bolt")]))
        state, at = QUEUED, NOON + number
        images: list[dict[str, Any] | None] = [None, image(state, at, tenant=tenant, account=account)]
        for _ in range(draw(st.integers(0, 8))):
            _, name, state = draw(st.sampled_from([move for move in MOVES if move[0] == state]))
            at += draw(st.integers(0, 3 * HOUR))
            error = json.dumps({"code": "unavailable", "message": "no", "at": at}) if name in ("retry", "bury") else ""
            more = {"error": error} if error else {}
            images.append(image(state, at, tenant=tenant, account=account, **more))
        found.append([*images, *([None] if draw(st.booleans()) else [])])
    return found


@given(histories())
def test_the_counters_of_now_are_what_counting_the_jobs_finds(found: list[list[dict[str, Any] | None]]) -> None:
    steps = [step for images in found for old, new in pairwise(images) for step in measures.steps(old, new)]
    sums = Counter[tuple[str, str]]()
    for step in steps:
        if step.hour is None:
            sums[step.tenant, step.name] += step.by
    expected = Counter[tuple[str, str]]()
    for images in found:
        if last := images[-1]:
            place = f"market.refresh:{last['account']['S'].split(':')[0]}:{last['state']['S']}"
            expected[last["tenant"]["S"], f"n:{place}"] += 1
            if "error" in last:
                expected[last["tenant"]["S"], f"x:{place}:unavailable"] += 1
    assert {key: number for key, number in sums.items() if number} == dict(expected)


@given(histories())
def test_no_hour_counts_less_than_nothing(found: list[list[dict[str, Any] | None]]) -> None:
    for images in found:
        for old, new in pairwise(images):
            of_hour = [step for step in measures.steps(old, new) if step.hour is not None]
            assert all(step.by > 0 or step.name.startswith("c:") for step in of_hour)
            assert not of_hour or sum(step.name.startswith("c:") for step in of_hour) == 1


@given(histories())
def test_how_many_are_not_over_follows_backwards_from_what_was_asked_and_what_ended(
    found: list[list[dict[str, Any] | None]],
) -> None:
    """Each change in an hour of its own: at the end of each, so many are not over as the items say."""
    moves = [(old, new) for images in found for old, new in pairwise(images) if new is not None]
    moves = [(old, new | {"updated_at": {"N": str(NOON + hour * HOUR)}}) for hour, (old, new) in enumerate(moves)]
    for queue in ("market.refresh:stockx", "market.refresh:ebay"):
        by_hour = list[Counter[str]]()
        open_, expected = 0, list[int | None]()
        for old, new in moves:
            steps = measures.steps(old, new)
            by_hour.append(Counter[str]())
            for step in steps:
                if step.hour is not None:
                    by_hour[-1][step.name] += step.by
                elif step.name.startswith(f"n:{queue}:") and step.name.rpartition(":")[2] not in FINAL:
                    open_ += step.by
            expected.append(open_)
        assert measures.pending(queue, open_, by_hour) == expected


def test_hours_that_an_older_version_has_counted_say_nothing_of_how_many_were_not_over() -> None:
    queue = "market.refresh:stockx"
    older, newer = {f"e:{queue}:succeeded": 3}, {f"e:{queue}:succeeded": 3, f"c:{queue}": 1}
    assert measures.pending(queue, 2, [{}, older, {}, newer, {}]) == [None, 4, 4, 2, 2]


@given(st.dictionaries(st.text(max_size=5), st.dictionaries(st.sampled_from(["S", "N", "M"]), st.text(max_size=5))))
def test_what_is_no_job_counts_as_nothing(odd: dict[str, Any]) -> None:
    assert measures.steps(None, odd) == []
    assert measures.steps(odd, image(LEASED, NOON)) == measures.steps(None, image(LEASED, NOON))


@given(st.lists(st.integers(-SECOND, 3 * DAY), min_size=1, max_size=50), st.integers(1, 100))
def test_a_quantile_is_the_least_bound_that_enough_kept(times: list[int], percent: int) -> None:
    found = measures.quantile(Counter(map(measures.bucket, times)), percent)
    assert found is not None
    kept = sum(time <= found for time in times) if found < DAY else len(times)
    assert 100 * kept >= percent * len(times)
    if (place := measures.BOUNDS.index(found)) > 0:
        assert 100 * sum(time <= measures.BOUNDS[place - 1] for time in times) < percent * len(times)


def test_nothing_has_no_quantile() -> None:
    assert measures.quantile({}, 50) is None


LIMITS = st.builds(
    Limits,
    st.builds(by_clock, st.sampled_from([0, 3, 40]), st.sampled_from([0, 5, 500])),
    interval_ms=st.sampled_from([0, 1_000, 600_000]),
    by_account=st.just(value=True),
)
USED = st.builds(
    Usage,
    hour=st.integers(0, 50),
    day=st.integers(0, 600),
    closed_until=st.sampled_from([0, NOON + 90_000, NOON + 2 * HOUR]),
    slowed=st.sampled_from([Slowed(), Slowed(900_000, 2)]),
)


def one_by_one(calls: int, limits: Limits, usage: Usage, now: int) -> int:
    """When the last of the calls starts, each looked at by itself."""
    at, last = max(now, usage.closed_until), now
    first, used = Window.of("stockx:acme", now), Counter[str]()
    used[str(first.hour_start)], used[first.day] = usage.hour, usage.day
    pace = usage.slowed.of(limits.pace)
    for _ in range(calls):
        while True:
            window = Window.of("stockx:acme", at)
            if limits.per_day and used[window.day] >= limits.per_day:
                at = window.day_end
            elif limits.per_hour and used[str(window.hour_start)] >= limits.per_hour:
                at = window.end
            else:
                break
        used[window.day] += 1
        used[str(window.hour_start)] += 1
        last, at = at, at + pace
    return last


@given(st.integers(1, 60), LIMITS, USED, st.integers(0, HOUR))
def test_a_forecast_is_what_the_limits_allow(calls: int, limits: Limits, usage: Usage, later: int) -> None:
    now = NOON + later
    found, exact = forecast.ends_at(calls, limits, usage, "stockx:acme", now), one_by_one(calls, limits, usage, now)
    assert found == (exact if exact - now <= forecast.MOST_AHEAD_MS else found)
    assert found is not None or exact - now > forecast.MOST_AHEAD_MS - HOUR


@given(st.integers(0, 200), LIMITS, USED)
def test_more_work_never_ends_earlier(calls: int, limits: Limits, usage: Usage) -> None:
    fewer, more = (forecast.ends_at(number, limits, usage, "stockx:acme", NOON) for number in (calls, calls + 1))
    assert more is None or (fewer is not None and NOON <= fewer <= more)


NUMBERS = st.builds(
    Numbers,
    *[st.integers(0, 20) for _ in range(5)],
    oldest_due_ms=st.integers(0, HOUR),
    delay_p95=st.none() | st.integers(0, HOUR),
    paused=st.booleans(),
    at_limit=st.booleans(),
)


@given(NUMBERS)
def test_a_queue_has_the_first_word_that_fits(numbers: Numbers) -> None:
    word = standing.health(numbers)
    assert (word is QueueHealth.PAUSED) == numbers.paused
    if word is QueueHealth.IDLE:
        assert numbers.queued + numbers.leased + numbers.waiting == 0
    if word in (QueueHealth.AT_ITS_LIMIT, QueueHealth.BACKLOGGED):
        assert numbers.queued
    if word is QueueHealth.FAILING:
        assert numbers.failed >= 5
        assert numbers.failed >= numbers.completed


def test_every_state_is_counted() -> None:
    for state in ALL:
        assert measures.steps(None, image(state, NOON))[0].name == f"n:market.refresh:stockx:{state}"


LABEL = st.text(st.characters(codec="utf-8"), max_size=20)


@given(st.dictionaries(st.sampled_from(["kind", "state"]), LABEL, max_size=2), st.integers(0, 10**6))
def test_a_label_comes_back_as_it_was_whatever_it_holds(labels: dict[str, str], value: int) -> None:
    line = metrics.text([metrics.Sample("sluice_jobs", labels, value)]).split("gauge\n")[1][:-1]
    found = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', line, re.DOTALL))
    back = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}
    assert {name: re.sub(r"\\.", lambda one: back[one[0]], text) for name, text in found.items()} == labels
    assert "\n" not in line
