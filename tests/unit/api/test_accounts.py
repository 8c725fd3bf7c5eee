"""PUT and GET /v1/accounts/{marketplace}, GET /v1/accounts."""

from io import StringIO

from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.accounts.table import Status
from tests.support.http import call
from tests.unit.api.conftest import CREDENTIALS, Cloud
from tests.unit.api.document import conforms

STOCKX = "/v1/accounts/stockx"


def test_connecting_shows_no_credential_and_starts_the_scheduler(cloud: Cloud, logged: StringIO) -> None:
    answer = call("PUT", STOCKX, body=CREDENTIALS)
    assert (answer.status, answer.json["status"]) == (200, "ACTIVE")
    assert cloud.invoked == [("scheduler", {"source": "nudge"})]
    shown = answer.text + call("GET", STOCKX).text + call("GET", "/v1/accounts").text + logged.getvalue()
    assert "of-acme" not in shown
    assert "sealed" not in shown


def test_a_broken_account_says_why_and_connecting_again_mends_it(acme: Cloud) -> None:
    accounts.mark("stockx:acme", Status.BROKEN, "the marketplace refuses the token", acme.now, token_version=1)
    broken = call("GET", STOCKX)
    conforms("GET /v1/accounts/{marketplace}", broken)
    assert (broken.json["status"], broken.json["reason"]) == ("BROKEN", "the marketplace refuses the token")
    assert call("PUT", STOCKX, body=CREDENTIALS).json["reason"] is None
    assert call("GET", STOCKX).json["status"] == "ACTIVE"


def test_one_that_was_never_connected_says_how_to_connect(cloud: Cloud) -> None:
    answer = call("GET", STOCKX)
    assert answer.status == 404
    assert "PUT /v1/accounts/stockx" in answer.json["error"]["message"]
    assert call("GET", "/v1/accounts").json == {"accounts": []}


def test_many_connections_at_once_start_one_scheduler_run(cloud: Cloud) -> None:
    for tenant in ("acme", "globex", "initech"):
        call("PUT", STOCKX, body=CREDENTIALS, tenant=tenant)
    assert len(cloud.invoked) == 1
