"""`POST /identity/v1/oauth2/token`: application tokens."""

from base64 import b64decode
from binascii import Error

from local.sandbox.accounts import Accounts, GrantRefusedError
from local.sandbox.call import Call

PATH = "/identity/v1/oauth2/token"
SCOPE = "https://api.ebay.com/oauth/api_scope"
SECONDS = 7_200


def client(call: Call) -> tuple[str, str]:
    """The client's id and secret, from HTTP Basic. Empty ones when there are none."""
    scheme, _, encoded = call.headers.get("authorization", "").partition(" ")
    try:
        name, _, secret = b64decode(encoded, validate=True).decode().partition(":")
    except (Error, UnicodeDecodeError):
        return "", ""
    return (name, secret) if scheme.lower() == "basic" else ("", "")


def grant(accounts: Accounts, call: Call) -> dict[str, str | int]:
    form = call.form()
    if form.get("grant_type") != "client_credentials":
        raise GrantRefusedError("unsupported_grant_type", "grant type in request is not supported by the server", 400)
    if form.get("scope") != SCOPE:
        raise GrantRefusedError("invalid_scope", "The requested scope is invalid, unknown, or exceeds its grant", 400)
    token = accounts.application_token(*client(call), call.at_ms, "ebay", SECONDS)
    seconds = min(SECONDS, accounts.token_seconds)
    return {"access_token": token, "expires_in": seconds, "token_type": "Application Access Token"}
