"""Logging in: the two grants, what is refused, and how a token ends. All in virtual time."""

import pytest

from local.sandbox.server import Sandbox
from tests.unit.sandbox.client import Client, Clock

HALF_A_DAY_MS = 43_200_000


def _status(client: Client) -> int:
    return client.get("/v2/catalog/search", query="DD1391-100").status_code


def test_a_refresh_gives_an_access_token_and_no_refresh_token(client: Client) -> None:
    body = client.refresh().json()
    assert set(body) == {"access_token", "id_token", "scope", "expires_in", "token_type"}
    assert (body["expires_in"], body["token_type"]) == (43_200, "Bearer")
    assert _status(client) == 200


def test_a_code_gives_both_tokens_once(client: Client) -> None:
    form = {
        "grant_type": "authorization_code",
        "code": client.credentials.authorization_code,
        "redirect_uri": "https://x.test",
    }
    body = client.token_call(**form).json()
    assert body["refresh_token"] == client.credentials.refresh_token
    client.token = body["access_token"]
    assert _status(client) == 200
    again = client.token_call(**form)
    assert (again.status_code, again.json()["error"]) == (403, "invalid_grant")


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"grant_type": "client_credentials"}, 403, "unauthorized_client"),
        ({"grant_type": "password"}, 403, "unsupported_grant_type"),
        ({}, 400, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "x"}, 400, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "made-up"}, 403, "invalid_grant"),
        ({"grant_type": "refresh_token", "client_secret": "made-up"}, 401, "access_denied"),
        ({"grant_type": "refresh_token", "client_id": "made-up"}, 401, "access_denied"),
    ],
)
def test_a_bad_token_call_is_refused_in_oauths_words(
    client: Client, form: dict[str, str], status: int, error: str
) -> None:
    answer = client.token_call(**form)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["error_description"]


def test_the_token_call_takes_a_form_and_not_json(client: Client) -> None:
    answer = client.http.post("/oauth/token", json={"grant_type": "refresh_token"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_refresh_token_works_for_its_own_client_only(client: Client, sandbox: Sandbox) -> None:
    theirs = sandbox.connect("tenant-b").refresh_token
    assert client.token_call(grant_type="refresh_token", refresh_token=theirs).status_code == 403


def test_a_token_ends_at_its_time_and_not_before(client: Client, clock: Clock) -> None:
    clock.now += HALF_A_DAY_MS - 1
    assert _status(client) == 200
    clock.now += 1
    assert _status(client) == 401
    client.refresh()
    assert _status(client) == 200


def test_expired_tokens_are_helped_by_a_refresh_and_revoked_ones_by_a_new_connection(
    client: Client, sandbox: Sandbox
) -> None:
    sandbox.world.accounts.expire("tenant-a")
    assert _status(client) == 401
    client.refresh()
    assert _status(client) == 200
    sandbox.world.accounts.revoke("tenant-a")
    assert (_status(client), client.refresh().status_code) == (401, 403)
    client.credentials = sandbox.connect("tenant-a")
    client.refresh()
    assert _status(client) == 200


def test_the_page_sends_the_browser_back_with_a_code_that_works(client: Client) -> None:
    asked = {
        "response_type": "code",
        "client_id": client.credentials.client_id,
        "redirect_uri": "https://x.test/back?shop=1",
        "state": "s",
    }
    answer = client.http.get("/authorize", params=asked)
    back = answer.headers["location"]
    assert (answer.status_code, back.startswith("https://x.test/back?shop=1&code=")) == (302, True)
    assert back.endswith("&state=s")
    code = back.partition("code=")[2].partition("&")[0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": asked["redirect_uri"]}
    assert client.token_call(**form).status_code == 200
    for name in ("response_type", "client_id", "redirect_uri"):
        assert client.http.get("/authorize", params={**asked, name: ""}).status_code == 400
