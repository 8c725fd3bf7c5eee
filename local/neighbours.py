"""Three tenants on one deployment, one of them hostile for the whole run: what the other two ask for, and what arrives.

```
 acme, globex   each two seconds: a price, a listing, an ad ─► jobs ─► webhooks to a receiver of each
 mallory        all the time, within its allowances, in a process of its own: see `local.hostile`
 the schedule   as deployed, and faster where all would only wait for it: the operation poller each second, the
                promotion worker each 20 s for ads whose second is 25 s after they were asked for
```
The scheduler comes once a minute, as deployed, and when it is nudged. The same with and without the third says what it
costs the others; `bench.neighbours` measures that, a test counts.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any

import httpx

from local.cloud.cloud import ROOT
from local.laptop import ApiError, Laptop
from local.receiver import Receiver
from local.sandbox.faults import Throttle
from local.sandbox.limits import Limits

GOOD = ("acme", "globex")
HOSTILE = "mallory"
ROUNDS = 12
ROUND_SECONDS = 2.0
# Each good tenant has products of its own for so many.
MOST_ROUNDS = 500
POLL_SECONDS = 1.0
# A run of the promotion worker lasts up to a minute, and four may go on at once: one of them is its own schedule's.
PROMOTE_SECONDS = 20.0
AD_MS = 25_000
PATIENCE_SECONDS = 600.0  # only what never comes takes as long
VARIANT = "729dc9e9-c6d9-5706-9f57-000000010005"
EVENTS = ["job.succeeded", "job.dead", "job.cancelled"]
HOOK = "/v1/webhooks"
# What the hostile one's process says when it has done each deed once.
ALL = "all"
# Of each good tenant.
WEBHOOK = "main"
# An operator gives a small tenant small allowances. They are what its flood ends at.
CONFIGURATION = {
    "limits": {
        "stockx": {
            "interval_ms": 50,
            "margin_ms": 0,
            "windows": [{"calls": 100_000, "per": "hour"}, {"calls": 100_000, "per": "day"}],
        }
    },
    "engine": {"timetables": {"promotion.create": [AD_MS] * 5}},
    "tenants": {
        "overrides": {HOSTILE: {"requests_per_minute": 240, "items_per_hour": 3_000, "unfinished_jobs": 1_000}}
    },
}
PRODUCTS = len(GOOD) * MOST_ROUNDS


@dataclass(frozen=True)
class Ask:
    """One thing that a good tenant has asked for: `price`, `listing` or `ad`. at: epoch ms."""

    tenant: str
    what: str
    job_id: str
    at: int


@dataclass(frozen=True)
class Event:
    """An event that came: its id and type, when the job had ended, and when it was there, epoch ms."""

    id: str
    type: str
    ended_at: int
    at: int


@dataclass
class Run:
    """What was seen of the good tenants.

    asks: what they asked for.
    events: the first event that each was sent of each job.
    refused: answers that no good tenant should get.
    deeds: what the hostile one did, and how it was answered.
    """

    asks: list[Ask] = field(default_factory=list)
    events: dict[str, dict[str, Event]] = field(default_factory=lambda: {tenant: {} for tenant in GOOD})
    refused: list[str] = field(default_factory=list)
    deeds: Counter[str] = field(default_factory=Counter)

    def waits(self, what: str) -> list[int]:
        """How long each of these took, ms, the shortest first.

        Of `event`: from the end of a job to its receiver. Of `ad`: from the second at which it is to be placed.
        """
        of = [(one, self.events[one.tenant][one.job_id]) for one in self.asks if what in (one.what, "event")]
        since = {"ad": AD_MS}.get(what, 0)
        return sorted(
            event.at - event.ended_at if what == "event" else event.ended_at - one.at - since for one, event in of
        )

    def missing(self) -> list[Ask]:
        """What was asked for and has not arrived."""
        return [one for one in self.asks if one.job_id not in self.events[one.tenant]]


def play(
    laptop: Laptop,
    *,
    hostile: bool,
    rounds: range = range(ROUNDS),
    round_seconds: float = ROUND_SECONDS,
    niceness: int = 0,
) -> Run:
    """Let the good tenants live, beside the hostile one or alone, until all that they asked for has arrived.

    rounds: their numbers; what is asked for in each is asked for in no other.
    niceness: by how much the hostile one's process gives way to others, 19 at the most. On a machine that is always
        busy one that gives way gets nowhere.
    """
    run, over = Run(), threading.Event()
    with ExitStack() as stack:
        receivers = {tenant: stack.enter_context(Receiver()) for tenant in GOOD}
        _connect(laptop, receivers)
        enemy = Hostile(laptop, run, rounds, niceness) if hostile else None
        if enemy:
            stack.enter_context(enemy.at_work())
        with ThreadPoolExecutor(len(GOOD) + 2) as pool:
            schedules = [pool.submit(one, laptop, over) for one in (_poll, _promote)]
            try:
                for living in [pool.submit(_live, laptop, tenant, run, rounds, round_seconds) for tenant in GOOD]:
                    living.result()
                _await(run, receivers)
                if enemy:
                    enemy.has_done_all.wait(PATIENCE_SECONDS)
            finally:
                over.set()
            for schedule in schedules:
                schedule.result()
    return run


def warm_up(laptop: Laptop, *, hostile: bool) -> None:
    """One round that nobody measures, and each deed once: the first call of each function starts its process, which
    takes a core for a second, and on AWS no other function's.
    """
    play(laptop, hostile=hostile, rounds=range(MOST_ROUNDS - 1, MOST_ROUNDS))


def _connect(laptop: Laptop, receivers: Mapping[str, Receiver]) -> None:
    for marketplace in ("stockx", "ebay", "alias"):
        laptop.sandbox.set_limits(Limits(), marketplace)
    for tenant, receiver in receivers.items():
        laptop.connect(tenant, "stockx", "ebay")
        laptop.api(tenant).put(f"{HOOK}/{WEBHOOK}", {"url": receiver.url, "eventTypes": EVENTS})


def _live(laptop: Laptop, tenant: str, run: Run, rounds: range, round_seconds: float) -> None:
    """What a seller does: three wishes each round."""
    api, first = laptop.api(tenant), GOOD.index(tenant) * MOST_ROUNDS
    for number in rounds:
        began = time.monotonic()
        listing_id = str(110_551_000_000 + first + number)
        laptop.sandbox.publish(tenant, listing_id, known_after_s=0)
        price = {"sku": style(first + number), "size": "9", "sizeSystem": "us", "priority": "manual"}
        offer = {"variantId": VARIANT, "amount": str(150 + number), "currency": "USD"}
        wishes: list[tuple[str, str, Any]] = [
            ("price", "/v1/market/refresh", {"items": [price]}),
            ("listing", "/v1/stockx/listings", offer),
            ("ad", "/v1/promotions", {"listingId": listing_id, "adRate": 5.5}),
        ]
        for what, path, body in wishes:
            at = _now()
            try:
                answer = api.post(path, body)
            except (ApiError, httpx.HTTPError) as refused:
                run.refused.append(f"{tenant} {path}: {refused}")
                continue
            job_id = answer["items"][0]["jobId"] if what == "price" else answer["jobId"]
            run.asks.append(Ask(tenant, what, job_id, at))
        time.sleep(max(0.0, round_seconds - (time.monotonic() - began)))


def style(number: int) -> str:
    """The style of a synthetic product of the sandbox."""
    return f"SLUICE-{number + 1:05d}"


def _await(run: Run, receivers: Mapping[str, Receiver]) -> None:
    """Until the end of each job has reached the receiver of who asked for it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        for tenant, receiver in receivers.items():
            for one in list(receiver.received):
                told = json.loads(one.body)
                event = Event(one.headers["webhook-id"], told["type"], _epoch_ms(told["timestamp"]), one.at)
                run.events[tenant].setdefault(told["data"]["jobId"], event)
        if not run.missing():
            return
        time.sleep(0.2)


