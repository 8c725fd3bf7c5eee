"""What the StockX adapter does when its token, its key or its account is not accepted."""

from typing import Any

import httpx
import pytest

from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.accounts.table import Account
from sluice.marketplaces.http.errors import AccountBroken, Forbidden, MarketplaceFailure, Unavailable
from sluice.platform.clock import MINUTE
from tests.unit.marketplaces.conftest import Events
from tests.unit.marketplaces.fakes import ACCOUNT, CREDENTIALS, NOON, BudgetLog, answer, error, refused_grant, token
from tests.unit.marketplaces.stockx_answers import PRODUCT_ID, network_of, open_stockx, product, stockx_with

pytestmark = pytest.mark.usefixtures("account")


def test_a_401_renews_the_token_and_asks_again(calls: BudgetLog, events: Events) -> None:
    network = network_of(error(401), answer(200, product()), tokens=(token("token-1"), token("token-2")))
    assert open_stockx(network, calls).product(PRODUCT_ID).product_id == PRODUCT_ID
    assert [sent.headers["authorization"] for sent in network.sent] == ["Bearer token-1", "Bearer token-2"]
    assert (calls.taken, len(network.token_calls), events) == (2, 2, [])


def test_a_401_for_a_token_that_is_old_news_takes_the_newer(calls: BudgetLog) -> None:
    def renewed_elsewhere(_: httpx.Request) -> httpx.Response:
        accounts.store_token(ACCOUNT, 2, "token-of-another-worker", NOON + 60 * MINUTE, NOON, None)
        return error(401)

    network = network_of(renewed_elsewhere, answer(200, product()))
    open_stockx(network, calls).product(PRODUCT_ID)
    assert network.sent[1].headers["authorization"] == "Bearer token-of-another-worker"
    assert len(network.token_calls) == 1


def test_a_second_401_breaks_the_account(calls: BudgetLog, events: Events) -> None:
    network = network_of(error(401), error(401))
    with pytest.raises(AccountBroken) as caught:
        open_stockx(network, calls).product(PRODUCT_ID)
    assert (caught.value.action, caught.value.whole_batch) == ("snooze", True)
    assert accounts.statuses([ACCOUNT]) == {ACCOUNT: "BROKEN"}
    assert (len(network.sent), calls.taken, len(events)) == (2, 2, 1)
    with pytest.raises(AccountBroken):
        open_stockx(network, calls).product(PRODUCT_ID)
    assert len(network.sent) == 2


@pytest.mark.parametrize("before", [[], [error(401)]])
def test_a_403_is_about_one_call_and_breaks_nothing(
    before: list[httpx.Response], calls: BudgetLog, events: Events
) -> None:
    network = network_of(*before, error(403, "not for you"), answer(200, product()))
    stockx = open_stockx(network, calls)
    with pytest.raises(Forbidden, match="403 Forbidden: not for you") as caught:
        stockx.product(PRODUCT_ID)
    assert (caught.value.action, caught.value.whole_batch) == ("business", False)
    assert (accounts.statuses([ACCOUNT]), events) == ({ACCOUNT: "ACTIVE"}, [])
    assert stockx.product(PRODUCT_ID).product_id == PRODUCT_ID


def test_a_firewalls_403_does_not(events: Events) -> None:
    with pytest.raises(Unavailable):
        stockx_with(httpx.Response(403, text="<html>Access denied</html>")).product(PRODUCT_ID)
    assert (accounts.statuses([ACCOUNT]), events) == ({ACCOUNT: "ACTIVE"}, [])


def test_a_late_401_does_not_break_what_was_connected_again(events: Events) -> None:
    def connected_again(_: httpx.Request) -> httpx.Response:
        accounts.connect("stockx", "acme", CREDENTIALS, NOON)
        return error(401)

    with pytest.raises(AccountBroken):
        stockx_with(error(401), connected_again).product(PRODUCT_ID)
    assert (accounts.statuses([ACCOUNT]), events) == ({ACCOUNT: "ACTIVE"}, [])


def test_no_call_is_made_without_a_token(calls: BudgetLog, events: Events) -> None:
    network = network_of(answer(200, product()), tokens=(refused_grant(),))
    with pytest.raises(AccountBroken, match="is EXPIRED"):
        open_stockx(network, calls).product(PRODUCT_ID)
    assert (network.sent, calls.taken, len(events)) == ([], 0, 1)


@pytest.mark.parametrize(
    "given",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("late"),
        error(503),
        httpx.Response(403, text="<html>Access denied</html>"),
        answer(404, {"message": "Not Found"}),
        answer(401, {"message": "Unauthorized"}),
        httpx.Response(400, text="<html>Bad Request</html>"),
        httpx.Response(401, text="<html>Proxy</html>"),
        answer(403, {"message": "Forbidden"}),
        answer(500, {"error": "invalid_grant", "error_description": "we are down"}),
        answer(503, {"error": "invalid_client"}),
        answer(400, {"error": "invalid_request", "error_description": "x"}),
        answer(200, {"expires_in": 60}),
        answer(200, {"access_token": "two words"}),
        answer(200, {"access_token": "x" * 5_000}),
        token(expires_in=0),
        httpx.Response(200, text="<html>"),
    ],
)
def test_a_token_server_in_trouble_is_no_fault_of_the_account(given: Any, calls: BudgetLog, events: Events) -> None:
    with pytest.raises(MarketplaceFailure) as caught:
        open_stockx(network_of(answer(200, product()), tokens=(given,)), calls).product(PRODUCT_ID)
    assert caught.value.action == "retry"
    assert (accounts.statuses([ACCOUNT]), events, calls.taken) == ({ACCOUNT: "ACTIVE"}, [], 0)


def test_a_token_that_does_not_say_how_long_it_lives() -> None:
    _ask_once = open_stockx(network_of(answer(200, product()), tokens=(answer(200, {"access_token": "token-x"}),)))
    _ask_once.product(PRODUCT_ID)
    found = accounts.find(ACCOUNT)
    assert isinstance(found, Account)
    assert found.token_expires_at == NOON + 60 * MINUTE
