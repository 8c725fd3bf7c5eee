"""How eBay is reached, and who calls (https://developer.ebay.com/api-docs/static/oauth-tokens.html).

An application token is enough for what anybody may see: prices. What a seller alone may do needs a user token, which
the seller's refresh token gives; that token has the scopes that the seller agreed to, because none are asked for. An
account keeps both grants apart: each is renewed, and breaks, for itself.
"""

from collections.abc import Mapping
from functools import partial

import httpx

from sluice.jobs.model.outcomes import Failure
from sluice.jobs.model.run import Calls
from sluice.marketplaces.accounts import oauth
from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.accounts.access_tokens import Tokens
from sluice.marketplaces.accounts.oauth import Fresh
from sluice.marketplaces.accounts.offered import Offer, OfferedTokens, prove
from sluice.marketplaces.accounts.token_cache import Access
from sluice.marketplaces.http import fields
from sluice.marketplaces.http.errors import Rejected
from sluice.marketplaces.http.exchange import Call
from sluice.marketplaces.http.mapping import Rules
from sluice.marketplaces.http.transport import TOTAL_MS, Transport
from sluice.platform.clock import MINUTE, Clock
from sluice.platform.settings import settings

NAME = "ebay"
# What eBay calls a quota in a 429: it is used up, or too many calls came at once.
USED_UP = "2001"
# A 429 says nothing of when to come back.
RULES = Rules(pause_ms=MINUTE, quota_codes=frozenset({USED_UP}))
PATH = "/identity/v1/oauth2/token"
SCOPE = "https://api.ebay.com/oauth/api_scope"
USER = "/commerce/identity/v1/user/"


def transport(clock: Clock, wire: httpx.BaseTransport | None = None, timeout_ms: int = TOTAL_MS) -> Transport:
    """eBay's API. `wire` stands in for the network, for tests."""
    return Transport(NAME, settings().require("ebay_api_url"), clock, RULES, wire=wire, timeout_ms=timeout_ms)


def application(account_id: str, api: Transport, clock: Clock) -> Tokens:
    """The tokens of the account's application."""
    return Tokens(account_id, partial(_mint, api), clock)


def seller(account_id: str, api: Transport, clock: Clock) -> Tokens:
    """The tokens of the seller whose account it is.

    Whoever was connected with a refresh token may have been connected without one since; then getting a token raises
    Rejected, which breaks nothing.
    """

    def refresh(credentials: Mapping[str, str]) -> Fresh:
        if "refresh_token" not in credentials:
            raise Rejected(f"account {account_id} has no refresh_token any more: connect it with one", code="no_user")
        return _refresh(api, credentials)

    return Tokens(account_id, refresh, clock, place=accounts.USER_TOKEN)


def try_out(
    credentials: Mapping[str, str], calls: Calls, clock: Clock, timeout_ms: int, wire: httpx.BaseTransport | None = None
) -> Offer:
    """Whether eBay accepts `credentials`: a token of the application, and one of the seller if it has granted any.

    Getting them makes no call that eBay counts against `calls`. Who the seller is is asked too. timeout_ms: for each.

    Raises:
        CredentialsRefused: it does not.
    """
    del calls
    api = transport(clock, wire, timeout_ms)
    wrong = ("client_id", "client_secret")
    tokens = OfferedTokens(credentials, partial(_mint, api), clock)
    proofs = [prove(tokens, None, wrong)]
    if "refresh_token" in credentials:
        tokens = OfferedTokens(credentials, partial(_refresh, api), clock)
        proofs.append(prove(tokens, None, wrong))
        if proofs[-1].verified:
            return Offer(tokens.credentials, tuple(proofs), _user_id(tokens, clock, timeout_ms, wire))
    return Offer(tokens.credentials, tuple(proofs))


def _user_id(tokens: OfferedTokens, clock: Clock, timeout_ms: int, wire: httpx.BaseTransport | None) -> str | None:
    """Who the seller is: Identity API, getUser. None where eBay does not tell: a token may lack the scope for it.

    It is asked of a host of its own (`apiz.ebay.com`), and counts against no quota of ours.
    """
    url = settings().require("ebay_api_url").replace("://api.", "://apiz.", 1)
    api = Transport(NAME, url, clock, RULES, wire=wire, timeout_ms=timeout_ms)
    try:
        answer = api.call(Call("GET", USER, headers=sign(tokens.get())), None)
        return fields.read(answer)["userId"].optional_text() or None
    except Failure:
        return None


def _mint(api: Transport, credentials: Mapping[str, str]) -> Fresh:
    return oauth.client_credentials(api, PATH, SCOPE, credentials["client_id"], credentials["client_secret"])


def _refresh(api: Transport, credentials: Mapping[str, str]) -> Fresh:
    form = {"refresh_token": credentials["refresh_token"]}
    return oauth.refresh(api, PATH, form, oauth.basic(credentials["client_id"], credentials["client_secret"]))


def sign(access: Access) -> dict[str, str]:
    """The header of every call."""
    return {"authorization": f"Bearer {access.token}"}
