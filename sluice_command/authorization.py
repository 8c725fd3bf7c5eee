"""How a seller lets an application act for them at a marketplace: OAuth 2's authorization code (RFC 6749, section 4.1).

```
 sluice ──► opens the marketplace's page in the browser ──► the seller signs in there and agrees
 browser ──► is sent to the application's redirect URL with ?code=…&state=…      the seller pastes that URL
 sluice ── code, client id and secret ──► the marketplace's token call: a refresh token
```
Sources: StockX, "Authentication" of its developer pages; eBay, "The authorization code grant flow".
"""

import secrets
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx

from sluice_command.errors import ApiError, NotNow
from sluice_command.stages import safe_url

TIMEOUT_SECONDS = 20
_EBAY_SCOPES = ("", "/sell.marketing", "/sell.inventory", "/sell.account")


@dataclass(frozen=True)
class Marketplace:
    """Where a marketplace takes an authorization.

    page: which the seller opens. query: what it takes besides client, redirect and state. token: the token call.
    basic: the application says who it is by HTTP Basic, not in the form. redirect: what its redirect is called there.
    """

    page: str
    token: str
    query: Mapping[str, str]
    basic: bool
    redirect: str

    def at(self, root: str) -> "Marketplace":
        """The same, played at `root`."""
        return replace(self, page=root + urlsplit(self.page).path, token=root + urlsplit(self.token).path)


MARKETPLACES: Mapping[str, Marketplace] = {
    "stockx": Marketplace(
        page="https://accounts.stockx.com/authorize",
        token="https://accounts.stockx.com/oauth/token",  # noqa: S106 - an address
        query={"scope": "offline_access openid", "audience": "gateway.stockx.com"},
        basic=False,
        redirect="the redirect URL of your application (StockX takes no localhost)",
    ),
    "ebay": Marketplace(
        page="https://auth.ebay.com/oauth2/authorize",
        token="https://api.ebay.com/identity/v1/oauth2/token",  # noqa: S106 - an address
        query={"scope": " ".join(f"https://api.ebay.com/oauth/api_scope{one}" for one in _EBAY_SCOPES)},
        basic=True,
        redirect="the RuName of your application (eBay's word for its redirect)",
    ),
}


def new_state() -> str:
    """What ties an answer to the walk that it belongs to: nobody else can know it."""
    return secrets.token_urlsafe(16)


@dataclass(frozen=True)
class Authorization:
    """One walk through a marketplace's authorization. state: ties the answer to this walk."""

    marketplace: Marketplace
    client_id: str
    client_secret: str = field(repr=False)
    redirect: str
    state: str = field(default_factory=lambda: new_state())

    def page(self) -> str:
        """The address that the seller opens."""
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect,
            **self.marketplace.query,
            "state": self.state,
        }
        return f"{self.marketplace.page}?{urlencode(query)}"

    def code(self, pasted: str) -> str:
        """The code in the address that the browser was sent to.

        Raises:
            ApiError: there is none, or it belongs to another walk.
        """
        said = dict(parse_qsl(urlsplit(pasted.strip()).query))
        if "error" in said:
            raise ApiError(f"the marketplace did not agree: {said.get('error_description') or said['error']}")
        if not said.get("code"):
            raise ApiError(
                "this address has no code: paste the whole address that the browser was sent to, from https:// on"
            )
        if said.get("state") != self.state:
            raise ApiError(
                "this address belongs to another walk: open the page that was just shown, and paste what comes of it"
            )
        return said["code"]

    def refresh_token(self, code: str, wire: httpx.BaseTransport | None = None) -> str:
        """What the marketplace gives for `code`.

        Raises:
            ApiError: it gives nothing.
            NotNow: it does not answer.
        """
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect}
        headers = {}
        if self.marketplace.basic:
            encoded = b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
            headers["authorization"] = f"Basic {encoded}"
        else:
            form |= {"client_id": self.client_id, "client_secret": self.client_secret}
        place = safe_url(self.marketplace.token)
        try:
            with httpx.Client(timeout=TIMEOUT_SECONDS, transport=wire) as http:
                answer = http.post(place, data=form, headers=headers)
            body = answer.json()
        except httpx.HTTPError as error:
            raise NotNow(f"{place} does not answer ({error}); try again in a minute") from None
        except ValueError:
            body = {}
        if not isinstance(body, dict) or not answer.is_success:
            why = (body.get("error_description") or body.get("error")) if isinstance(body, dict) else None
            raise ApiError(
                f"the marketplace gives no token ({answer.status_code}: {why or 'no reason given'}): check client id, "
                "secret and redirect, and begin anew: a code is good once, and for minutes"
            )
        if not isinstance(found := body.get("refresh_token"), str) or not found:
            raise ApiError("the marketplace gave no refresh token: its application must be allowed offline access")
        return found
