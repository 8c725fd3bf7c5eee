"""The whole of Sluice in one process, run as AWS would run it: queues deliver again, streams go on, schedules come.

Everything is the real code, from the API's handlers to the adapters; the marketplaces are the sandbox's. Only time is
virtual, so that leases end and operations are done at once.
"""

import json
import logging
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx
import pytest

from local.sandbox import world as worlds
from local.sandbox.limits import Limits as SandboxLimits
from local.sandbox.stockx import bodies
from sluice import capabilities
from sluice.inventory import worker as inventory_worker
from sluice.jobs.budgets import last_clock
from sluice.jobs.dispatch import scheduler
from sluice.jobs.model import events, kinds
from sluice.jobs.queue import lanes, nudge
from sluice.jobs.run import worker
from sluice.listings.stockx import poll_run
from sluice.marketplaces.accounts import token_cache
from sluice.marketplaces.accounts.dispatching import ACCOUNTS
from sluice.marketplaces.http import transport
from sluice.pages import fetch, schedule
from sluice.pages import work_run as page_work
from sluice.pages.fetch import Permit
from sluice.pages.fetch import ShopAnswer as Fetched
from sluice.platform import settings
from sluice.platform.clock import MINUTE, SECOND
from sluice.platform.config import live
from sluice.platform.config.live import Live
from sluice.platform.config.pauses import NONE, Pauses
from sluice.platform.context import Context
from sluice.platform.http import routing
from sluice.platform.observe import metrics
from sluice.promotions import work_run
from sluice.webhooks import endpoints, overdue, sender
from sluice.webhooks.client import WebhookClient
from tests.crash.points import Killed, Points
from tests.support import one_thread
from tests.support.clock import VirtualClock
from tests.support.http import Answer, call
from tests.support.sandbox_wire import SandboxWire
from tests.support.shop import Shops
from tests.support.store import Store
from tests.support.stream import changes
from tests.support.vault import kms

NOON = 1_795_348_800_000  # 2026-11-22 12:00 UTC
TENANT = "acme"
FUNCTION_MS = 2 * MINUTE
# After this time SQS shows a message again whose function has failed, and after so many times it sets it aside.
VISIBLE_AGAIN_MS = MINUTE
MOST_RECEIVES = 5
# Minutes until everything must have come to rest.
MOST_ROUNDS = 90
CREDENTIALS = {
    "stockx": ("api_key", "client_id", "client_secret", "refresh_token"),
    "alias": ("personal_access_token",),
    "ebay": ("client_id", "client_secret", "refresh_token"),
}
ENVIRONMENT = {
    "WORK_QUEUE_URL": "work",
    "MANUAL_QUEUE_URL": "manual",
    "WAKE_QUEUE_URL": "wake",
    "INVENTORY_QUEUE_URL": "inventory",
    "WEBHOOK_QUEUE_URL": "webhooks",
    "DEAD_QUEUE_URL": "dead",
    "SCHEDULER_FUNCTION": "scheduler",
    "PAGE_WORKER_FUNCTION": "page-worker",
    "EVENT_BUS": "bus",
    "TOKEN_KEY": "key",
    "STOCKX_API_URL": "http://sandbox.test/v2",
    "STOCKX_AUTH_URL": "http://sandbox.test",
    "ALIAS_API_URL": "http://sandbox.test/api/v1",
    "EBAY_API_URL": "http://sandbox.test",
}
Json = dict[str, Any]


@dataclass
class Message:
    """What lies in a queue: seen from `at` on, and received so many times."""

    at: int
    body: str
    received: int = 0


class Receiver(WebhookClient):
    """The tenant's endpoint. A message may come twice; it is known by its id."""

    def __init__(self, points: Points) -> None:
        self.got: dict[str, Json] = {}
        self._points = points

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        def arrive() -> int:
            self.got[headers["webhook-id"]] = json.loads(body)
            return 204

        return self._points.passing(f"receiver {url}", "receiver", arrive)


class Street(Shops):
    """The way to web shops."""

    def __init__(self, clock: VirtualClock, points: Points) -> None:
        super().__init__(clock)
        self._points = points

    def get(self, url: str, headers: Mapping[str, str], permit: Permit, **more: Any) -> Fetched:
        def fetch_it() -> Fetched:
            return Shops.get(self, url, headers, permit, **more)

        return self._points.passing(f"GET {url}", "shop", fetch_it)


class Wire(httpx.BaseTransport):
    """The way to the marketplaces."""

    def __init__(self, wire: SandboxWire, points: Points) -> None:
        self._wire, self._points = wire, points

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        name = f"{request.method} {request.url.path}"
        return self._points.passing(name, "marketplace", lambda: self._wire.handle_request(request))


