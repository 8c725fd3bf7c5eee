"""The sandbox as a running server on a loopback port, in a thread of its own."""

import asyncio
import socket
from collections.abc import Sequence
from contextlib import suppress
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self

import uvicorn

from local.sandbox import world
from local.sandbox.accounts import Credentials
from local.sandbox.app import application
from local.sandbox.connection import Connection
from local.sandbox.ebay.inventory.book import Shop as EbayShop
from local.sandbox.ebay.marketing.book import Ad, Published
from local.sandbox.faults import Faults, Latency
from local.sandbox.limits import Limits
from local.sandbox.log import Entry
from local.sandbox.report import TEN_MINUTES_MS, Report
from local.sandbox.shops.shops import SHOPS, ShopState
from local.sandbox.stockx.listings import Change, Listing, Operation, OperationType

HOST = "127.0.0.1"
LONGEST_SECONDS = 240.0  # only what never comes takes as long, however busy this machine is
POLL_SECONDS = 0.002  # after which a server that ends looks whether the last call has its answer


class Sandbox:
    """`with Sandbox(seed=7) as sandbox:` serves at `sandbox.url` until the block ends.

    `clock` gives the time in epoch ms and rules limits, token lifetimes and prices, so that a test can turn it by
    hand. Waits (latency, hang, drip) are real time. `products` is the number of synthetic ones. `limits` take the
    place of each marketplace's own; `Limits()` is none.
    """

    def __init__(
        self,
        seed: int = 7,
        *,
        port: int = 0,
        clock: world.Clock = world.wall_clock,
        products: int = 0,
        token_seconds: int = 43_200,
        limits: Limits | None = None,
        latency: Latency | None = None,
    ) -> None:
        self.world = world.build(
            seed, clock=clock, products=products, token_seconds=token_seconds, limits=limits, latency=latency
        )
        self._port = port
        self._ready = Event()
        config = uvicorn.Config(
            application(self.world, self._ready.set),
            http=Connection,
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
        )
        self._server = _Server(config, self.world)
        self._socket: socket.socket | None = None
        self._thread: Thread | None = None

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`, without a slash at the end."""
        if self._socket is None:
            raise RuntimeError("the sandbox is not running: use it as `with Sandbox() as sandbox:`")
        return f"http://{HOST}:{self._socket.getsockname()[1]}"

    @property
    def faults(self) -> Faults:
        return self.world.faults

    def set_limits(self, limits: Limits, marketplace: str = "stockx") -> None:
        self.world.quotas.set(marketplace, limits)

    def set_latency(self, delay_ms: int, jitter_ms: int = 0) -> None:
        self.world.front.latency = Latency(delay_ms=delay_ms, jitter_ms=jitter_ms)

    def set_clock(self, ahead_s: float) -> None:
        """Put the marketplaces' clocks ahead of the caller's, or behind it, in all times that they tell."""
        self.world.front.ahead_ms = round(ahead_s * 1000)

    def connect(self, account: str, application: str = "") -> Credentials:
        """Credentials for `account`, as a person's log-in gives them."""
        return self.world.accounts.connect(account, application)

    def requests(self, **wanted: Any) -> Sequence[Entry]:
        """The calls so far; filters as in `Log.entries`."""
        return self.world.log.entries(**wanted)

    def wait_for(self, calls: int, seconds: float = LONGEST_SECONDS) -> None:
        """Until the log has `calls` entries, answered or not. Raises TimeoutError."""
        self.world.log.wait_for(calls, seconds)

    def listings(self, account: str) -> Sequence[Listing]:
        """What `account` really has at StockX now, deleted listings too, oldest first."""
        return self.world.stockx.listings(account, self.world.clock())

    def operations(self, account: str) -> Sequence[Operation]:
        """Every operation that StockX took on for `account`."""
        return self.world.stockx.operations(account, self.world.clock())

    def sell(self, account: str, listing_id: str) -> Listing:
        """Somebody buys the listing: it is MATCHED, with an order."""
        return self.world.stockx.sell(account, listing_id, self.world.front.now())

    def by_hand(self, account: str, listing_id: str, operation: OperationType, change: Change | None = None) -> None:
        """What the account's owner does to a listing on StockX's own site, done at once."""
        self.world.stockx.by_hand(account, listing_id, operation, change or Change(), self.world.front.now())

    def move_product(self, style: str) -> None:
        """A product goes over to another id at StockX and Alias. Raises KeyError when none has this style."""
        self.world.catalog.move(style)

    def publish(self, account: str, listing_id: str, known_after_s: float | None = None) -> Published:
        """An eBay listing of `account`, for sale from now on. Marketing knows it after so long, or when the seed says:
        1 to 10 minutes later."""
        return self.world.ads.publish(account, listing_id, self.world.clock(), known_after_s)

    def ads(self, account: str) -> Sequence[Ad]:
        """Every ad that `account` really has at eBay, oldest first."""
        return self.world.ads.ads(account)

    def ebay_shop(self, account: str) -> EbayShop:
        """What `account` really has at eBay: items, offers, groups, listings, policies."""
        return self.world.ebay.shop(account)

    def shop_url(self, name: str) -> str:
        """The product's page of the shop called `name`."""
        [shop] = [shop for shop in SHOPS if shop.name == name]
        return f"http://{shop.host}:{self.url.rpartition(':')[2]}{shop.path}"

    def set_shop(self, name: str, **state: Any) -> None:
        """Set what a shop sells, or what is wrong with it; see `ShopState`. What is not given moves by the seed."""
        self.world.shelves.set(name, ShopState(**state))

    def report(self, duplicates_within_ms: int = TEN_MINUTES_MS) -> Report:
        return self.world.report(duplicates_within_ms)

    def start(self) -> None:
        """Serve. Raises OSError when the port is taken, RuntimeError when the server does not come up."""
        self._socket = _listen(self._port)
        self._thread = Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, name="sandbox", daemon=True)
        self._thread.start()
        if not self._ready.wait(LONGEST_SECONDS):
            raise RuntimeError(f"the sandbox did not start within {LONGEST_SECONDS:g} s")

    def stop(self) -> None:
        """End the calls in flight, close the port and wait for the thread."""
        self._server.end()
        if self._thread is not None:
            self._thread.join()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _listen(port: int) -> socket.socket:
    """A listening socket that says it is TCP: asyncio turns Nagle's algorithm off for no other, and then each answer
    waits 40 ms for the client's acknowledgement."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        listening.listen(2048)
    except OSError:
        listening.close()
        raise
    return listening


class _Server(uvicorn.Server):
    """uvicorn, told to let go of the calls that a fault holds before it waits for them.

    It ends at once: uvicorn's own looks ten times a second whether it shall, and takes 0.2 s for it.
    """

    def __init__(self, config: uvicorn.Config, world_: world.World) -> None:
        super().__init__(config)
        self._world = world_
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told_to_end = asyncio.Event()

    def end(self) -> None:
        """Let the thread that serves come to its end. It may have come to it already, or not have begun."""
        self.should_exit = True
        if self._loop is not None and not self._loop.is_closed():
            with suppress(RuntimeError):  # closed since then
                self._loop.call_soon_threadsafe(self._told_to_end.set)

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        if not await self.on_tick(0):
            await self._told_to_end.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._world.front.closing.set()
        for open_ in (*self.servers, *(sockets or ())):
            open_.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        while self.server_state.connections or self.server_state.tasks:
            await asyncio.sleep(POLL_SECONDS)
        await self.lifespan.shutdown()
