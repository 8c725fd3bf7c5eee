"""A seller who promotes listings at the sandbox's eBay: the real adapter, and time by hand."""

from collections.abc import Iterator
from contextlib import contextmanager

from local.sandbox import world as worlds
from sluice.marketplaces.accounts import table as accounts
from sluice.promotions.kinds import MARKETPLACE
from tests.support import ebay_process
from tests.support.ads import NOON, TENANT, Promoter
from tests.support.clock import VirtualClock
from tests.support.sandbox_wire import SandboxWire


class SandboxSeller(Promoter):
    """`acme`, at the sandbox."""

    def __init__(self, clock: VirtualClock, wire: SandboxWire) -> None:
        super().__init__(clock)
        self.wire, self.sandbox = wire, wire.world

    def connect(self, tenant: str = TENANT) -> None:
        made = self.sandbox.accounts.connect(tenant)
        names = ("client_id", "client_secret", "refresh_token")
        accounts.connect(MARKETPLACE, tenant, {name: getattr(made, name) for name in names}, self.clock.time)

    def publish(self, listing: str, known_after_s: float | None = None) -> int:
        """A listing is for sale from now on; from when Marketing knows it, epoch ms."""
        return self.sandbox.ads.publish(TENANT, listing, self.clock.time, known_after_s).known_at_ms

    def rates(self) -> dict[str, str]:
        """The rate of each listing's ad. The sandbox lets a listing have one."""
        return {ad.listing_id: ad.rate for ad in self.sandbox.ads.ads(TENANT)}

    def calls(self, path: str, method: str | None = None) -> int:
        """How many calls the marketplace has seen."""
        return len(self.sandbox.log.entries(path=path, method=method))


@contextmanager
def open_sandbox_seller(seed: int = 7) -> Iterator[SandboxSeller]:
    """`acme`, connected, with nothing published and no campaign, on whatever tables this process uses."""
    clock = VirtualClock(NOON)
    wire = SandboxWire(worlds.build(seed, clock=clock.now))
    seller = SandboxSeller(clock, wire)
    with ebay_process.calling(wire):
        seller.connect()
        yield seller