@dataclass
class Plant:
    """See the module. queues: by URL. streamed: records of table `jobs` that nobody has taken yet.

    chance: of backoffs, with a seed: a story that broke at some point comes to it again.
    """

    store: Store
    points: Points
    clock: VirtualClock
    sandbox: worlds.World
    receiver: Receiver
    shops: Street
    queues: dict[str, list[Message]] = field(default_factory=lambda: defaultdict(list))
    nudges: int = 0
    streamed: list[Json] = field(default_factory=list)
    configuration: Json = field(default_factory=dict)
    chance: Random = field(default_factory=lambda: Random(0))

    # ── what a client does ──

    def ask(self, method: str, path: str, body: Any = None, *, again: int = 0, **request: Any) -> Any:
        """One request of a client, who asks again where there was no answer, or one that says to try again.

        again: the status that says that it was done before.
        """
        for _ in range(6):
            answer = self.invoke(lambda: call(method, path, body=body, **request))
            if answer is not None and answer.status < 500 and not self._part_refused(answer):
                assert answer.status < 400 or answer.status == again, answer.text
                return answer.json if answer.text else None
            self.clock.time += 5 * SECOND
        raise AssertionError(f"{method} {path} is not answered: {answer and answer.text}")

    @staticmethod
    def _part_refused(answer: Answer) -> bool:
        """Whether the answer says that some of it is to be asked for again."""
        return re.search(r'"outcome": ?"refused"', answer.text) is not None

    def connect(self, marketplace: str) -> None:
        """Connect the tenant to a marketplace."""
        given = self.sandbox.accounts.connect(TENANT)
        body = {name: getattr(given, name) for name in CREDENTIALS[marketplace]}
        self.ask("PUT", f"/v1/accounts/{marketplace}", body)

    def variant(self, style: str, place: int) -> str:
        """The id of a StockX variant."""
        found = self.sandbox.stockx._catalog.search(style)[0].variants[place]
        return str(bodies.variant_row(found)["variantId"])

    # ── what AWS does ──

    def invoke(self, run: Callable[[], Any]) -> Any:
        """One invocation of a function; None when it failed. Only the break may make it fail."""
        self.points.dead = False
        try:
            return run()
        except (Killed, Exception):
            if not self.points.hit:
                raise
            return None
        finally:
            self.points.dead = False
            self._new_process()

    def _new_process(self) -> None:
        """What runs next is another process, which remembers nothing, once one was broken."""
        if self.points.hit:
            forget()

    def services(self) -> dict[str, Callable[[str, Json], Json]]:
        """Those parts of AWS that are not DynamoDB."""
        return {
            "sqs": self._sqs,
            "lambda": self._lambda,
            "events": self._bus,
            "kms": kms,
            "ssm": self._ssm,
        }

    def _sqs(self, operation: str, given: Json) -> Json:
        entries = given["Entries"] if operation == "SendMessageBatch" else [given]
        for entry in entries:
            at = self.clock.time + entry.get("DelaySeconds", 0) * SECOND
            self.queues[given["QueueUrl"]].append(Message(at, entry["MessageBody"]))
        return {}

    def _lambda(self, operation: str, given: Json) -> Json:
        self.nudges += given["FunctionName"] == "scheduler"  # the page worker runs with each minute as it is
        return {}

    def _bus(self, operation: str, given: Json) -> Json:
        for entry in given["Entries"]:
            envelope = {"id": "1", "source": entry["Source"], "detail-type": entry["DetailType"]}
            body = json.dumps({**envelope, "detail": json.loads(entry["Detail"])})
            self.queues["webhooks"].append(Message(self.clock.time, body))
        return {"FailedEntryCount": 0}

    def _ssm(self, operation: str, given: Json) -> Json:
        return {"Parameter": {"Version": 1, "Value": json.dumps(self.configuration)}}

    # ── the functions ──

    def minute(self) -> None:
        """Each function that has something to do, or a schedule."""
        for _ in range(self.nudges):
            self.nudges -= 1
            self.invoke(self._scheduler)
        self.invoke(self._scheduler)
        self._deliver("wake", self._woken)
        self._deliver("manual", lambda found: worker.work(found, self._context(), self._deadline()))
        self._deliver("work", lambda found: worker.work(found, self._context(), self._deadline()))
        self.invoke(lambda: poll_run.run(self._context(), self._deadline()))
        self.invoke(lambda: work_run.run(self._context(), self._deadline()))
        if self.store.items("pages"):
            self.invoke(lambda: schedule.tick(self._context()))
            self.invoke(lambda: page_work.run(self._context(), self._deadline()))
        self._deliver("inventory", lambda found: inventory_worker.work(found, self._context()))
        self._stream()
        self._deliver("webhooks", lambda found: sender.work(found, self.receiver, self.clock))

    def _deadline(self) -> int:
        return self.clock.time + FUNCTION_MS

    def _context(self) -> Context:
        return Context(self.clock, live.current(), self.chance.random)

    def _scheduler(self) -> Json:
        return scheduler.run(ACCOUNTS, self._context())

    def _woken(self, found: dict[str, str]) -> list[str]:
        event = {"Records": [{"body": body} for body in found.values()]}
        scheduler.answer(event, ACCOUNTS, self._context())
        return []

    def _stream(self) -> None:
        self.streamed += changes("jobs")
        records = self.streamed
        if records and self.invoke(lambda: events.publish(records)) is not None:
            self.streamed = []

    def _deliver(self, queue: str, handle: Callable[[dict[str, str]], list[str]]) -> None:
        """Each message that is to be seen, one at a time."""
        seen = [message for message in self.queues[queue] if message.at <= self.clock.time]
        for message in seen:
            message.received += 1
            message.at = self.clock.time + VISIBLE_AGAIN_MS
            failed = self.invoke(lambda body=message.body: handle({"1": body}))  # type: ignore[misc]
            if failed == []:
                self.queues[queue].remove(message)
            elif message.received == MOST_RECEIVES:
                self.queues[queue].remove(message)
                self.queues["dead"].append(message)

    # ── the end ──

    def settle(self) -> None:
        """Minute by minute, until nothing is left to do."""
        for rounds in range(MOST_ROUNDS):
            self.minute()
            if rounds % 5 == 4:
                self.invoke(lambda: overdue.wake(self.clock.time))
            waiting = self._waiting()
            if not waiting:
                return
            self.clock.time = max(self.clock.time + 20 * SECOND, min(*waiting, self.clock.time + MINUTE))
        raise AssertionError(f"did not come to rest: {self._unfinished()}")

    def _waiting(self) -> list[int]:
        """When somebody looks again at each thing that is not done."""
        self.streamed += changes("jobs")
        found = [message.at for name, queue in self.queues.items() if name != "dead" for message in queue]
        found += [int(job["due_at"]["N"]) for job in self._unfinished()]
        found += [self.clock.time] * (self.nudges + len(self.streamed))
        for item in self.store.items("deliveries"):
            if item.get("state", {}).get("S") == "pending":
                found.append(int(item["due_at"]["N"]))
        return [*found, found[0]] if found else []

    def _unfinished(self) -> list[Json]:
        return [job for job in self.store.items("jobs") if "lane" in job]


