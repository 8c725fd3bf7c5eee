"""The pages on which a seller signs in and agrees: StockX's `/authorize`, eBay's `/oauth2/authorize`.

Nobody has to sign in here: whoever opens the page has agreed, and the browser goes back with a code.
"""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from local.sandbox.accounts import Accounts

PATHS = ("/authorize", "/oauth2/authorize")
# eBay's redirect is a name (RuName), which stands for an address that the application has given there.
NAMED = "https://redirect.example/accepted"


def answer(accounts: Accounts, request: Request) -> Response:
    """Send the browser back to the application with a code, and with the state that it came with."""
    asked = request.query_params
    redirect = asked.get("redirect_uri", "")
    if asked.get("response_type") != "code" or not redirect:
        return JSONResponse({"error": "invalid_request"}, 400)
    code = accounts.log_in(asked.get("client_id", ""))
    if code is None:
        return JSONResponse({"error": "unauthorized_client"}, 400)
    back = {"code": code, **({"state": asked["state"]} if "state" in asked else {})}
    place = redirect if redirect.startswith("https://") else NAMED
    return RedirectResponse(f"{place}{'&' if '?' in place else '?'}{urlencode(back)}", 302)
