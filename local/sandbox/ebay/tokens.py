"""`POST /identity/v1/oauth2/token`: application tokens, and those of sellers."""

from base64 import b64decode
from binascii import Error
from collections.abc import Callable
from typing import TypeVar

from local.sandbox.accounts import Accounts, GrantRefusedError
from local.sandbox.call import Call

PATH = "/identity/v1/oauth2/token"
SCOPE = "https://api.ebay.com/oauth/api_scope"
SECONDS = 7_200
# 18 months.
REFRESH_SECONDS = 47_304_000
# For whom a seller's token is good; an application's is for `ebay`.
USER = "ebay-user"

T = TypeVar("T")


def client(call: Call) -> tuple[str, str]:
    """The client's id and secret, from HTTP Basic. Empty ones when there are none."""
    scheme, _, encoded = call.headers.get("authorization", "").partition(" ")
    try:
        name, _, secret = b64decode(encoded, validate=True).decode().partition(":")
    except (Error, UnicodeDecodeError):
        return "", ""
    return (name, secret) if scheme.lower() == "basic" else ("", "")


def grant(accounts: Accounts, call: Call) -> dict[str, str | int]:
    form, seconds = call.form(), min(SECONDS, accounts.token_seconds)
    match form.get("grant_type"):
        case "client_credentials":
            if form.get("scope") != SCOPE:
                described = "The requested scope is invalid, unknown, or exceeds its grant"
                raise GrantRefusedError("invalid_scope", described, 400)
            token, kind = accounts.application_token(*client(call), call.at_ms, "ebay", seconds), "Application"
        case "refresh_token":
            token, kind = _refreshed(accounts, call, form, seconds), "User"
        case "authorization_code":
            return _exchanged(accounts, call, form, seconds)
        case _:
            described = "grant type in request is not supported by the server"
            raise GrantRefusedError("unsupported_grant_type", described, 400)
    return {"access_token": token, "expires_in": seconds, "token_type": f"{kind} Access Token"}


def _exchanged(accounts: Accounts, call: Call, form: dict[str, str], seconds: int) -> dict[str, str | int]:
    """A seller's first token, for the code that their browser brought back."""
    if not form.get("redirect_uri"):
        raise GrantRefusedError("invalid_request", "'redirect_uri' is missing in the request", 400)
    token, refresh_token = _of_client(
        call, form, lambda named: accounts.exchange_code(named, call.at_ms, USER, seconds), "authorization grant"
    )
    return {
        "access_token": token,
        "expires_in": seconds,
        "refresh_token": refresh_token,
        "refresh_token_expires_in": REFRESH_SECONDS,
        "token_type": "User Access Token",
    }


def _refreshed(accounts: Accounts, call: Call, form: dict[str, str], seconds: int) -> str:
    """A seller's token. Any scope is taken: which ones a seller agreed to is not played."""
    return _of_client(
        call, form, lambda named: accounts.refresh(named, call.at_ms, USER, seconds), "authorization refresh token"
    )


def _of_client(call: Call, form: dict[str, str], ask: Callable[[dict[str, str]], T], what: str) -> T:
    """What `ask` gives for the form of whoever HTTP Basic names. what: is refused, in eBay's words."""
    client_id, client_secret = client(call)
    try:
        return ask({**form, "client_id": client_id, "client_secret": client_secret})
    except GrantRefusedError as refused:
        if refused.error == "invalid_grant":
            described = f"the provided {what} is invalid or was issued to another client"
            raise GrantRefusedError("invalid_grant", described, 400) from None
        raise GrantRefusedError("invalid_client", "client authentication failed", 401) from None
