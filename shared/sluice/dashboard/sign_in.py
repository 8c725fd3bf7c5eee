"""Signing in with the team's own issuer: OpenID Connect, authorization code with PKCE (RFC 7636), no secret of ours.

```
 /dashboard/sign-in ─► state, verifier and nonce noted ─► issuer's page ─► /dashboard/signed-in?code&state
   ─► state is ours and this browser's, once ─► code and verifier for tokens ─► checked as by the API ─► session
```
Who may call the API may see the pages, as whoever the token says: tenant and roles are read from the access token, or
from the id token where the issuer's access tokens are not for the API (docs/dashboard.md).
"""

import base64
import hashlib
import hmac
from typing import Any
from urllib.parse import urlencode

from sluice.dashboard import issuer, sessions
from sluice.dashboard.issuer import NotSignedIn
from sluice.dashboard.sessions import SignIn
from sluice.platform.http.auth import Caller
from sluice.platform.observe import logger
from sluice.platform.settings import settings


def begin(host: str, back: str, now: int) -> tuple[str, str]:
    """Begin a sign-in: where the browser goes, and the state for its cookie.

    Raises:
        NotSignedIn: nothing is set up, or the issuer does not answer.
    """
    client_id = settings().dashboard_client_id
    if not client_id:
        raise NotSignedIn("Signing in is not set up: deploy with the parameter DashboardClientId (docs/dashboard.md).")
    endpoint = issuer.address("authorization_endpoint")
    state, begun = sessions.begin_sign_in(back, now)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(begun.verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": callback(host),
        "scope": "openid",
        "audience": settings().jwt_audience,
        "state": state,
        "nonce": begun.nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}", state


def finish(host: str, query: dict[str, str], state_of_browser: str | None, now: int) -> tuple[Caller, str]:
    """Who has signed in, and the page that they wanted.

    Raises:
        NotSignedIn: the answer is not for this browser, came too late or twice, or the issuer's tokens are not good.
    """
    state = query.get("state", "")
    if not state_of_browser or not hmac.compare_digest(state.encode(), state_of_browser.encode()):
        raise NotSignedIn("This sign-in was begun in another browser or window, or too long ago. Begin anew.")
    begun = sessions.take_sign_in(state, now)
    if begun is None:
        raise NotSignedIn("This sign-in took longer than ten minutes, or was used already. Begin anew.")
    if "code" not in query:
        # What the issuer says of it is for its log and ours: it comes by the address, so anybody could have written it.
        logger.info("sign-in refused by the issuer", extra={"reason": query.get("error", "")[:100]})
        raise NotSignedIn("Your issuer did not let you sign in. Begin anew, or ask whoever runs it.")
    return _caller(issuer.tokens(query["code"], callback(host), begun.verifier), begun), begun.back


def callback(host: str) -> str:
    """The address that the issuer sends the browser back to, as it must be registered there."""
    return f"{'http' if settings().on_a_laptop else 'https'}://{host}/dashboard/signed-in"


def _caller(tokens: dict[str, Any], begun: SignIn) -> Caller:
    from sluice.platform.http import jwt  # only a sign-in needs it

    try:
        claims = jwt.claims(tokens["id_token"], jwt.keys(), settings().dashboard_client_id)
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), begun.nonce.encode()):
            raise NotSignedIn("Your issuer's answer belongs to another sign-in. Begin anew.")
        return _of_the_api([tokens.get("access_token"), tokens["id_token"]])
    except jwt.BadToken as bad:
        logger.error("the issuer's id token is not good", extra={"reason": str(bad)})
        raise NotSignedIn("Your issuer's answer could not be verified. Ask whoever runs this deployment.") from bad
    except jwt.PyJWKClientConnectionError as error:
        logger.error("the issuer's keys could not be fetched", extra={"reason": str(error)})
        raise NotSignedIn("Your issuer does not answer just now. Try again in a moment.") from error


def _of_the_api(tokens: list[Any]) -> Caller:
    """Whom the first token speaks for that the API would take."""
    from sluice.platform.http import jwt  # only a sign-in needs it

    reasons = list[str]()
    for token in tokens:
        try:
            if isinstance(token, str):
                return jwt.check(token, jwt.keys())
        except jwt.BadToken as bad:
            reasons.append(str(bad))
    reason = "; ".join(reasons)
    logger.info("signed in, and may do nothing", extra={"reason": reason})
    raise NotSignedIn(f"Your issuer knows you, but the API would not take your token: {reason}.")
