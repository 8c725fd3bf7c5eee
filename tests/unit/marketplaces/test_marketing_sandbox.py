"""The Marketing adapter against the sandbox, over a real connection."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from local.sandbox.ebay.marketing.faults import RefuseAd
from local.sandbox.faults import (
    AddField,
    Disconnect,
    Drip,
    DropField,
    EmptyAnswer,
    ExpiredToken,
    Fault,
    Hang,
    MalformedJson,
    NullField,
    RefuseRefresh,
    RetypeField,
    RevokedToken,
    ServerError,
    Throttle,
)
from local.sandbox.limits import Limits
from local.sandbox.server import Sandbox
from sluice.jobs.model.outcomes import Then
from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.advertising import AdResult
from sluice.marketplaces.ebay.marketing import Marketing
from sluice.marketplaces.http import errors, transport
from sluice.marketplaces.http.errors import AccountBroken, AlreadyExists, MarketplaceFailure, NotReady, RateLimited
from sluice.platform.clock import DAY, MINUTE
from sluice.platform.settings import settings
from tests.support.clock import VirtualClock
from tests.support.haste import give_up
from tests.support.stack import until
from tests.unit.marketplaces.fakes import NOON, BudgetLog

ACCOUNT = "ebay:acme"
API = "/sell/marketing/v1/*"
# A whole call's time where no answer comes within it.
HASTE = 0.2
RATE = Decimal("5.5")
LISTINGS = [f"11055000000{number}" for number in range(4)]


@pytest.fixture
def time() -> VirtualClock:
    return VirtualClock(NOON)


@pytest.fixture
def sandbox(time: VirtualClock, cloud: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """`acme` has just connected, and its listings are known."""
    with Sandbox(clock=time.now, limits=Limits()) as running:
        given = running.connect("acme")
        names = ("client_id", "client_secret", "refresh_token")
        accounts.connect("ebay", "acme", {name: getattr(given, name) for name in names}, NOON)
        for listing in LISTINGS:
            running.publish("acme", listing, known_after_s=0)
        monkeypatch.setenv("EBAY_API_URL", running.url)
        settings.cache_clear()
        yield running
        transport.forget()
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def marketing(sandbox: Sandbox, calls: BudgetLog, time: VirtualClock) -> Marketing:
    return Marketing.open(ACCOUNT, calls, time)


@pytest.fixture
def campaign(marketing: Marketing, sandbox: Sandbox) -> str:
    return sandbox.world.ads.add_campaign("acme", "PLS", NOON).campaign_id


def _one(results: list[AdResult]) -> AdResult:
    (result,) = results
    return result


def test_from_no_campaign_to_a_new_rate(
    marketing: Marketing, sandbox: Sandbox, time: VirtualClock, calls: BudgetLog
) -> None:
    assert (marketing.running_campaigns(), marketing.campaign_named("Sluice")) == ([], None)
    made = marketing.create_campaign("Sluice", time.now())
    assert marketing.campaign_named("Sluice") == marketing.campaign(made.campaign_id) == made
    assert _one(marketing.create_ads(made.campaign_id, {LISTINGS[0]: RATE})).error is None
    time.time += MINUTE
    [running] = marketing.running_campaigns()
    assert running
    assert running.campaign_id == made.campaign_id
    several = marketing.create_ads(made.campaign_id, dict.fromkeys(LISTINGS[1:], RATE))
    assert [ad.ad_id for ad in sandbox.ads("acme")][1:] == [result.ad_id for result in several]
    marketing.set_rate(made.campaign_id, LISTINGS[0], Decimal("7.0"))
    for found in (marketing.ads(LISTINGS[0]), marketing.ads(LISTINGS[0], made.campaign_id)):
        assert [(ad.campaign_id, ad.rate) for ad in found] == [(made.campaign_id, Decimal("7.0"))]
    assert calls.taken == len(sandbox.requests(marketplace="ebay-marketing")) == 12
    with pytest.raises(AlreadyExists):
        marketing.create_campaign("Sluice", time.now())


def test_a_listing_is_promoted_when_it_is_known(
    marketing: Marketing, campaign: str, sandbox: Sandbox, time: VirtualClock
) -> None:
    known_at = sandbox.publish("acme", "110999999999").known_at_ms
    assert isinstance(_one(marketing.create_ads(campaign, {"110999999999": RATE})).error, NotReady)
    time.time = known_at
    assert _one(marketing.create_ads(campaign, {"110999999999": RATE})).ad_id
    assert isinstance(_one(marketing.create_ads(campaign, {"110999999999": RATE})).error, AlreadyExists)


def test_another_sellers_campaign(marketing: Marketing, sandbox: Sandbox) -> None:
    other = sandbox.world.ads.add_campaign("mallory", "theirs", NOON).campaign_id
    with pytest.raises(errors.Rejected, match="no such campaign"):
        marketing.campaign(other)
    assert isinstance(_one(marketing.create_ads(other, {LISTINGS[0]: RATE})).error, errors.Rejected)
    assert sandbox.ads("acme") == []


@pytest.mark.parametrize(
    ("fault", "kind", "made"),
    [
        (RefuseAd(error_id=35048), NotReady, False),
        (RefuseAd(error_id=35001), errors.Unavailable, False),
        (RefuseAd(error_id=35001, effect=True), errors.Unavailable, True),
        (RefuseAd(error_id=35061), NotReady, False),
        (RefuseAd(error_id=35067), errors.Rejected, False),
        (RefuseAd(error_id=99999), errors.UnknownReason, False),
        (EmptyAnswer(method="POST", path=API), errors.BadAnswer, True),
        (ServerError(path=API, status=500), errors.Unavailable, False),
        (ServerError(path=API, status=503), errors.Unavailable, False),
        (Disconnect(path=API), errors.Unavailable, True),
        (Hang(path=API), errors.TimedOut, True),
        (Drip(path=API, chunk_bytes=1, pause_ms=600), None, True),
    ],
)
def test_a_fault_of_one_ad_is_told_for_what_it_is(
    marketing: Marketing,
    campaign: str,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    fault: Fault,
    kind: type[MarketplaceFailure] | None,
    made: bool,
) -> None:
    sandbox.faults.set(fault)
    sandbox.world.log.clear()
    with monkeypatch.context() as patch:
        if isinstance(fault, Hang):
            give_up(patch, marketing._session._transport, HASTE, lambda: sandbox.requests(path=API))
        error = _one(marketing.create_ads(campaign, {LISTINGS[0]: RATE})).error
    assert type(error) is (kind or type(None))
    until(lambda: bool(sandbox.ads("acme")) is made, "eBay has done what was asked, also for a caller who has left")
    if error and made:
        assert (error.action, error.uncertain) == (Then.RETRY, True)
    sandbox.faults.clear()
    assert len(marketing.ads(LISTINGS[0], campaign)) == int(made)


@pytest.mark.parametrize(
    "fault",
    [
        MalformedJson(path=API),
        MalformedJson(path=API, html=True),
        EmptyAnswer(path=API),
        RetypeField(path=API, field="responses"),
        DropField(path=API, field="listingId"),
        NullField(path=API, field="adId"),
        RetypeField(path=API, field="statusCode"),
        AddField(path=API),
    ],
)
def test_spoiled_bulk_answers_never_say_made_of_what_is_not_and_lose_no_listing(
    marketing: Marketing, campaign: str, sandbox: Sandbox, fault: Fault
) -> None:
    sandbox.faults.set(fault, RefuseAd(error_id=35067, listing=LISTINGS[1]))
    results = marketing.create_ads(campaign, dict.fromkeys(LISTINGS, RATE))
    there = {ad.listing_id: ad.ad_id for ad in sandbox.ads("acme")}
    assert [result.listing_id for result in results] == LISTINGS
    for result in results:
        if result.error is None:
            assert there[result.listing_id] == result.ad_id
        elif result.listing_id in there:
            assert result.error.uncertain


def test_the_token_is_renewed_once_and_then_given_up(marketing: Marketing, campaign: str, sandbox: Sandbox) -> None:
    sandbox.faults.set(ExpiredToken(path=API, last=1))
    assert marketing.campaign(campaign).takes_ads
    assert len(sandbox.requests(path="/identity/*")) == 2
    sandbox.faults.set(RevokedToken(path=API))
    with pytest.raises(AccountBroken):
        marketing.campaign(campaign)
    assert accounts.statuses([ACCOUNT], "ebay-marketing") == {ACCOUNT: "BROKEN"}


def test_a_refused_refresh_breaks_the_account_before_any_call(marketing: Marketing, sandbox: Sandbox) -> None:
    sandbox.faults.set(RefuseRefresh(path="/identity/*"))
    with pytest.raises(AccountBroken):
        marketing.running_campaigns()
    assert accounts.statuses([ACCOUNT], "ebay-marketing") == {ACCOUNT: "EXPIRED"}
    assert sandbox.requests(marketplace="ebay-marketing") == []


def test_a_used_up_day_closes_the_budget_until_the_next(
    marketing: Marketing, campaign: str, sandbox: Sandbox, calls: BudgetLog
) -> None:
    sandbox.set_limits(Limits(per_day=1, retry_after=False), "ebay-marketing")
    marketing.campaign(campaign)
    with pytest.raises(RateLimited) as caught:
        marketing.create_ads(campaign, dict.fromkeys(LISTINGS, RATE))
    assert caught.value.retry_at == calls.closed[-1] == NOON - NOON % DAY + DAY


def test_a_throttled_call_closes_it_for_as_long_as_ebay_says(
    marketing: Marketing, campaign: str, sandbox: Sandbox, calls: BudgetLog
) -> None:
    sandbox.faults.set(Throttle(path=API, retry_after_s=120))
    with pytest.raises(RateLimited):
        marketing.create_ads(campaign, {LISTINGS[0]: RATE})
    assert calls.closed[0] == NOON + 2 * MINUTE
