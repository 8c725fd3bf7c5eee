"""What is asked of the team's issuer: where to sign in, and tokens for a code. HTTP leaves Sluice here.

The address comes from the deployment's own parameter `JwtIssuer`; no redirect is followed and no proxy of the
environment is used, as elsewhere.
"""

from typing import TYPE_CHECKING, Any

from sluice.platform.observe import logger
from sluice.platform.settings import settings

if TYPE_CHECKING:
    import httpx

SECONDS = 5.0


class NotSignedIn(Exception):  # noqa: N818 - an answer
    """The sign-in did not work; `str()` says why, for the person who tried."""


def address(name: str) -> str:
    """An address that the issuer's own document names (OpenID Connect Discovery 1.0), such as `token_endpoint`.

    Raises:
        NotSignedIn: the issuer does not answer, or names none that may be used.
    """
    here = settings()
    found = _ask("GET", f"{here.require('jwt_issuer').rstrip('/')}/.well-known/openid-configuration").get(name)
    if not isinstance(found, str) or not (found.startswith("https://") or here.on_a_laptop):
        logger.error("the issuer's document is not usable", extra={"missing": name})
        raise NotSignedIn("Your issuer does not say where to sign in. Ask whoever runs this deployment.")
    return found


def tokens(code: str, redirect_uri: str, verifier: str) -> dict[str, Any]:
    """The tokens that `code` is good for: an `id_token`, and usually an `access_token`.

    Raises:
        NotSignedIn: the issuer does not answer, or gives none.
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "client_id": settings().dashboard_client_id,
        "code_verifier": verifier,
    }
    found = _ask("POST", address("token_endpoint"), form)
    if not isinstance(found.get("id_token"), str):
        logger.error("the issuer gave no tokens")
        raise NotSignedIn("Your issuer did not accept the sign-in. Begin anew.")
    return found


def _ask(method: str, url: str, form: dict[str, str] | None = None) -> dict[str, Any]:
    """The JSON object that the issuer answers; an empty one for anything else.

    Raises:
        NotSignedIn: it does not answer.
    """
    import httpx  # only a sign-in needs it, and it is slow to load

    try:
        with httpx.Client(trust_env=False, follow_redirects=False, timeout=SECONDS) as client:
            return _object(client.request(method, url, data=form))
    except httpx.HTTPError as error:
        logger.error("the issuer does not answer", extra={"reason": type(error).__name__})
        raise NotSignedIn("Your issuer does not answer just now. Try again in a moment.") from error


def _object(answer: "httpx.Response") -> dict[str, Any]:
    try:
        found = answer.json() if answer.is_success else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        logger.error("the issuer's answer is no object", extra={"status": answer.status_code})
        return {}
    return found
