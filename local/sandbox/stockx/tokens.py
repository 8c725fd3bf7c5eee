"""`POST /oauth/token`, which StockX has on another host."""

from local.sandbox.accounts import Accounts, GrantRefusedError
from local.sandbox.call import Call

PATH = "/oauth/token"


def grant(accounts: Accounts, call: Call) -> dict[str, str | int]:
    content_type = call.headers.get("content-type", "").partition(";")[0].strip()
    if content_type != "application/x-www-form-urlencoded":
        raise GrantRefusedError("invalid_request", "The token call takes application/x-www-form-urlencoded", 400)
    form = call.form()
    body: dict[str, str | int] = {
        "id_token": "eyJzYW5kYm94Ijp0cnVlfQ.id",
        "scope": "openid offline_access",
        "expires_in": accounts.token_seconds,
        "token_type": "Bearer",
    }
    match form.get("grant_type"):
        case "refresh_token":
            # No refresh token comes back: the one in hand stays good.
            return {"access_token": accounts.refresh(form, call.at_ms), **body}
        case "authorization_code":
            if not form.get("redirect_uri"):
                raise GrantRefusedError("invalid_request", "Missing required parameter: redirect_uri", 400)
            access_token, refresh_token = accounts.exchange_code(form, call.at_ms)
            return {"access_token": access_token, "refresh_token": refresh_token, **body}
        case None | "":
            raise GrantRefusedError("invalid_request", "Missing required parameter: grant_type", 400)
        case "client_credentials":
            raise GrantRefusedError(
                "unauthorized_client", "Grant type 'client_credentials' not allowed for the client.", 403
            )
        case other:
            raise GrantRefusedError("unsupported_grant_type", f"Unsupported grant type: {other}", 403)
