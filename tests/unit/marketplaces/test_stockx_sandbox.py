"""The adapter against the StockX of the sandbox, over a real connection."""

from collections.abc import Iterator

import pytest

from local.sandbox.faults import (
    Drip,
    DropField,
    ExpiredToken,
    Fault,
    Hang,
    MalformedJson,
    RefuseRefresh,
    ServerError,
    Throttle,
)
from local.sandbox.limits import Limits
from local.sandbox.server import Sandbox
from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.http import transport
from sluice.marketplaces.http.errors import (
    AccountBroken,
    BadAnswer,
    MarketplaceFailure,
    NotFound,
    RateLimited,
    TimedOut,
    Unavailable,
)
from sluice.marketplaces.stockx.adapter import StockX
from sluice.platform.clock import SECOND
from sluice.platform.settings import settings
from tests.support.haste import give_up
from tests.unit.marketplaces.conftest import Events
from tests.unit.marketplaces.fakes import ACCOUNT, NOON, BudgetLog, WatchedClock

# A whole call's time where no answer comes within it: no machine is too busy for that.
HASTE = 0.2


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(limits=Limits()) as running:
        yield running
        transport.forget()


@pytest.fixture
def stockx(
    sandbox: Sandbox, cloud: None, calls: BudgetLog, clock: WatchedClock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[StockX]:
    """StockX for an account that was just connected; the sandbox has no faults, and an empty log."""
    sandbox.faults.clear()
    sandbox.world.log.clear()
    given = sandbox.connect("acme")
    names = ("api_key", "client_id", "client_secret", "refresh_token")
    accounts.connect("stockx", "acme", {name: getattr(given, name) for name in names}, NOON)
    monkeypatch.setenv("STOCKX_API_URL", f"{sandbox.url}/v2")
    monkeypatch.setenv("STOCKX_AUTH_URL", sandbox.url)
    settings.cache_clear()
    yield StockX.open(ACCOUNT, calls, clock)
    monkeypatch.undo()
    settings.cache_clear()


def test_from_a_style_to_its_price(stockx: StockX, sandbox: Sandbox, calls: BudgetLog) -> None:
    product = stockx.search("DD1391 100")
    assert product is not None
    assert (product.sku, product.brand) == ("DD1391-100", "Nike")
    assert stockx.product(product.product_id) == product
    ten = next(one for one in stockx.variants(product.product_id) if one.sizes["us"] == "10")
    assert ten.sizes == {"us": "10", "us-w": "11.5", "uk": "9", "cm": "28", "kr": "280", "eu": "44"}
    market = stockx.market_data(product.product_id, ten.variant_id, "USD")
    assert market in stockx.quotes(product.product_id, ten.variant_id, "USD")
    assert market.lowest_ask is not None
    counted = [entry for entry in sandbox.requests() if entry.counted]
    assert (calls.taken, len(counted)) == (5, 5)
    assert [entry.status for entry in sandbox.requests()] == [200] * 6


def test_a_style_that_is_not_there(stockx: StockX) -> None:
    assert stockx.search("ZZ0000-000") is None
    with pytest.raises(NotFound, match="Product not found"):
        stockx.product("5e6a1e57-1c7d-435a-82bd-5666a13560fe")


def test_a_429_says_when(stockx: StockX, sandbox: Sandbox, calls: BudgetLog) -> None:
    sandbox.faults.set(Throttle(path="/v2/*", retry_after_s=30))
    with pytest.raises(RateLimited) as caught:
        stockx.search("DD1391-100")
    assert calls.closed == [caught.value.retry_at] == [NOON + 30 * SECOND]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (ServerError(path="/v2/*", status=502), Unavailable),
        (MalformedJson(path="/v2/*"), BadAnswer),
        (MalformedJson(path="/v2/*", html=True), BadAnswer),
        (DropField(path="/v2/*", field="hasNextPage"), BadAnswer),
        (Hang(path="/v2/*"), TimedOut),
        (Drip(path="/v2/*", chunk_bytes=1, pause_ms=100), TimedOut),
    ],
)
def test_faults(
    fault: Fault, kind: type[MarketplaceFailure], stockx: StockX, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    stockx.search("DD1391-100")  # a token is there, so that the fault meets the search alone
    sandbox.faults.set(fault)
    sandbox.world.log.clear()
    if kind is TimedOut:  # what answers has the time of a busy machine
        give_up(monkeypatch, stockx._session._transport, HASTE, sandbox.requests)
    with pytest.raises(kind):
        stockx.search("ZZ0000-000")
    sandbox.wait_for(1)  # it may come to be read only after its caller has left
    assert len(sandbox.requests()) == 1


def test_a_token_that_ended_early(stockx: StockX, sandbox: Sandbox, events: Events) -> None:
    stockx.search("DD1391-100")
    sandbox.faults.set(ExpiredToken(path="/v2/*", last=1))
    assert stockx.search("DD1391-100") is not None
    assert len(sandbox.requests(path="/oauth/token")) == 2
    assert events == []


def test_an_account_that_is_refused(stockx: StockX, sandbox: Sandbox, events: Events) -> None:
    sandbox.faults.set(ExpiredToken(path="/v2/*"))
    with pytest.raises(AccountBroken, match="is BROKEN"):
        stockx.search("DD1391-100")
    assert len(events) == 1


def test_a_refresh_token_that_is_refused(stockx: StockX, sandbox: Sandbox, events: Events) -> None:
    sandbox.faults.set(RefuseRefresh())
    with pytest.raises(AccountBroken, match="is EXPIRED"):
        stockx.search("DD1391-100")
    assert (accounts.statuses([ACCOUNT]), len(events)) == ({ACCOUNT: "EXPIRED"}, 1)
