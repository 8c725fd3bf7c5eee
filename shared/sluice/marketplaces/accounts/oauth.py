"""The token call of OAuth 2 (RFC 6749), as every marketplace with short-lived tokens has it."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field

from sluice.marketplaces.http import fields
from sluice.marketplaces.http.errors import (
    BadAnswer,
    GrantRefused,
    MarketplaceFailure,
    RateLimited,
    TokenLimited,
    Unavailable,
)
from sluice.marketplaces.http.exchange import Call
from sluice.marketplaces.http.transport import Transport
from sluice.platform.clock import HOUR, SECOND

# RFC 6749, section 5.2: what says that the client or its grant is not accepted.
REFUSALS = {"invalid_grant", "invalid_client", "unauthorized_client", "access_denied"}
# A token that does not say how long it lives.
USUAL_LIFE = HOUR
# KMS encrypts no more in one call.
MOST_CHARACTERS = 4096


@dataclass(frozen=True)
class Fresh:
    """A new access token. lives: in ms. refresh_token: only when the old one is replaced."""

    token: str = field(repr=False)
    lives: int
    refresh_token: str | None = field(default=None, repr=False)


def refresh(
    transport: Transport, path: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None
) -> Fresh:
    """A new access token for a person's refresh token (section 6). Raises as `ask`."""
    return ask(transport, path, {"grant_type": "refresh_token", **form}, headers or {})


def client_credentials(transport: Transport, path: str, scope: str, client_id: str, client_secret: str) -> Fresh:
    """An access token for an application itself (section 4.4), which says who it is by HTTP Basic. Raises as `ask`."""
    form = {"grant_type": "client_credentials", "scope": scope}
    return ask(transport, path, form, basic(client_id, client_secret))


def basic(client_id: str, client_secret: str) -> dict[str, str]:
    """The header by which an application says who it is (section 2.3.1)."""
    encoded = b64encode(f"{client_id}:{client_secret}".encode()).decode()
    return {"authorization": f"Basic {encoded}"}


def ask(transport: Transport, path: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Fresh:
    """Ask `transport` for a new access token.

    Raises:
        GrantRefused: these credentials get none.
        TokenLimited: too many were asked for.
        MarketplaceFailure: no answer about that; the credentials may still be good.
    """
    request = Call("POST", path, form=form, headers=headers)
    try:
        answer = transport.call(request, None)
    except MarketplaceFailure as error:
        if isinstance(error, RateLimited):
            raise TokenLimited(error.message, status=error.status, retry_at=error.retry_at) from None
        if error.status is None or not 400 <= error.status < 500:
            raise  # whatever its body says: it could not answer
        if error.code in REFUSALS:
            raise GrantRefused(error.message, status=error.status, code=error.code) from None
        # A page of something before the authorization server, or a request that it does not understand: that says
        # nothing of the credentials, and is no fault of the job.
        raise Unavailable(error.message, status=error.status) from None
    body = fields.read(answer)
    life = body["expires_in"]
    lives = USUAL_LIFE if life.raw is None else life.whole() * SECOND
    token, renewed = body["access_token"].text(), body["refresh_token"].optional_text()
    if lives <= 0 or not all(map(_usable, filter(None, (token, renewed)))):
        raise BadAnswer(f"{answer.source}: the token in the answer cannot be used", status=answer.status)
    return Fresh(token, lives, renewed)


def _usable(token: str) -> bool:
    """Whether a token can stand in a header and be stored."""
    return len(token) <= MOST_CHARACTERS and all("!" <= letter <= "~" for letter in token)
