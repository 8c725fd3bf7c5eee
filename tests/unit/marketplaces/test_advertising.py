"""What can be asked for: rates, campaigns that take ads, and accounts that may place them."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.marketplaces import advertising
from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.accounts.table import Status
from sluice.marketplaces.advertising import LEAST_RATE, MOST_RATE, Campaign
from sluice.platform.refused import Refused
from tests.unit.marketplaces.fakes import NOON

APPLICATION = {"client_id": "client-of-acme", "client_secret": "secret-of-acme"}
SELLER = {**APPLICATION, "refresh_token": "v^1.1#refresh-of-acme"}


@given(st.decimals(LEAST_RATE, MOST_RATE, places=1))
def test_every_rate_of_one_decimal_place_is_taken_as_it_is_written(wanted: Decimal) -> None:
    assert advertising.rate(str(wanted)) == wanted
    assert str(advertising.rate(str(wanted))) == f"{wanted:.1f}"


@pytest.mark.parametrize(("text", "found"), [("2", "2.0"), ("5", "5.0"), ("5.5", "5.5"), ("100", "100.0")])
def test_a_whole_rate_gets_its_decimal_place(text: str, found: str) -> None:
    assert str(advertising.rate(text)) == found


@given(st.text(max_size=6) | st.decimals().map(str) | st.floats().map(str) | st.integers().map(str))
def test_anything_else_is_refused_or_is_that_rate(text: str) -> None:
    with suppress(ValueError):
        found = advertising.rate(text)
        assert LEAST_RATE <= found <= MOST_RATE
        assert found == Decimal(text)


@pytest.mark.parametrize(
    "text", ["1.9", "100.1", "5.25", "NaN", "Infinity", "1e1", "-5.0", "+5.0", "", " 5", "5.", "\u0665"]
)
def test_what_is_no_rate(text: str) -> None:
    with pytest.raises(ValueError, match="at most one decimal place"):
        advertising.rate(text)


@pytest.mark.parametrize(
    ("campaign", "takes"),
    [
        (Campaign("1", "PLS", "RUNNING", cost_per_sale=True), True),
        (Campaign("1", "PLS", "PAUSED", cost_per_sale=True), True),
        (Campaign("1", "PLS", "ENDED", cost_per_sale=True), False),
        (Campaign("1", "PLS", "RUNNING", cost_per_sale=False), False),
        (Campaign("1", "PLS", "RUNNING", cost_per_sale=True, by_rules=True), False),
    ],
)
def test_which_campaigns_take_ads(campaign: Campaign, takes: bool) -> None:
    assert campaign.takes_ads is takes


def test_who_may_ask_for_ads(cloud: None) -> None:
    assert advertising.refusal("ebay:acme") == "no ebay account is connected; connect it with PUT /v1/accounts/ebay"
    accounts.connect("ebay", "acme", APPLICATION, NOON)
    assert "without a refresh_token" in (advertising.refusal("ebay:acme") or "")
    accounts.connect("ebay", "acme", SELLER, NOON)
    assert advertising.refusal("ebay:acme") is None
    accounts.mark("ebay:acme", Status.BROKEN, "401", NOON, 2)
    assert advertising.refusal("ebay:acme") is None
    accounts.connect("ebay", "acme", APPLICATION, NOON)
    assert "without a refresh_token" in (advertising.refusal("ebay:acme") or "")


@pytest.mark.parametrize("wrong", ["", 5, None, "two words"])
def test_a_refresh_token_that_is_given_must_be_one(cloud: None, wrong: object) -> None:
    with pytest.raises(Refused, match="refresh_token"):
        accounts.connect("ebay", "acme", {**APPLICATION, "refresh_token": wrong}, NOON)