@contextmanager
def open_plant(store: Store, points: Points) -> Iterator[Plant]:
    """`acme`, with nothing connected, on empty tables."""
    clock = VirtualClock(NOON)
    sandbox = worlds.build(7, clock=clock.now, limits=SandboxLimits())
    plant = Plant(store, points, clock, sandbox, Receiver(points), Street(clock, points))
    with running(plant):
        yield plant


@contextmanager
def running(plant: Plant, seed: int = 0) -> Iterator[pytest.MonkeyPatch]:
    """Everything of this process is the plant's, on empty tables. seed: of names and tokens."""
    store, points, clock = plant.store, plant.points, plant.clock
    store.around = None
    store.clear()
    client = transport._client(Wire(SandboxWire(plant.sandbox), points))
    store.services = plant.services()
    store.around = points.around
    reader = read_configuration(clock)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        settings.settings.cache_clear()
        kinds.serve(capabilities.kinds(*(one.name for one in capabilities.CAPABILITIES)))
        one_thread.use_everywhere(patch, Random(seed))
        patch.setattr(routing, "clock", clock)
        patch.setattr(worker, "threads", lambda _: 1)
        patch.setattr(live, "in_force", reader.in_force)
        patch.setattr(transport, "_shared_client", lambda: client)
        patch.setattr(fetch, "shared", lambda: plant.shops)
        patch.setattr(metrics.provider, "namespace", "Sluice/test")
        logging.disable(logging.CRITICAL)
        forget()
        try:
            yield patch
        finally:
            logging.disable(logging.NOTSET)
            store.around, store.services = None, {}
    forget()
    settings.settings.cache_clear()
    metrics.clear_metrics()


def read_configuration(
    clock: VirtualClock, pauses: Callable[[], Pauses] = lambda: NONE, earlier: live.Earlier = lambda: iter(())
) -> Live:
    """How a process knows the configuration in force. pauses: what operators have paused, by reading it. earlier: the
    versions before, where there are some.
    """
    return Live(lambda patient: live._newest("configuration", patient), earlier, clock, pauses)


def forget() -> None:
    """What runs next is another process, which remembers nothing."""
    for module in (lanes, nudge, last_clock, token_cache, endpoints):
        module.forget()
