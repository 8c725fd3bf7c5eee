"""What an operator's monitoring reads: numbers with names that stay. Pure.

Every value holds at the time of the answer; what is told of tries and delays is of this hour and the one before.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sluice.operator.measures import quantile
from sluice.operator.queues import Queue
from sluice.platform.clock import SECOND

# The names, in the order in which they are told, and what each means.
NAMES: Final[Mapping[str, str]] = {
    "sluice_jobs": "Jobs by state",
    "sluice_queue_health": "1 for the word that fits: idle, active, backlogged, at_its_limit, paused, failing",
    "sluice_queue_oldest_due_seconds": "For how long the longest due job that stands first in a lane has waited",
    "sluice_queue_delay_seconds": "How long jobs waited after they were due, as the bound of a bucket",
    "sluice_queue_tries": "Tries by what came of them",
    "sluice_scheduler_age_seconds": "Since when the scheduler has not run",
    "sluice_held_budgets": "Budgets that the scheduler passed over, by reason",
}


class Sample(NamedTuple):
    """One value."""

    name: str
    labels: Mapping[str, str]
    value: float


def samples(queues: Iterable[Queue], snapshot: Mapping[str, Any] | None, now: int) -> list[Sample]:
    """All values, by name. snapshot: what the scheduler's last run has left; None where it is not told."""
    found = [sample for queue in queues for sample in _of_queue(queue, now)]
    if snapshot is not None:
        found.append(Sample("sluice_scheduler_age_seconds", {}, max(0, now - snapshot["at"]) // SECOND))
        for name, number in sorted(snapshot.get("held_by", {}).items()):
            service, _, reason = name.partition(":")
            found.append(Sample("sluice_held_budgets", {"service": service, "reason": reason}, number))
    order = list(NAMES)
    return sorted(found, key=lambda sample: order.index(sample.name))


def text(found: Sequence[Sample]) -> str:
    """The text that Prometheus reads (exposition format 0.0.4)."""
    lines, last = list[str](), ""
    for sample in found:
        if sample.name != last:
            last = sample.name
            lines += [f"# HELP {last} {NAMES[last]}", f"# TYPE {last} gauge"]
        labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in sample.labels.items())
        lines.append(f"{sample.name}{{{labels}}} {sample.value:g}" if labels else f"{sample.name} {sample.value:g}")
    return "\n".join([*lines, ""])


def _of_queue(queue: Queue, now: int) -> list[Sample]:
    own = {"kind": queue.kind, "marketplace": queue.marketplace}
    found = [Sample("sluice_jobs", own | {"state": state}, number) for state, number in queue.states.items()]
    found.append(Sample("sluice_queue_health", own | {"health": str(queue.health)}, 1))
    if queue.oldest_due_at:
        age = max(0, now - queue.oldest_due_at) // SECOND
        found.append(Sample("sluice_queue_oldest_due_seconds", own, age))
    for percent, name in ((50, "0.5"), (95, "0.95")):
        if (bound := quantile(queue.delay, percent)) is not None:
            found.append(Sample("sluice_queue_delay_seconds", own | {"quantile": name}, bound / SECOND))
    tries = {"completed": queue.completed, "failed": queue.failed, "postponed": queue.postponed}
    return [*found, *(Sample("sluice_queue_tries", own | {"outcome": word}, n) for word, n in tries.items())]


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
