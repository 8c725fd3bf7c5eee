"""The API over tables of one test, with some jobs, a price and an account in them."""

import io
import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from threading import RLock
from typing import Any, Final, TypeVar

import pytest

from local.cloud.tables import definitions
from sluice.jobs.queue import lanes, nudge
from sluice.jobs.run import records
from sluice.marketplaces import skus
from sluice.marketplaces.accounts import table as accounts
from sluice.platform import aws, settings
from sluice.platform.clock import MINUTE, SECOND, SystemClock
from sluice.platform.observe import logger, metrics
from sluice.prices import table as prices
from sluice.prices.table import Price
from sluice.webhooks import deliveries, endpoints
from sluice.webhooks.endpoints import WantedEndpoint
from tests.support.credentials import ACCEPTED, accept_all
from tests.support.http import call
from tests.support.letters import DIED_AT
from tests.support.mailbox import Mailbox
from tests.support.parameter import Parameter
from tests.support.store import Answer, Request, Store, Value, store

T = TypeVar("T")

CREDENTIALS = {
    "api_key": "key-of-acme",
    "client_id": "client-of-acme",
    "client_secret": "secret-of-acme",
    "refresh_token": "refresh-of-acme",
}
EBAY_CREDENTIALS = {name: CREDENTIALS[name] for name in ("client_id", "client_secret", "refresh_token")}

ENVIRONMENT = {
    "SCHEDULER_FUNCTION": "scheduler",
    "WAKE_QUEUE_URL": "wake",
    "PAGE_WORKER_FUNCTION": "page-worker",
    "OPERATOR_WORKER_FUNCTION": "operator-worker",
    "TOKEN_KEY": "key",
    "EVENT_BUS": "bus",
    "WEBHOOK_QUEUE_URL": "webhooks",
    "INVENTORY_QUEUE_URL": "inventory",
    "DEAD_QUEUE_URL": "dead",
}
# What a tenant wants to be told by mail.
MAIL: dict[str, Any] = {"mail": {"address": "ops@acme.example", "eventTypes": ["job.dead"]}}
WEBHOOK: dict[str, Any] = {"url": "https://hooks.example.com/sluice", "eventTypes": ["job.dead"]}


# So long what was made serves the tests that follow. On a machine so busy that it takes as long, it is made anew.
SERVES_MS: Final = 10 * SECOND


@dataclass(frozen=True)
class State:
    """What there was when something had been made.

    at: when, epoch ms. items: of the tables. rest: what `make` returned, and what else a `Cloud` holds, by name.
    """

    at: int
    items: Value
    rest: tuple[Any, dict[str, Any]]


_states: dict[str, State] = {}


