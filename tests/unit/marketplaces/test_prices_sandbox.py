"""The Alias and eBay adapters against the sandbox, over a real connection."""

from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

from local.sandbox.faults import (
    AddField,
    Drip,
    DropField,
    ExpiredToken,
    Fault,
    Hang,
    MalformedJson,
    NotFound,
    RefuseRefresh,
    RevokedToken,
    ServerError,
    Throttle,
)
from local.sandbox.limits import Limits
from local.sandbox.server import Sandbox
from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.alias.adapter import Alias
from sluice.marketplaces.ebay.adapter import EBay
from sluice.marketplaces.http import errors, transport
from sluice.marketplaces.http.errors import AccountBroken, MarketplaceFailure
from sluice.marketplaces.products import Adapter
from sluice.platform.clock import DAY, MINUTE
from sluice.platform.settings import settings
from tests.support.haste import give_up
from tests.unit.marketplaces.fakes import NOON, BudgetLog, WatchedClock

# A whole call's time where no answer comes within it: no machine is too busy for that.
HASTE = 0.2
CREDENTIALS = {"alias": ("personal_access_token",), "ebay": ("client_id", "client_secret")}
APIS = ("/api/v1/*", "/buy/*")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(clock=lambda: NOON, limits=Limits()) as running:
        yield running
        transport.forget()


