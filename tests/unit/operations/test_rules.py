"""What may be asked of a listing: amounts, currencies, expiry, states; and what words mean."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.listings.stockx import bodies, changes, results
from sluice.listings.stockx.changes import Action, Change, ListingStatus, Status, decode, merged
from sluice.listings.stockx.results import AFTER, LISTING_WORDS, meaning, of_batch, shows
from sluice.marketplaces import registry, selling
from sluice.marketplaces.selling import Terms
from sluice.platform import money
from tests.support.desk import NOON

DAY = 86_400_000


@pytest.mark.parametrize(
    ("value", "currency", "written"),
    [
        ("150", "USD", "150"),
        ("150.5", "USD", "150.50"),
        ("150.00", "USD", "150"),
        (150, "USD", "150"),
        (150.25, "USD", "150.25"),
        ("0.01", "EUR", "0.01"),
        ("20000", "JPY", "20000"),
        ("1.250", "KWD", "1.25"),
        ("1.255", "KWD", "1.255"),
        ("1.500", "BHD", "1.50"),
        ("12.005", "TND", "12.005"),
    ],
)
def test_amounts_are_written_in_one_way(value: object, currency: str, written: str) -> None:
    assert money.amount(value, currency) == written


@pytest.mark.parametrize(
    ("value", "currency", "why"),
    [
        ("1.000", "USD", "at most 2 decimals in USD"),
        ("1.250", "EUR", "at most 2 decimals in EUR"),
        ("25.000", "JPY", "no decimals in JPY"),
        ("20000.0", "JPY", "no decimals in JPY"),
        ("99999999.99", "KRW", "no decimals in KRW"),
        ("12.5", "VND", "no decimals in VND"),
        ("1.2500", "KWD", "at most 3 decimals in KWD"),
        ("1.0000", "OMR", "at most 3 decimals in OMR"),
        ("1.0000", "JOD", "at most 3 decimals in JOD"),
        (20000.0, "JPY", "no decimals in JPY"),
    ],
)
def test_more_decimals_than_the_currency_has_are_refused_as_they_are_written(
    value: object, currency: str, why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        money.amount(value, currency)


def test_every_currency_in_which_there_are_prices_has_the_decimals_of_iso_4217() -> None:
    known = {currency for one in registry.MARKETPLACES.values() for currency in one.currencies}
    others = {currency: money.decimals(currency) for currency in known if money.decimals(currency) != 2}
    assert others == {"CLP": 0, "JPY": 0, "KRW": 0, "VND": 0, "KWD": 3}


@given(st.integers(1, 10**10), st.sampled_from(["JPY", "USD", "KWD", "CLF"]))
def test_no_digit_of_an_amount_is_lost(units: int, currency: str) -> None:
    places = money.decimals(currency)
    number = Decimal(units).scaleb(-places)
    if number < money.MOST_AMOUNT:
        assert Decimal(money.amount(f"{number:f}", currency)) == number


@pytest.mark.parametrize(("value", "currency"), [("150.50", "USD"), ("161.50", "EUR"), (150.5, "USD"), ("0.99", "GBP")])
def test_stockx_takes_whole_amounts_only(value: object, currency: str) -> None:
    with pytest.raises(ValueError, match="must be a whole amount: stockx takes no decimals"):
        bodies.read_amount(value, currency, "stockx")
    assert bodies.read_amount("150.00", "USD", "stockx") == "150"


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("0", "above zero"),
        ("-1", "above zero"),
        (0, "above zero"),
        (-150, "above zero"),
        ("0.00", "above zero"),
        ("150.505", "at most 2 decimals"),
        (1.005, "at most 2 decimals"),
        ("100000000", "below"),
        ("1e3", "must be a decimal"),
        ("abc", "must be a decimal"),
        ("", "must be a decimal"),
        (" 150", "must be a decimal"),
        ("1_000", "must be a decimal"),
        ("1,50", "must be a decimal"),
        ("NaN", "must be a decimal"),
        ("Infinity", "must be a decimal"),
        (1e-7, "must be a decimal"),
        (True, "must be a decimal"),
        (None, "must be a decimal"),
        ("٣", "must be a decimal"),
        ("9" * 400, "must be a decimal"),
    ],
)
def test_what_is_no_amount_is_refused_in_words(value: object, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        money.amount(value, "USD")


@given(st.decimals(min_value="0.01", max_value="99999999", places=2))
def test_an_amount_keeps_its_value(value: Decimal) -> None:
    written = money.amount(str(value), "USD")
    assert Decimal(written) == value
    assert money.amount(written, "USD") == written


def test_listing_currencies_are_those_of_the_document() -> None:
    known = registry.get("stockx").listing_currencies
    assert known == {"AUD", "CAD", "CHF", "EUR", "GBP", "HKD", "JPY", "KRW", "MXN", "NZD", "SGD", "USD"}
    with pytest.raises(ValueError, match="AUD, CAD"):
        bodies.read_currency("BRL", "stockx")


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("2026-11-22T11:59:59Z", "in the future"),
        ("2026-11-22T12:00:00Z", "in the future"),
        ("2020-01-01T00:00:00+02:00", "in the future"),
        ("2027-01-01T00:00:00", "time zone"),
        ("2027-01-01", "time zone"),
        ("tomorrow", "must be a time"),
        ("", "must be a time"),
        ("2030-01-01T00:00:00Z", "within 999 days"),
        ("9999-12-31T23:59:59-12:00", "must be a time"),
        ("0001-01-01T00:00:00+12:00", "must be a time|in the future"),
    ],
)
def test_what_is_no_expiry_is_refused_in_words(value: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        bodies.read_expiry(value, NOON)


def test_an_expiry_is_a_moment() -> None:
    assert bodies.read_expiry("2026-11-23T12:00:00Z", NOON) == NOON + DAY
    assert bodies.read_expiry("2026-11-23T14:00:00+02:00", NOON) == NOON + DAY


@pytest.mark.parametrize("status", sorted(changes.OVER))
@pytest.mark.parametrize("action", [action for action in Action if action is not Action.CREATE])
def test_a_listing_that_is_over_takes_no_change(status: str, action: Action) -> None:
    assert status in str(changes.refusal(status, action))


def test_the_two_vocabularies() -> None:
    words = {
        Status.IN_PROGRESS: ["queued", "processing", "PENDING", "IN_PROGRESS", "QUEUED"],
        Status.COMPLETED: ["completed", "SUCCEEDED", "COMPLETED"],
        Status.FAILED: ["failed", "FAILED"],
        Status.PARTIAL: ["partial_success"],
    }
    for status, known in words.items():
        assert {meaning(word) for word in known} == {status}
    assert meaning("REVERTED") is None
    assert meaning("") is None


def test_every_action_has_what_it_leads_to() -> None:
    active = {Action.CREATE, Action.ACTIVATE}
    expected = dict.fromkeys(active, ListingStatus.ACTIVE)
    assert expected | {Action.DEACTIVATE: ListingStatus.INACTIVE, Action.DELETE: ListingStatus.DELETED} == AFTER
    assert set(LISTING_WORDS) == {"ACTIVE", "INACTIVE", "DELETED", "CANCELED", "MATCHED", "COMPLETED"}


@pytest.mark.parametrize(
    ("completed", "failed", "status"), [(3, 0, "COMPLETED"), (2, 1, "PARTIAL"), (0, 3, "FAILED"), (0, 0, "COMPLETED")]
)
def test_a_batch_with_failed_items_is_partial(completed: int, failed: int, status: str) -> None:
    assert of_batch(completed, failed) == status


def change(action: Action, terms: Terms | None = None, *, active: bool = True) -> Change:
    return Change(1, action, "job", NOON, "ann", terms or Terms(), active)


def seen(
    word: str = "ACTIVE", amount: str | None = "150", currency: str = "USD", until: int | None = None
) -> selling.MarketListing:
    return selling.MarketListing("id", word, Decimal(amount) if amount else None, currency, until, "v", NOON)


@pytest.mark.parametrize(
    ("wanted", "listing", "answer"),
    [
        (change(Action.DELETE), None, True),
        (change(Action.DELETE), seen("DELETED"), True),
        (change(Action.DELETE), seen(), False),
        (change(Action.UPDATE, Terms("150", "USD")), seen(), True),
        (change(Action.UPDATE, Terms("150.00", "USD")), seen(), True),
        (change(Action.UPDATE, Terms("140", "USD")), seen(), False),
        (change(Action.UPDATE, Terms("150", "EUR")), seen(), False),
        (change(Action.UPDATE, Terms(expires_at=NOON + DAY)), seen(until=NOON + DAY + 400), True),
        (change(Action.UPDATE, Terms(expires_at=NOON + DAY)), seen(until=NOON + 2 * DAY), False),
        (change(Action.UPDATE, Terms("150", "USD")), seen("MATCHED"), False),
        (change(Action.UPDATE, Terms("150", "USD")), None, False),
        (change(Action.ACTIVATE, Terms("150", "USD")), seen(), True),
        (change(Action.ACTIVATE), seen("INACTIVE"), False),
        (change(Action.DEACTIVATE), seen("INACTIVE"), True),
        (change(Action.DEACTIVATE), seen("SOMETHING_NEW"), None),
        (change(Action.UPDATE, Terms("140", "USD")), seen("INACTIVE", None), None),
        (change(Action.UPDATE, Terms(expires_at=NOON + DAY)), seen("INACTIVE"), None),
        (change(Action.UPDATE, Terms("140", "EUR")), seen("INACTIVE", None), False),
        (change(Action.CREATE, Terms("150", "USD")), seen(), True),
        (change(Action.CREATE, Terms("150", "USD")), seen("INACTIVE"), False),
        (change(Action.CREATE, Terms("150", "USD"), active=False), seen("INACTIVE", None), True),
        (change(Action.CREATE), None, False),
    ],
)
def test_whether_a_listing_shows_the_change(
    wanted: Change, listing: selling.MarketListing | None, answer: bool | None
) -> None:
    assert shows(wanted, listing) is answer


def test_a_create_that_is_not_to_be_active_becomes_inactive() -> None:
    assert results.succeeded(change(Action.CREATE, active=False)).becomes is ListingStatus.INACTIVE


def test_a_failed_change_leaves_a_listing_as_it_was_and_a_failed_create_leaves_none() -> None:
    assert results.failed(change(Action.UPDATE), "x", "y").becomes is None
    assert results.failed(change(Action.CREATE), "x", "y").becomes is ListingStatus.FAILED


terms = st.builds(
    Terms,
    amount=st.none() | st.just("150"),
    currency=st.none() | st.just("EUR"),
    expires_at=st.none() | st.integers(0, 2**50),
)


@given(
    st.builds(
        Change, st.integers(1), st.sampled_from(Action), st.text(), st.integers(0), st.text(), terms, st.booleans()
    )
)
def test_a_change_is_stored_whole(one: Change) -> None:
    assert decode(one.encode()) == one


@given(terms, terms)
def test_of_two_updates_the_newer_one_has_the_last_word(older: Terms, newer: Terms) -> None:
    both = merged(older, newer)
    for name in ("amount", "currency", "expires_at"):
        word = getattr(newer, name)
        assert getattr(both, name) == (getattr(older, name) if word is None else word)
