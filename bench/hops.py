"""Where the time of one manual price goes, hop by hop: its way through the functions, as a probed cloud recorded it.

```
 asked ─ gateway ─ request ─ written ─ nudge ─ run asked for ─ called ─ scheduler ─ tick begins ─ tick ─ claimed
       ─ send ─ sent ─ queue ─ taken ─ start ─ batch begun ─ work ─ price stored ─ finish ─ ended
```
For how long its work was stalled: see `record`. In `called`, only from when somebody has called the scheduler: who
relies on another's call waits for that on AWS too.
"""

from collections.abc import Sequence

from bench.record import MS, Call, Hop, Record, Run, Way, first, last, most_at_once, of_the_cloud

HOPS = ("gateway", "request", "nudge", "called", "scheduler", "tick", "send", "queue", "start", "work", "finish")
# What the local cloud does by itself.
OF_THE_CLOUD = ("gateway", "called", "queue")


def way(record: Record, job: str, asked: int, ended: int) -> Way | None:
    """The hops of a price that was asked for and had ended at these times, epoch ms. None where its way was another:

    somebody else's request was on the way, or it was tried more than once.
    """
    began, until = asked * MS, (ended + 1) * MS
    written = first(record.about["enqueue", job], began)
    scheduled = [call for call in record.about["scheduler", job] if began < call.began < until]
    sent = [call for call in scheduled if call.what == "SendMessage"]
    if written is None or len(sent) != 1 or sent[0].began < written.ended:
        return None
    asking = record.run_of(written)
    claimed = last(scheduled, sent[0].began, sent[0].process)
    taken = next((run for run in record.taken["worker", job] if run.began > sent[0].sent), None)
    if asking is None or claimed is None or taken is None:
        return None
    nudged = first([one for one in record.calls[written.process] if one.what == "Invoke"], written.ended, asking.ended)
    asked_for = nudged or written
    looked = _tick(record.calls[claimed.process], claimed)
    started = first(record.calls[taken.process], taken.began)
    finished = last(record.about["worker", job], taken.ended, taken.process)
    scheduling = record.run_of(claimed)
    if looked is None or started is None or finished is None or scheduling is None:
        return None
    # The run may be on an earlier tick, or on this one, when it is asked for.
    called = max(asked_for.ended, scheduling.began)
    work = [one for one in record.calls[taken.process] if started.ended < one.ended <= finished.began]
    worked = work[-1] if work else started
    return {
        "gateway": of_the_cloud(began, asking.began),
        "request": record.hop(asking.began, written),
        "nudge": record.hop(written.ended, nudged) if nudged else Hop(0),
        "called": Hop(
            (called - asked_for.ended) / MS, stalled=_on_its_way(record, scheduling, asked_for.ended, called)
        ),
        "scheduler": record.hop(called, looked, whole=False),
        "tick": record.hop(max(looked.began, called), claimed),
        "send": record.hop(claimed.ended, sent[0]),
        "queue": record.waiting(sent[0].ended, taken, most_at_once("ManualWorkers"), sent[0].delay),
        "start": record.hop(taken.began, started),
        "work": record.hop(started.ended, worked) if work else Hop(0),
        "finish": record.hop(worked.ended, finished),
    }


def _on_its_way(record: Record, scheduling: Run, since: int, until: int) -> float:
    """For how long of this time the run had been called and had not begun, ms; nothing of one that nobody called."""
    call = next((one for one in reversed(record.nudges) if one.sent <= scheduling.began), None)
    return max(0, until - max(since, call.sent)) / MS if call and scheduling.nudged else 0


def _tick(calls: Sequence[Call], claimed: Call) -> Call | None:
    """The call with which the tick of this claim begins: it reads the list of lanes."""
    before = [one for one in calls if one.ended <= claimed.began and one.what == "Scan"]
    return next((one for one in reversed(before) if one.on.endswith("-lanes")), None)
