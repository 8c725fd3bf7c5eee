"""What each of eBay's error ids about ads leads to: one table, looked at from the promises that it has to keep."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.jobs.model.outcomes import Then
from sluice.marketplaces.ebay.ad_errors import FEW_MINUTES, MEANINGS, meaning
from sluice.marketplaces.http import errors
from sluice.marketplaces.http.errors import MarketplaceFailure
from tests.unit.marketplaces.ebay_answers import documented_ids
from tests.unit.marketplaces.fakes import NOON

CALLS = (
    ("GET", "/sell/marketing/v1/ad_campaign"),
    ("GET", "/sell/marketing/v1/ad_campaign/1"),
    ("GET", "/sell/marketing/v1/ad_campaign/1/ad"),
    ("GET", "/sell/marketing/v1/ad_campaign/find_campaign_by_ad_reference"),
    ("POST", "/sell/marketing/v1/ad_campaign/1/ad"),
    ("POST", "/sell/marketing/v1/ad_campaign/1/bulk_create_ads_by_listing_id"),
    ("POST", "/sell/marketing/v1/ad_campaign/1/bulk_update_ads_bid_by_listing_id"),
)


def told(code: str | None, status: int = 400, kind: type[MarketplaceFailure] = errors.BadRequest) -> MarketplaceFailure:
    return meaning(kind("ebay POST /x: eBay says no", status=status, code=code), NOON)


@pytest.mark.parametrize("code", ["35048", "35061", "35002", "35001", "99999"])
def test_what_may_pass_is_tried_again(code: str) -> None:
    assert told(code).action is Then.RETRY
    assert told(code).code == code


@pytest.mark.parametrize("code", ["35002", "35061"])
def test_ebay_asks_for_a_few_minutes(code: str) -> None:
    assert told(code).retry_at == NOON + FEW_MINUTES


@pytest.mark.parametrize(("code", "uncertain"), [("35001", True), ("35002", True), ("35048", False), ("35036", False)])
def test_where_the_ad_may_be_there_all_the_same(code: str, uncertain: bool) -> None:
    assert told(code).uncertain is uncertain


def test_an_ad_that_is_there_already() -> None:
    assert isinstance(told("35036"), errors.AlreadyExists)


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("35045", "no such campaign"),
        ("35035", "has ended"),
        ("35063", "about to"),
        ("35007", "rate from 2.0 to 100.0"),
        ("35067", "accept eBay's terms"),
        ("35077", "seller level"),
        ("35078", "seller level"),
        ("35057", "another seller's"),
        ("35103", "is full"),
        ("1100", "scope sell.marketing"),
    ],
)
def test_what_only_the_seller_can_mend_ends_the_job_and_says_how(code: str, advice: str) -> None:
    failure = told(code)
    assert failure.action is Then.BUSINESS
    # First, because what a job keeps of a message is its beginning.
    assert advice in failure.message.partition("(")[0]
    assert "eBay says no" in failure.message


@pytest.mark.parametrize("code", sorted(MEANINGS))
def test_every_refusal_is_for_the_seller_who_is_told_what_to_do(code: str) -> None:
    if MEANINGS[code].kind is errors.Rejected:
        assert len(MEANINGS[code].advice) > 20


def test_a_404_without_an_id_is_a_campaign_that_is_not_there() -> None:
    assert "no such campaign" in told(None, 404, errors.NotFound).message


@pytest.mark.parametrize(
    "failure",
    [
        errors.RateLimited("used up", status=429, code="2001", retry_at=NOON),
        errors.AccountBroken("broken"),
        errors.TokenBusy("busy", retry_at=NOON),
        errors.TimedOut("no answer", uncertain=True),
        errors.Unavailable("no token: 404", status=404),
        errors.Unavailable("down", status=503, retry_at=NOON),
        errors.BadAnswer("no JSON", status=200),
        errors.Rejected("no refresh token", code="no_user"),
    ],
)
def test_what_is_clear_without_an_id_stays_as_it_is(failure: MarketplaceFailure) -> None:
    assert meaning(failure, NOON) is failure


@given(st.integers(400, 499).filter(lambda status: status not in (401, 429)), st.text(max_size=12), st.text())
def test_no_refusal_with_an_unknown_id_ends_a_job(status: int, code: str, words: str) -> None:
    kind = errors.Rejected if status in (402, 409, 422) else errors.BadRequest
    failure = meaning(kind(words, status=status, code=code), NOON)
    if code not in MEANINGS:
        assert isinstance(failure, errors.UnknownReason)
        assert (failure.action, failure.status) == (Then.RETRY, status)


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_every_id_that_ebay_documents_for_our_calls_has_a_meaning(method: str, path: str) -> None:
    """But for those of filters that are not sent."""
    unsent = {"35012", "35027", "35028", "35031", "35032", "35079", "35123"}
    assert set(documented_ids(method, path)) - unsent - MEANINGS.keys() == set()
