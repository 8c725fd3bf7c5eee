"""The sandbox's shops, looked at as Sluice looks at shops: over HTTP, by the seam for hostile addresses."""

from collections.abc import Iterator
from decimal import Decimal

import httpx
import pytest

from local.sandbox.server import Sandbox
from local.sandbox.shops.shops import SHOPS, Shop, Variant
from sluice.pages import check, reading
from sluice.pages.check import CheckResult, PageRequest
from sluice.pages.fetch import PageClient
from sluice.pages.reading import Availability, ReadOutcome
from sluice.platform.clock import SystemClock
from tests.support.clock import VirtualClock
from tests.support.patience import SECONDS
from tests.support.store import store

SOURCES = {"shopware": "microdata"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(3) as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def _tables() -> Iterator[None]:
    with store():
        yield


@pytest.fixture(autouse=True)
def _nothing_set(sandbox: Sandbox) -> None:
    for shop in SHOPS:
        sandbox.set_shop(shop.name)


def see(sandbox: Sandbox, name: str, etag: str | None = None) -> CheckResult:
    client = PageClient(local=True, seconds=SECONDS)
    asked = PageRequest(sandbox.shop_url(name), etag, None)
    clock = VirtualClock(SystemClock().now())  # a shop may ask for seconds between two visits
    found = check.check(asked, client, clock, lambda: None, lambda *_: None, local=True)
    client.close()
    return found


@pytest.mark.parametrize(
    "shop", [shop for shop in SHOPS if not shop.robots or "delay" not in shop.robots], ids=lambda shop: shop.system
)
@pytest.mark.parametrize("there", [True, False])
def test_each_shop_is_read_rightly(sandbox: Sandbox, shop: Shop, there: bool) -> None:
    sandbox.set_shop(shop.name, price=123_456, available=there)
    found = see(sandbox, shop.name).reading
    assert found is not None
    assert (found.outcome, found.source) == (ReadOutcome.PRODUCT, SOURCES.get(shop.system, shop.system))
    first = found.variants[0]
    assert first.price == (Decimal("1234.56"), shop.currency)
    assert first.availability is (Availability.IN if there else Availability.OUT)
    if found.complete:
        assert [one.price.amount for one in found.variants if one.price] == [Decimal("1234.56"), Decimal("1235.56")]


def test_a_page_that_has_not_changed_is_not_sent_again(sandbox: Sandbox) -> None:
    sandbox.set_shop("ridgeline", price=1_000, available=True)
    first = see(sandbox, "ridgeline")
    assert first.etag
    assert see(sandbox, "ridgeline", first.etag).status == reading.UNCHANGED
    sandbox.set_shop("ridgeline", price=1_100, available=True)
    assert see(sandbox, "ridgeline", first.etag).status == ReadOutcome.PRODUCT


TROUBLES = {
    "challenge": ReadOutcome.BLOCKED,
    "forbidden": ReadOutcome.BLOCKED,
    "throttled": ReadOutcome.BLOCKED,
    "error": reading.FAILED,
    "gone": ReadOutcome.GONE,
    "not_found": ReadOutcome.GONE,
    "moved": ReadOutcome.GONE,
    "login": ReadOutcome.NO_PRODUCT,
    "shell": ReadOutcome.NO_PRODUCT,
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_trouble_ends_as_what_it_is_and_never_as_a_price(sandbox: Sandbox, trouble: str) -> None:
    sandbox.set_shop("ridgeline", trouble=trouble)
    found = see(sandbox, "ridgeline")
    assert found.status == TROUBLES[trouble]
    assert not found.reading or not found.reading.variants
    assert found.about


def test_prices_and_stock_move_by_the_seed() -> None:
    def week(seed: int) -> list[tuple[Variant, ...]]:
        shelves = Sandbox(seed).world.shelves
        return [tuple(shelves.variants(SHOPS[0], hour * 3_600_000)) for hour in range(24 * 7)]

    assert week(1) == week(1)
    assert week(1) != week(2)
    stock = {one.available for day in week(1) for one in day}
    assert (len(set(week(1))) > 100, stock) == (True, {True, False})


def test_the_control_plane_names_the_shops_and_sets_them(sandbox: Sandbox) -> None:
    listed = httpx.get(f"{sandbox.url}/_sandbox/shops", timeout=SECONDS).json()
    assert {row["system"] for row in listed["shops"]} == {shop.system for shop in SHOPS}
    assert len({row["url"] for row in listed["shops"]}) == 10
    assert (
        httpx.put(f"{sandbox.url}/_sandbox/shops/pinewood", json={"price": 700}, timeout=SECONDS).json()["price"] == 700
    )
    for path, body in (("nobody", {}), ("pinewood", {"price": 0}), ("pinewood", {"trouble": "rain"})):
        assert httpx.put(f"{sandbox.url}/_sandbox/shops/{path}", json=body, timeout=SECONDS).status_code == 400
