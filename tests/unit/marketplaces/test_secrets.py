"""What is secret stays so: in the log, in errors, in events, in the API's view, in every repr."""

import io
import traceback

import httpx
import pytest

from sluice.jobs.model.outcomes import Failure
from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.accounts.table import Account
from sluice.marketplaces.accounts.token_cache import process_cache
from sluice.marketplaces.accounts.views import view
from sluice.marketplaces.stockx.adapter import StockX
from sluice.platform.observe import logger
from tests.unit.marketplaces.conftest import Events
from tests.unit.marketplaces.fakes import (
    ACCOUNT,
    CREDENTIALS,
    BudgetLog,
    Network,
    WatchedClock,
    answer,
    error,
    token,
)

TOKENS = ("eyJhbGciOi.first-token", "eyJhbGciOi.second-token")
SECRETS = (*CREDENTIALS.values(), *TOKENS)


def _echo(status: int) -> object:
    """An answer that quotes every header, as some gateways do."""
    return lambda request: error(status, " ".join(f"{name}={value}" for name, value in request.headers.items()))


def _echo_form(status: int, code: str) -> object:
    return lambda request: answer(status, {"error": code, "error_description": request.content.decode()})


@pytest.mark.parametrize(
    ("answers", "token_answers"),
    [
        ([_echo(401), _echo(401)], [token(TOKENS[0]), token(TOKENS[1])]),
        ([_echo(400)], [token(TOKENS[0])]),
        ([httpx.LocalProtocolError(f"Illegal header value b'Bearer {TOKENS[0]}'")], [token(TOKENS[0])]),
        ([_echo(403)], [token(TOKENS[0])]),
        ([_echo(429)], [token(TOKENS[0])]),
        ([_echo(500)], [token(TOKENS[0])]),
        ([answer(200, {"productId": 5, "title": TOKENS[0]})], [token(TOKENS[0])]),
        ([answer(200, {})], [_echo_form(403, "invalid_grant")]),
        ([answer(200, {})], [_echo_form(401, "invalid_client")]),
        ([answer(200, {})], [_echo_form(500, "server_error")]),
        ([answer(200, {})], [answer(200, {"access_token": {"value": TOKENS[0]}})]),
        ([answer(200, {})], [token(TOKENS[0] + "\n")]),
    ],
)
def test_no_secret_leaves(
    answers: list[object],
    token_answers: list[object],
    account: Account,
    calls: BudgetLog,
    clock: WatchedClock,
    events: Events,
    lines: io.StringIO,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(0)
    stockx = StockX.open(ACCOUNT, calls, clock, wire=Network(*answers, tokens=token_answers))
    with pytest.raises(Failure) as caught:
        stockx.product("some-product")
    logger.error("as a handler would log it", exc_info=caught.value)
    found = accounts.find(ACCOUNT)
    assert found is not None
    shown = [
        lines.getvalue(),
        caplog.text,
        *capsys.readouterr(),
        "".join(traceback.format_exception(caught.value)),
        caught.value.message,
        caught.value.code,
        repr(caught.value),
        repr(events),
        repr(view(found)),
        repr(found),
        repr(process_cache.of(ACCOUNT)),
        str(found.reason),
    ]
    text = "\n".join(shown)
    assert "marketplace call" in text
    for secret in SECRETS:
        assert secret not in text


def test_the_check_above_sees_a_secret(lines: io.StringIO) -> None:
    logger.info("leak", extra={"token": TOKENS[0]})
    assert TOKENS[0] in lines.getvalue()