def _poll(laptop: Laptop, over: threading.Event) -> None:
    while not over.wait(POLL_SECONDS):
        laptop.cloud.invoke(laptop.stack.function("operation-poller"), {})


def _promote(laptop: Laptop, over: threading.Event) -> None:
    """As a schedule does: it waits for no run's end."""
    worker = laptop.stack.function("promotion-worker")
    while True:
        laptop.cloud.client("lambda").invoke(FunctionName=worker, InvocationType="Event", Payload=b"{}")
        if over.wait(PROMOTE_SECONDS):
            return


class Hostile:
    """The hostile tenant, at work in a process of its own (`local.hostile`): on AWS it has machines of its own, and
    here it must not take from those who measure the one thread that Python runs at a time.

    What it does costs the deployment what it costs. has_done_all: each deed at least once.
    """

    def __init__(self, laptop: Laptop, run: Run, rounds: range, niceness: int) -> None:
        self._laptop, self._run, self._niceness = laptop, run, niceness
        self._styles = [style(GOOD.index(tenant) * MOST_ROUNDS + number) for tenant in GOOD for number in rounds]
        self.has_done_all = threading.Event()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """From here to the end of the block."""
        self._laptop.connect(HOSTILE, "stockx", "ebay")
        self._laptop.sandbox.faults.set(Throttle(account=HOSTILE, path="*", chance=0.7))
        about = {
            "url": self._laptop.stack.api_url,
            "token": self._laptop.token(HOSTILE),
            "styles": self._styles,
            "niceness": self._niceness,
        }
        command, pipe = [sys.executable, "-m", "local.hostile"], subprocess.PIPE
        found = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "shared")])}
        with subprocess.Popen(
            command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT, env=found, start_new_session=True
        ) as process:
            watching = threading.Thread(target=self._watch, args=(process, about), daemon=True)
            watching.start()
            try:
                yield
            finally:
                process.terminate()
                watching.join()
                with suppress(OSError):  # what it was still to be told
                    process.communicate()
                self._laptop.sandbox.faults.clear()

    def _watch(self, process: "subprocess.Popen[str]", about: Mapping[str, Any]) -> None:
        """Count its deeds as it tells of them, and tell it after each which jobs others have asked for last."""
        assert process.stdin
        assert process.stdout
        with suppress(OSError):  # it has ended
            _tell(process.stdin, about)
            for line in process.stdout:
                if line.strip() == ALL:
                    self.has_done_all.set()
                    continue
                self._run.deeds[line.strip()] += 1
                _tell(process.stdin, [one.job_id for one in self._run.asks[-5:]])
        self.has_done_all.set()  # nobody waits for what has ended


def _tell(pipe: IO[str], what: object) -> None:
    pipe.write(f"{json.dumps(what)}\n")
    pipe.flush()


def _now() -> int:
    return time.time_ns() // 1_000_000


def _epoch_ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1_000)
