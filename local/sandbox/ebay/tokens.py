"""`POST /identity/v1/oauth2/token`: application tokens, and those of sellers."""

from base64 import b64decode
from binascii import Error

from local.sandbox.accounts import Accounts, GrantRefusedError
from local.sandbox.call import Call

PATH = "/identity/v1/oauth2/token"
SCOPE = "https://api.ebay.com/oauth/api_scope"
SECONDS = 7_200
# For whom a seller's token is good; an application's is for `ebay`.
USER = "ebay-user"


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
        case _:
            described = "grant type in request is not supported by the server"
            raise GrantRefusedError("unsupported_grant_type", described, 400)
    return {"access_token": token, "expires_in": seconds, "token_type": f"{kind} Access Token"}


def _refreshed(accounts: Accounts, call: Call, form: dict[str, str], seconds: int) -> str:
    """A seller's token. Any scope is taken: which ones a seller agreed to is not played."""
    client_id, client_secret = client(call)
    form = {**form, "client_id": client_id, "client_secret": client_secret}
    try:
        return accounts.refresh(form, call.at_ms, USER, seconds)
    except GrantRefusedError as refused:
        if refused.error == "invalid_grant":
            described = "the provided authorization refresh token is invalid or was issued to another client"
            raise GrantRefusedError("invalid_grant", described, 400) from None
        raise GrantRefusedError("invalid_client", "client authentication failed", 401) from None
