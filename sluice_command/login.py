"""Signing in to a deployed stage: the device flow of OAuth 2 (RFC 8628), or a token that was made elsewhere.

```
 sluice ── client id ──► issuer: a code for people, and where to type it
 person ── opens the page in any browser, types the code, agrees
 sluice ── asks each few seconds ──► issuer: not yet … a token, with what renews it
```
The issuer says at `<issuer>/.well-known/openid-configuration` where it takes these calls (OpenID Connect Discovery).
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import httpx

from sluice_command import stages, tokens
from sluice_command.errors import GivenUp, NotNow, NotSignedIn
from sluice_command.stages import Issuer, Stage, safe_url

DISCOVERY = "/.well-known/openid-configuration"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
SCOPE = "openid offline_access"
# RFC 8628, section 3.5: what `slow_down` adds, and the interval where the issuer names none.
SLOWER, USUAL_INTERVAL = 5, 5
# A token that ends within so many seconds is renewed before it is used.
RENEW_BEFORE = 60
TIMEOUT_SECONDS = 20


@dataclass(frozen=True)
class Granted:
    """A token, and what renews it, if anything does."""

    token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Code:
    """What a person types, and where. page: with the code in it, if the issuer makes such an address."""

    user_code: str
    page: str
    device_code: str = field(repr=False)
    interval: float
    lives: float


class IssuerClient:
    """The calls to an issuer. A context manager."""

    def __init__(self, issuer: Issuer, wire: httpx.BaseTransport | None = None) -> None:
        """Raises NoStage: the issuer's address is not safe."""
        self._issuer = issuer
        self._http = httpx.Client(timeout=TIMEOUT_SECONDS, transport=wire)
        self._base = safe_url(issuer.url)

    def __enter__(self) -> "IssuerClient":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def begin(self) -> Code:
        """Ask for a code.

        Raises:
            NotSignedIn: the issuer has no device flow, or does not know this client.
            NotNow: it does not answer.
        """
        place = self._places.get("device_authorization_endpoint")
        if not place:
            raise NotSignedIn(
                f"{self._base} has no device flow: get a token from it in another way, and paste it to `sluice login`"
            )
        form = {"client_id": self._issuer.client_id, "scope": SCOPE, **self._audience()}
        status, body = self._post(place, form)
        if status != 200:
            raise NotSignedIn(f"{self._base} gives no code: {_why(body)}; is the client id right?")
        return Code(
            user_code=str(body["user_code"]),
            page=str(body.get("verification_uri_complete") or body["verification_uri"]),
            device_code=str(body["device_code"]),
            interval=float(body.get("interval", USUAL_INTERVAL)),
            lives=float(body["expires_in"]),
        )

    def wait(self, code: Code, rest: Callable[[float], None]) -> Granted:
        """Ask until the person has agreed; `rest` waits so many seconds.

        Raises:
            NotSignedIn: they did not.
            GivenUp: the code is too old.
        """
        interval, waited = code.interval, 0.0
        form = {"grant_type": DEVICE_GRANT, "device_code": code.device_code, "client_id": self._issuer.client_id}
        while waited < code.lives:
            rest(interval)
            waited += interval
            status, body = self._post(self._places["token_endpoint"], form)
            if status == 200:
                return _granted(body)
            match body.get("error"):
                case "authorization_pending":
                    continue
                case "slow_down":
                    interval += SLOWER
                case "expired_token":
                    break
                case _:
                    raise NotSignedIn(f"{self._base} gives no token: {_why(body)}; `sluice login` begins anew")
        raise GivenUp("nobody agreed in time, and the code is too old; `sluice login` begins anew")

    def renew(self) -> Granted | None:
        """A new token by the refresh token; None if the issuer gives none, and a person must sign in again."""
        form = {
            "grant_type": "refresh_token",
            "refresh_token": self._issuer.refresh_token or "",
            "client_id": self._issuer.client_id,
        }
        status, body = self._post(self._places["token_endpoint"], form)
        return _granted(body) if status == 200 else None

    @cached_property
    def _places(self) -> Mapping[str, Any]:
        """Where the issuer takes each call, as it says itself; it is asked once."""
        status, body = self._asked("GET", self._base + DISCOVERY)
        if status != 200 or "token_endpoint" not in body:
            raise NotSignedIn(f"{self._base} is no issuer: it says nothing at {DISCOVERY}; give its URL with --issuer")
        for name in ("token_endpoint", "device_authorization_endpoint"):
            if name in body:
                safe_url(str(body[name]))
        return body

    def _post(self, url: str, form: Mapping[str, str]) -> tuple[int, Mapping[str, Any]]:
        return self._asked("POST", url, data=form)

    def _asked(self, method: str, url: str, **arguments: Any) -> tuple[int, Mapping[str, Any]]:
        try:
            answer = self._http.request(method, url, **arguments)
            body = answer.json()
        except httpx.HTTPError as error:
            raise NotNow(f"the issuer {self._base} does not answer ({error}); try again in a minute") from None
        except ValueError:
            body = {}
        return answer.status_code, body if isinstance(body, dict) else {}

    def _audience(self) -> dict[str, str]:
        return {"audience": self._issuer.audience} if self._issuer.audience else {}


def fresh(stage: Stage, wire: httpx.BaseTransport | None = None) -> Stage:
    """`stage` with a token that is good for a while yet, if that can be had without a person."""
    ends = tokens.expires_at(stage.token) if stage.token else None
    if ends is not None and ends - time.time() < RENEW_BEFORE and (token := renewed(stage, wire)):
        return replace(stage, token=token)
    return stage


def renewed(stage: Stage, wire: httpx.BaseTransport | None = None) -> str | None:
    """A new token for `stage`, written down; None if a person must sign in."""
    if stage.name == stages.LOCAL:
        again = stages.of_this_machine()  # `make up` may have been started anew
        return again.token if again and again.token != stage.token else None
    kept = stages.load().stages.get(stage.name)
    if kept is None or kept.issuer is None or kept.issuer.refresh_token is None:
        return None
    with IssuerClient(kept.issuer, wire) as client:
        granted = client.renew()
    if granted is None:
        return None
    issuer = replace(kept.issuer, refresh_token=granted.refresh_token or kept.issuer.refresh_token)
    return stages.keep_token(kept, granted.token, issuer).token


def _granted(body: Mapping[str, Any]) -> Granted:
    said = body.get("refresh_token")
    return Granted(tokens.check(str(body.get("access_token", ""))), str(said) if said else None)


def _why(body: Mapping[str, Any]) -> str:
    return str(body.get("error_description") or body.get("error") or "no reason given")
