"""1,200 jobs under a window of 200 calls in any ten seconds, four workers, answers in 100 ms: `tests.simulation`.

Once undisturbed, once with two workers killed, and twice with a storm: for five seconds the marketplace refuses all
calls, and says until when, or does not.
"""

import statistics
from collections.abc import Sequence
from dataclasses import replace

from bench.one import isolated
from bench.row import Row
from sluice.jobs.model import keys
from sluice.platform.clock import SECOND
from tests.simulation.bursts import ANSWER_MS, Case, Seen, least, play

KILLS = (10 * SECOND + 400, 30 * SECOND)
STORM = (20 * SECOND, 25 * SECOND)
MOST_RATIO = 1.05
MOST_MEDIAN_S, MOST_P95_S = 1.5, 3


def run() -> list[Row]:
    case = Case()
    rows = _rows(case, isolated(play, case), "all live")
    killed = replace(case, kills=KILLS)
    rows += _killed(killed, isolated(play, killed))
    for named, how in ((True, "which it says"), (False, "without a word")):
        stormy = replace(case, storm=STORM, named=named)
        rows += _storm(stormy, isolated(play, stormy), how)
    return rows


def _conditions(case: Case, how: str) -> str:
    jobs = f"{case.many:,} jobs of three priorities, {case.window.calls} calls in any {case.window.seconds} s"
    return f"{jobs}, {case.crew.work + case.crew.manual} workers ({how}), answers in {ANSWER_MS} ms, virtual clock"


def _rows(case: Case, seen: Seen, how: str) -> list[Row]:
    conditions, ratio = _conditions(case, how), seen.took() / least(case)
    manual = seen.waits(keys.MANUAL)
    return [
        Row(
            "bursts: time over the window's minimum",
            f"{conditions}; {seen.took() / SECOND:.1f} s, {least(case) / SECOND:.1f} s at least",
            ratio,
            most=MOST_RATIO,
        ),
        Row("bursts: calls refused with 429", conditions, len(seen.refused), "calls", most=0),
        *_waits(f"{conditions}; {len(manual)} asked last", manual),
    ]


def _waits(conditions: str, waits: Sequence[int]) -> list[Row]:
    name = "bursts: a manual job, from its own request"
    return [
        Row(f"{name}, median", conditions, statistics.median(waits) / SECOND, "s", most=MOST_MEDIAN_S),
        Row(f"{name}, p95", conditions, waits[len(waits) * 95 // 100] / SECOND, "s", most=MOST_P95_S),
    ]


def _killed(case: Case, seen: Seen) -> list[Row]:
    how = f"{len(case.kills)} are killed at {' and '.join(f'{at / SECOND:g}' for at in case.kills)} s"
    rows, back = _rows(case, seen, how), seen.returned()
    conditions = f"{_conditions(case, how)}; {len(back)} jobs lost their worker, and all came back"
    return [
        *rows,
        Row("bursts: what lost its worker is done after, first", conditions, back[0] / SECOND, "s"),
        Row("bursts: what lost its worker is done after, last", conditions, back[-1] / SECOND, "s"),
    ]


def _storm(case: Case, seen: Seen, how: str) -> list[Row]:
    begin, end = (at / SECOND for at in case.storm)
    conditions = f"{_conditions(case, 'all live')}; all refused from {begin:g} to {end:g} s, {how}"
    return [
        Row("bursts: calls refused with 429 in a storm", conditions, len(seen.refused), "calls"),
        Row("bursts: time over the window's minimum with a storm", conditions, seen.took() / least(case)),
    ]
