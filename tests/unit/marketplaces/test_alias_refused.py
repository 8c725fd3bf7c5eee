"""What the Alias adapter does when its token is not accepted, and what each of Alias's codes means."""

import httpx
import pytest

from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.accounts import token_cache
from sluice.marketplaces.alias.adapter import CODES
from sluice.marketplaces.http.errors import (
    AccountBroken,
    BadRequest,
    Forbidden,
    MarketplaceFailure,
    NotFound,
    RateLimited,
    Rejected,
    Unavailable,
)
from sluice.platform.clock import MINUTE, SECOND
from tests.unit.marketplaces.alias_answers import (
    ACCOUNT,
    CATALOG_ID,
    TOKEN,
    alias_with,
    connect,
    error,
    open_alias,
    prices,
    row,
)
from tests.unit.marketplaces.conftest import Events
from tests.unit.marketplaces.fakes import NOON, BudgetLog, Network, answer

pytestmark = pytest.mark.usefixtures("cloud")


@pytest.fixture(autouse=True)
def _connected(cloud: None) -> None:
    connect()


def _ask(*answers: httpx.Response, calls: BudgetLog | None = None) -> MarketplaceFailure:
    with pytest.raises(MarketplaceFailure) as caught:
        open_alias(Network(*answers), calls).quotes(CATALOG_ID, "10", "USD")
    return caught.value


@pytest.mark.parametrize(("status", "code"), [(401, 16), (400, 16)])
def test_a_token_that_is_refused_breaks_the_account_at_once(status: int, code: int, events: Events) -> None:
    network, calls = Network(error(status, code)), BudgetLog()
    alias = open_alias(network, calls)
    for _ in range(2):
        with pytest.raises(AccountBroken) as caught:
            alias.quotes(CATALOG_ID, "10", "USD")
        assert TOKEN not in str(caught.value)
    assert accounts.statuses([ACCOUNT]) == {ACCOUNT: "BROKEN"}
    assert (len(network.sent), calls.taken, len(events)) == (1, 1, 1)


@pytest.mark.parametrize(("status", "code"), [(403, 7), (400, 7)])
def test_a_scope_that_the_token_lacks_breaks_nothing(status: int, code: int, events: Events) -> None:
    failure = _ask(error(status, code))
    assert (type(failure), failure.action) == (Forbidden, "business")
    assert "said no" in failure.message
    assert (accounts.statuses([ACCOUNT]), events) == ({ACCOUNT: "ACTIVE"}, [])
    assert alias_with(prices(row())).quotes(CATALOG_ID, "10", "USD")


def test_a_token_that_was_replaced_meanwhile_is_used(events: Events) -> None:
    def connected_again(_: httpx.Request) -> httpx.Response:
        connect("pat-number-two-0123456789")
        return error(401, 16)

    network = Network(connected_again, prices(row()))
    assert open_alias(network).quotes(CATALOG_ID, "10", "USD")
    assert network.sent[1].headers["authorization"] == "Bearer pat-number-two-0123456789"
    assert (accounts.statuses([ACCOUNT]), events) == ({ACCOUNT: "ACTIVE"}, [])


def test_connecting_again_mends_the_account(events: Events) -> None:
    _ask(error(401, 16))
    connect("pat-number-two-0123456789")
    assert alias_with(prices(row())).quotes(CATALOG_ID, "10", "USD")
    assert len(events) == 1


def test_another_process_sees_a_broken_account_without_a_call() -> None:
    _ask(error(401, 16))
    token_cache.forget()
    calls = BudgetLog()
    assert isinstance(_ask(prices(row()), calls=calls), AccountBroken)
    assert calls.taken == 0


def test_a_firewalls_403_is_no_fault_of_the_account(events: Events) -> None:
    assert isinstance(_ask(httpx.Response(403, text="<html>")), Unavailable)
    assert (accounts.statuses([ACCOUNT]), events) == ({ACCOUNT: "ACTIVE"}, [])


def test_every_code_of_grpc_has_a_meaning() -> None:
    assert CODES.keys() == {str(code) for code in range(1, 17)}


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, 3, BadRequest),
        (400, 11, BadRequest),
        (501, 12, BadRequest),
        (404, 5, NotFound),
        (400, 5, NotFound),
        (402, 9, Rejected),
        (400, 9, Rejected),
        (402, None, Rejected),
        (409, 6, Rejected),
        (409, 10, Unavailable),
        (409, None, Unavailable),
        (500, 13, Unavailable),
        (503, 14, Unavailable),
        (504, 4, Unavailable),
        (499, 1, Unavailable),
        (500, 2, Unavailable),
        (400, 99, BadRequest),
        (500, 99, Unavailable),
    ],
)
def test_what_an_answer_means(status: int, code: int | None, kind: type[MarketplaceFailure]) -> None:
    failure = _ask(error(status, code))
    assert type(failure) is kind
    if code is not None:
        assert failure.code == str(code)
        assert "said no" in failure.message


@pytest.mark.parametrize("given", [error(429, 8), error(429, 3), error(400, 8), error(429)])
def test_a_429_closes_the_budget_for_a_minute_which_alias_has_not_named(given: httpx.Response) -> None:
    calls = BudgetLog()
    failure = _ask(given, calls=calls)
    assert isinstance(failure, RateLimited)
    assert (calls.closed, calls.named) == ([NOON + MINUTE], [False])


def test_a_429_that_gives_a_time_is_believed() -> None:
    calls = BudgetLog()
    _ask(answer(429, {"code": 8, "message": "slow"}, retry_after="7"), calls=calls)
    assert calls.closed == [NOON + 7 * SECOND]
