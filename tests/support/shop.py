"""Web shops within this process: what their pages answer, who asked, and somebody who runs the checks. Time is moved by
hand."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from sluice.jobs.dispatch import scheduler
from sluice.jobs.dispatch.snapshot import Accounts, Snapshot
from sluice.pages import fetch, schedule, table, work_run
from sluice.pages.fetch import Permit, ShopAnswer, Unfetched
from sluice.pages.schedule import Ran
from sluice.pages.table import PageCheck, Product
from sluice.platform import aws
from sluice.platform.clock import MINUTE, SECOND
from sluice.platform.config import live
from sluice.platform.config.document import Config
from sluice.platform.context import Context
from sluice.platform.http import routing
from sluice.platform.observe import metrics
from sluice.platform.settings import settings
from tests.support import http
from tests.support.clock import VirtualClock
from tests.support.pages import ld, offer

NOON = 1_795_348_800_000  # 2026-11-22 12:00 UTC
HOST = "northpier.example"
URL = f"https://{HOST}/p/boot"

# What a URL answers: a page, an answer in parts, or what happens instead.
Reply = str | tuple[int, Mapping[str, str], str] | Exception | Callable[[Mapping[str, str]], Any]


def page(price: str | None = "100.00", stock: str = "InStock", **more: Any) -> str:
    """A page with one product."""
    return ld(offer(price=price, availability=stock, **more))


class Shops:
    """Every shop there is. replies: by URL; what is missing is not found. asked: each request that was answered."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.replies: dict[str, Reply] = {}
        self.asked: list[tuple[str, int, Mapping[str, str]]] = []
        self.before: Callable[[str], None] = lambda url: None
        self._lock = threading.Lock()

    def get(
        self, url: str, headers: Mapping[str, str], permit: Permit, *, most: int = 0, cut: bool = False
    ) -> ShopAnswer:
        """In place of `fetch.Client.get`."""
        permit(url)
        self.before(url)
        with self._lock:
            self.asked.append((url, self.clock.now(), dict(headers)))
        reply = self.replies.get(url, (404, {}, ""))
        if callable(reply):
            reply = reply(headers)
        if isinstance(reply, Exception):
            raise reply
        status, more, body = (200, {}, reply) if isinstance(reply, str) else reply
        known = {"content-type": "text/html; charset=utf-8", **more}
        if status in (301, 302):
            answer = self.get(known["location"], headers, permit)
            return answer._replace(redirects=(url, *answer.redirects))
        return ShopAnswer(url, status, known, body.encode(), (), len(body))

    def pages(self) -> list[str]:
        """The pages that were asked for, without what every host is asked for."""
        return [url for url, _, _ in self.asked if not url.endswith("/robots.txt")]


class Desk:
    """Somebody who tracks pages as `acme` and runs the checks."""

    def __init__(self, clock: VirtualClock, shops: Shops) -> None:
        self.clock = clock
        self.shops = shops
        self.config = Config()
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.woken: list[Any] = []

    def track(self, url: str = URL, tenant: str = "acme", **wish: Any) -> str:
        """Track a page; its id."""
        answer = http.call("POST", "/v1/pages", body={"url": url, **wish}, tenant=tenant)
        assert answer.status == 201, answer.text
        return str(answer.json["page"]["pageId"])

    def show(self, page_id: str, tenant: str = "acme") -> Any:
        """The page as the API shows it."""
        answer = http.call("GET", f"/v1/pages/{page_id}", tenant=tenant)
        assert answer.status == 200, answer.text
        return answer.json["page"]

    def schedule(self) -> Ran:
        """A run of the scheduler."""
        ran = schedule.run(Context(self.clock, self.config))
        assert ran is not None
        return ran

    def work(self, seconds: int = 150) -> work_run.WorkAnswer:
        """A run of the page worker."""
        return work_run.run(Context(self.clock, self.config), self.clock.time + seconds * SECOND)

    def rescue(self) -> None:
        """A tick of the engine's scheduler, which gives back what dead workers held."""
        scheduler.tick(Snapshot(self.clock.time, self.config, Accounts(lambda *_: {})), lambda _: None)

    def check(self, minutes: int = 31) -> None:
        """Everything that is due after `minutes`, checked; what is to be confirmed soon is."""
        self.clock.time += minutes * MINUTE
        self.schedule()
        self.work()

    def confirmed(self, minutes: int = 31) -> None:
        """Two checks: one that reads, one that confirms it."""
        self.check(minutes)
        self.check(6)

    def told(self, kind: str = "") -> list[dict[str, Any]]:
        """The events that were put on the bus."""
        return [detail for name, detail in self.events if not kind or name == f"page.{kind}"]

    def statuses(self, page_id: str) -> list[str]:
        """How the checks of a page went, oldest first."""
        return [one.status for one in PageCheck.query(page_id)]

    def product(self, page_id: str) -> Product:
        """What is stored of a page."""
        found = table.find(page_id)
        assert found is not None
        return found


@contextmanager
def open_desk() -> Iterator[Desk]:
    """A desk, and no shops yet, on whatever tables this process uses."""
    clock = VirtualClock(NOON)
    desk = Desk(clock, Shops(clock))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAGE_WORKER_FUNCTION", "page-worker")
        settings.cache_clear()
        patch.setattr(fetch, "shared", lambda: desk.shops)
        patch.setattr(aws, "put_events", desk.events.extend)
        patch.setattr(aws, "invoke_later", lambda function, event: desk.woken.append(event))
        patch.setattr(routing, "clock", clock)
        patch.setattr(live, "current", lambda: desk.config)
        patch.setattr(metrics.provider, "namespace", "Sluice/test")
        yield desk
    metrics.clear_metrics()
    settings.cache_clear()


def unfetched(code: str = "timed_out", *, passing: bool = True) -> Unfetched:
    """No answer."""
    return Unfetched(code, "no whole answer within 20 seconds", passing=passing)