@pytest.fixture
def connected(sandbox: Sandbox, cloud: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """`acme` was just connected to both; the sandbox has no faults, no limits and an empty log."""
    sandbox.faults.clear()
    sandbox.world.log.clear()
    sandbox.set_limits(Limits(), "ebay")
    given = sandbox.connect("acme")
    for marketplace, names in CREDENTIALS.items():
        accounts.connect(marketplace, "acme", {name: getattr(given, name) for name in names}, NOON)
    monkeypatch.setenv("ALIAS_API_URL", f"{sandbox.url}/api/v1")
    monkeypatch.setenv("EBAY_API_URL", sandbox.url)
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def alias(connected: None, calls: BudgetLog, clock: WatchedClock) -> Alias:
    return Alias.open("alias:acme", calls, clock)


@pytest.fixture
def ebay(connected: None, calls: BudgetLog, clock: WatchedClock) -> EBay:
    return EBay.open("ebay:acme", calls, clock)


def test_alias_from_a_style_to_all_its_prices(alias: Alias, sandbox: Sandbox, calls: BudgetLog) -> None:
    product = alias.search("dd1391-100")
    assert product is not None
    assert product.variants is not None
    quotes = {data.variant_id: data for data in alias.quotes(product.product_id, "10", "USD")}
    assert quotes.keys() == {variant.variant_id for variant in product.variants}
    ten = quotes["10"]
    assert ten.lowest_ask is not None
    assert ten.highest_bid is not None
    assert Decimal(100) < ten.highest_bid < ten.lowest_ask < Decimal(500)
    assert alias.variants(product.product_id) == list(product.variants)
    assert (calls.taken, len(sandbox.requests(status=200))) == (3, 3)


@pytest.mark.parametrize(
    ("sku", "size", "system"), [("DD1503-101", "8", "us-w"), ("CW1590-100", "5", "us-y"), ("M2002RDA", "9", "us")]
)
def test_alias_has_womens_and_childrens_sizes(alias: Alias, sku: str, size: str, system: str) -> None:
    product = alias.search(sku)
    assert product is not None
    assert size in [variant.sizes[system] for variant in product.variants or ()]


def test_alias_does_not_take_a_neighbour(alias: Alias) -> None:
    assert alias.search("DD1391-102") is None


@pytest.mark.parametrize(
    ("sku", "variant_id", "currency"),
    [
        ("DD1391-100", "us:10", "USD"),
        ("DD1391-100", "uk:9", "GBP"),
        ("CP9654", "eu:42 2/3", "EUR"),
        ("DD1503-101", "us-w:8", "CAD"),
        ("CW1590-100", "us:5Y", "AUD"),
        ("SLUICE-CARD-1", "us:ONE SIZE", "USD"),
    ],
)
def test_ebay_has_asks(
    ebay: EBay, sandbox: Sandbox, calls: BudgetLog, sku: str, variant_id: str, currency: str
) -> None:
    (data,) = ebay.quotes(sku, variant_id, currency)
    assert data.lowest_ask is not None
    assert data.median_ask is not None
    assert data.asks is not None
    assert data.lowest_ask < data.median_ask
    assert data.asks > 3
    assert (calls.taken, len(sandbox.requests())) == (1, 2)


def test_ebay_has_none_of_what_nobody_sells(ebay: EBay) -> None:
    (data,) = ebay.quotes("ZZ0000-000", "us:10", "USD")
    assert (data.lowest_ask, data.asks) == (None, 0)


def test_ebay_is_closed_until_its_own_reset(ebay: EBay, sandbox: Sandbox, calls: BudgetLog) -> None:
    ebay.quotes("DD1391-100", "us:10", "USD")
    sandbox.set_limits(Limits(per_day=1, retry_after=False), "ebay")
    with pytest.raises(errors.RateLimited) as caught:
        ebay.quotes("DD1391-100", "us:10", "USD")
    midnight = NOON - NOON % DAY + DAY
    assert caught.value.retry_at == calls.closed[-1] == midnight


def test_a_warning_stops_a_price(ebay: EBay, sandbox: Sandbox) -> None:
    sandbox.faults.set(AddField(path="/buy/*", field="warnings", value=[{"errorId": 12002, "message": "left out"}]))
    with pytest.raises(errors.BadRequest, match="left out"):
        ebay.quotes("DD1391-100", "us:10", "USD")


def _alias_asks(adapter: Adapter) -> object:
    return adapter.quotes("nike-dunk-low-retro-white-black-panda-1", "10", "USD")


def _ebay_asks(adapter: Adapter) -> object:
    return adapter.quotes("DD1391-100", "us:10", "USD")


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (ServerError(path="{}", status=502), errors.Unavailable),
        (NotFound(path="{}"), errors.NotFound),
        (MalformedJson(path="{}"), errors.BadAnswer),
        (MalformedJson(path="{}", html=True), errors.BadAnswer),
        (DropField(path="{}", field="{}"), errors.BadAnswer),
        (Hang(path="{}"), errors.TimedOut),
        (Drip(path="{}", chunk_bytes=1, pause_ms=100), errors.TimedOut),
        (Throttle(path="{}"), errors.RateLimited),
    ],
)
@pytest.mark.parametrize("name", ["alias", "ebay"])
def test_faults(
    name: str,
    fault: Fault,
    kind: type[MarketplaceFailure],
    alias: Alias,
    ebay: EBay,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    adapter: Alias | EBay = alias if name == "alias" else ebay
    ask: Callable[[Adapter], object] = _alias_asks if name == "alias" else _ebay_asks
    ask(adapter)  # a token is there, so that the fault meets this call alone
    path, field = ("/api/v1/*", "variants") if name == "alias" else ("/buy/*", "itemSummaries")
    change = {"path": path} | ({"field": field} if isinstance(fault, DropField) else {})
    sandbox.faults.set(fault.model_copy(update=change))
    sandbox.world.log.clear()
    if kind is errors.TimedOut:  # what answers has the time of a busy machine
        give_up(monkeypatch, adapter._session._transport, HASTE, sandbox.requests)
    with pytest.raises(kind):
        ask(adapter)
    sandbox.wait_for(1)  # it may come to be read only after its caller has left
    assert len([entry for entry in sandbox.requests() if entry.counted]) == 1


def test_a_429_of_alias_closes_its_budget(alias: Alias, sandbox: Sandbox, calls: BudgetLog) -> None:
    sandbox.faults.set(Throttle(path="/api/*"))
    with pytest.raises(errors.RateLimited):
        alias.search("DD1391-100")
    assert calls.closed == [NOON + MINUTE]


def test_a_personal_token_that_is_revoked(alias: Alias, sandbox: Sandbox) -> None:
    sandbox.faults.set(RevokedToken(path="/api/*", last=1))
    for _ in range(2):
        with pytest.raises(AccountBroken, match="is BROKEN"):
            alias.search("DD1391-100")
    assert len(sandbox.requests()) == 1
    assert accounts.statuses(["alias:acme", "ebay:acme"]) == {"alias:acme": "BROKEN", "ebay:acme": "ACTIVE"}


def test_an_application_token_that_ended_early(ebay: EBay, sandbox: Sandbox) -> None:
    sandbox.faults.set(ExpiredToken(path="/buy/*", last=1))
    assert ebay.quotes("DD1391-100", "us:10", "USD")
    assert len(sandbox.requests(path="/identity/*")) == 2


def test_an_application_that_gets_no_token(ebay: EBay, sandbox: Sandbox) -> None:
    sandbox.faults.set(RefuseRefresh())
    with pytest.raises(AccountBroken, match="is BROKEN"):
        ebay.quotes("DD1391-100", "us:10", "USD")
    assert sandbox.requests(path="/buy/*") == []