class Cloud:
    """What a test looks at behind the API."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.invoked: list[tuple[str, dict[str, Any]]] = []
        self.sent: list[str] = []
        self.woken: list[tuple[int, int]] = []
        self.queued: list[str] = []
        self.now = SystemClock().now()
        self.parameter = Parameter()
        self.mailbox = Mailbox()

    def send(self, queue: str, body: str, delay: int, **_: str) -> None:
        """`woken`: when the scheduler is to run, epoch ms, and for how many seconds the message is held back."""
        if queue == ENVIRONMENT["WAKE_QUEUE_URL"]:
            self.woken.append((int(body), delay))
        else:
            self.sent.append(body)

    def content(self) -> dict[str, Any]:
        """Every item of every table but `usage`, in which each request is counted, whatever becomes of it."""
        stack = settings.settings().stack
        names = [table["TableName"].removeprefix(f"{stack}-") for table in definitions(stack)]
        names.remove("usage")
        return {name: sorted(json.dumps(one, default=str) for one in self._store.items(name)) for name in names}

    def filled(self, name: str, make: Callable[[], T]) -> T:
        """What `make` returns, and all as it leaves it, and nothing besides, in a process that has just started.

        To make it takes longer than what is tried with it: it serves the tests that follow soon, and whichever of them
        makes it has no more than the others. name: of what it is.
        """
        state = _states.get(name)
        if state is None or not 0 <= SystemClock().now() - state.at < SERVES_MS:
            made = make()
            held = {key: value for key, value in vars(self).items() if key not in ("_store", "now")}
            _states[name] = state = State(SystemClock().now(), self._store.value(), deepcopy((made, held)))
        self._store.become(state.items)
        made, held = deepcopy(state.rest)
        vars(self).update(held)
        self.play()
        start()
        return made

    def play(self) -> None:
        """From now on its parameter and its mailbox answer for SSM and SNS."""
        self._store.services["ssm"] = self.parameter.answer
        self._store.services["sns"] = self.mailbox.answer

    def connect(self, tenant: str) -> None:
        """Give `tenant` a StockX account."""
        accounts.connect("stockx", tenant, CREDENTIALS, self.now, ACCEPTED)

    def connect_seller(self, tenant: str) -> None:
        """Give `tenant` an eBay account that may advertise."""
        accounts.connect("ebay", tenant, EBAY_CREDENTIALS, self.now, ACCEPTED)

    def enqueue(self, tenant: str, *skus: str, **item: Any) -> list[str]:
        """Ask for prices of `skus` as `tenant`; the job ids."""
        body = {"items": [{"sku": sku, "size": "10", "sizeSystem": "us", **item} for sku in skus]}
        answer = call("POST", "/v1/market/refresh", body=body, tenant=tenant)
        assert answer.status == 202, answer.text
        return [one["jobId"] for one in answer.json["items"]]

    def price(self, sku: str, size: str = "10", currency: str = "USD") -> None:
        """Store a price."""
        prices.store(
            Price(
                sku=skus.key(sku),
                style=sku,
                price=f"stockx:us-{size}:{currency}",
                marketplace="stockx",
                size=size,
                size_system="us",
                sizes={"us": size, "eu": "44"},
                currency=currency,
                ask="150",
                bid=None,
                more={"sell_faster": "140"},
                observed_at=self.now - MINUTE,
            )
        )

    def webhook(self, webhook_id: str = "main", tenant: str = "acme") -> str:
        """Give `tenant` a webhook to which one event was sent; the id of that delivery."""
        endpoint, _ = endpoints.create(
            tenant, webhook_id, WantedEndpoint(WEBHOOK["url"], ["job.dead"], enabled=True), self.now
        )
        return deliveries.create(endpoint.key, DIED_AT, "e1", "job.dead", "{}", self.now)

    def healthy(self, ago: int = 0, oldest_due_age: int = 0) -> None:
        """Leave the snapshot that the scheduler leaves, `ago` ms old."""
        records.save_health({"at": self.now - ago, "lanes": 2, "held": 1, "oldest_due_age": oldest_due_age})


def start() -> None:
    """Remember of what was done before no more than a new process would."""
    lanes.forget()
    nudge.forget()
    # So many metrics at once would be written out.
    metrics.clear_metrics()


@pytest.fixture(scope="module")
def tables() -> Iterator[Store]:
    """The store of a module's tests: its client takes longer to make than a test to run."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        with store() as made:
            # Jobs are written by several threads; the store is made for one at a time.
            lock = RLock()

            def one_at_a_time(_: Request, send: Callable[[], Answer]) -> Answer:
                with lock:
                    return send()

            made.around = one_at_a_time
            yield made


@pytest.fixture
def cloud(tables: Store, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """Empty tables; `invoked` has the functions that were invoked."""
    tables.clear()
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "test")
    start()
    cloud = Cloud(tables)
    cloud.parameter = Parameter(at=cloud.now)
    cloud.play()
    accept_all(monkeypatch)
    monkeypatch.setattr(aws, "invoke_later", lambda function, event: cloud.invoked.append((function, event)))
    monkeypatch.setattr(aws, "send_message", cloud.send)
    monkeypatch.setattr(aws, "send_messages", lambda queue, bodies, tenant: cloud.queued.extend(bodies))
    monkeypatch.setattr(aws, "encrypt", lambda text, context: f"sealed {len(text)}".encode())
    return cloud


@pytest.fixture
def acme(cloud: Cloud) -> Cloud:
    """`acme` has a StockX account."""
    cloud.connect("acme")
    return cloud


@pytest.fixture
def requests(tables: Store, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The operations that DynamoDB is asked for."""
    asked: list[str] = []
    around = tables.around

    def note(request: Request, send: Callable[[], Answer]) -> Answer:
        asked.append(request.operation)
        return around(request, send) if around else send()

    monkeypatch.setattr(tables, "around", note)
    return asked


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What is written to the log."""
    written, handler = io.StringIO(), logger.registered_handler
    before = handler.setStream(written)  # type: ignore[attr-defined]
    yield written
    handler.setStream(before)  # type: ignore[attr-defined]
