"""Three tenants on one deployment, one of them hostile for the whole run: what the other two ask for, and what arrives.

```
 acme, globex   each two seconds: a price, a listing, an ad ─► jobs ─► webhooks to a receiver of each
 mallory        all the time, within its allowances: see `Hostile`
 the schedule   as deployed, and faster where all would only wait for it: the operation poller each second, the
                promotion worker each 20 s for ads whose second is 25 s after they were asked for
```
The scheduler comes once a minute, as deployed, and when it is nudged. The same with and without the third says what it
costs the others; `bench.neighbours` measures that, a test counts.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx

from local.laptop import Api, ApiError, Laptop
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
# Between two of the hostile one's deeds: everything here shares this machine's cores, as nothing does in AWS.
PAUSE_SECONDS = 1.0
PATIENCE_SECONDS = 600.0  # only what never comes takes as long
VARIANT = "729dc9e9-c6d9-5706-9f57-000000010005"
EVENTS = ["job.succeeded", "job.dead", "job.cancelled"]
HOOK = "/v1/webhooks"
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


def play(laptop: Laptop, *, hostile: bool, rounds: range = range(ROUNDS), round_seconds: float = ROUND_SECONDS) -> Run:
    """Let the good tenants live, beside the hostile one or alone, until all that they asked for has arrived.

    rounds: their numbers; what is asked for in each is asked for in no other.
    """
    run, over = Run(), threading.Event()
    with ExitStack() as stack:
        receivers = {tenant: stack.enter_context(Receiver()) for tenant in GOOD}
        _connect(laptop, receivers)
        enemy = Hostile(laptop, run, rounds) if hostile else None
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


def warm_up(laptop: Laptop) -> None:
    """One round that nobody measures: the first call of each function starts its process."""
    play(laptop, hostile=False, rounds=range(MOST_ROUNDS - 1, MOST_ROUNDS))


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
    """Does all that it can, again and again: each deed by itself is a request that the API takes or refuses.

    Made-up accounts · the prices that others wait for, as manual, and 100 that nobody has · ten endpoints that never
    answer · 429 to each call of its own applications · pages without an end · imports of 4 MB · all its events again ·
    others' jobs and listings taken back · long lists. has_done_all: each at least once.
    """

    def __init__(self, laptop: Laptop, run: Run, rounds: range) -> None:
        self._laptop, self._run, self._rounds = laptop, run, rounds
        self._api: Api = laptop.api(HOSTILE)
        self.has_done_all = threading.Event()
        self._over = threading.Event()
        self._turn = 0

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """From here to the end of the block."""
        self._laptop.connect(HOSTILE, "stockx", "ebay")
        self._laptop.sandbox.faults.set(Throttle(account=HOSTILE, path="*", chance=0.7))
        with Receiver(rest=self._never) as silent, Receiver(rest=self._without_end) as endless:
            for number in range(10):
                self._api.put(f"{HOOK}/h{number}", {"url": f"{silent.url}/{number}", "eventTypes": EVENTS})
            deeds = self._deeds(endless.url)
            thread = threading.Thread(target=self._work, args=(deeds,), daemon=True)
            thread.start()
            try:
                yield
            finally:
                self._over.set()
                silent.over.set()
                endless.over.set()
                thread.join()
                self._laptop.sandbox.faults.clear()

    def _work(self, deeds: Mapping[str, Callable[[], object]]) -> None:
        while not self._over.is_set():
            for name, deed in deeds.items():
                if self._over.wait(PAUSE_SECONDS):
                    return
                self._turn += 1
                try:
                    deed()
                    outcome = "done"
                except (ApiError, httpx.HTTPError) as refused:
                    outcome = str(refused.status) if isinstance(refused, ApiError) else type(refused).__name__
                self._run.deeds[f"{name}: {outcome}"] += 1
            self.has_done_all.set()

    def _deeds(self, endless: str) -> dict[str, Callable[[], object]]:
        api = self._api
        made_up = dict.fromkeys(("api_key", "client_id", "client_secret", "refresh_token"), "made-up")
        lines = "".join(f"{style(number)},9,us,stockx\n" for number in range(9_000))
        return {
            "account": lambda: api.put("/v1/accounts/stockx", made_up),
            "prices": lambda: api.post("/v1/market/refresh", {"items": self._items()}),
            "prices of others": lambda: api.post("/v1/market/refresh", {"items": self._of_others()}),
            "listings": lambda: api.post("/v1/stockx/listings/bulk", {"action": "create", "items": self._offers()}),
            "ads": lambda: api.post("/v1/promotions", {"batch": self._ads()}),
            "page": lambda: api.post("/v1/pages", {"url": f"{endless}/{self._turn}"}),
            "run of checks": lambda: api.post("/v1/operator/checks/run-now", {}),
            "import": lambda: api.upload(
                "/v1/inventory/import", f"sku,size,sizeSystem,marketplaces\n{lines}".encode(), "text/csv"
            ),
            "deep import": lambda: api.upload("/v1/inventory/import", b"[" * 4_000_000, "application/json"),
            "all prices": lambda: api.post("/v1/inventory/refresh", {}),
            "enrichment": lambda: api.post("/v1/catalog/enrichment", {}),
            "events again": self._resend,
            "jobs of others": self._cancel,
            "lists": lambda: [api.get(path) for path in ("/v1/jobs", "/v1/promotions", "/v1/stockx/listings")],
        }

    def _items(self) -> list[Any]:
        names = [f"NO-{self._turn}-{number}" for number in range(100)]
        return [{"sku": name, "size": "9", "sizeSystem": "us", "priority": "manual", "force": True} for name in names]

    def _of_others(self) -> list[Any]:
        names = [style(GOOD.index(tenant) * MOST_ROUNDS + number) for tenant in GOOD for number in self._rounds]
        return [{"sku": name, "size": "9", "sizeSystem": "us", "priority": "manual", "force": True} for name in names]

    def _offers(self) -> list[Any]:
        return [{"variantId": VARIANT, "amount": str(100 + number), "currency": "USD"} for number in range(100)]

    def _ads(self) -> list[Any]:
        first = 990_000_000_000 + self._turn * 100
        return [{"listingId": str(first + number), "adRate": 3} for number in range(100)]

    def _resend(self) -> None:
        for one in self._api.get(f"{HOOK}/h0/deliveries")["deliveries"]:
            self._api.post(f"{HOOK}/h0/deliveries/{one['deliveryId']}/resend", {})

    def _cancel(self) -> None:
        for one in self._run.asks[-5:]:
            with suppress(ApiError):
                self._api.delete(f"/v1/jobs/{quote(one.job_id, safe=':')}")

    def _never(self, request: Any) -> None:
        """No answer, as long as the run lasts."""
        self._over.wait()
        with suppress(OSError):
            request.connection.close()

    def _without_end(self, request: Any) -> None:
        """A page of 64 MB, a piece at a time."""
        with suppress(OSError):
            request.send_response(200)
            request.send_header("content-type", "text/html")
            request.end_headers()
            for _ in range(1_000):
                if self._over.is_set():
                    return
                request.wfile.write(b"<p>" * 21_846)


def _now() -> int:
    return time.time_ns() // 1_000_000


def _epoch_ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1_000)
