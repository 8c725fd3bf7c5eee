"""Checking a caller's JWT: signature, issuer, audience, time, tenant and roles. What the authorizer function does."""

import re
import time
from collections.abc import Mapping
from functools import cache
from typing import Any

import jwt
from jwt.exceptions import InvalidTokenError, PyJWKClientConnectionError, PyJWKClientError

from sluice.platform.http.auth import ROLES, TENANT, Caller
from sluice.platform.observe import logger
from sluice.platform.settings import SettingsError, settings, variable

__all__ = ["BadToken", "IssuerKeys", "PyJWKClientConnectionError", "authorize", "check", "claims", "keys"]

# Signatures by a private key only: with a shared secret, whoever can check a token could also make one.
ALGORITHMS = ["RS256", "ES256"]
LEEWAY_SECONDS = 30
REFUSED: dict[str, Any] = {"isAuthorized": False}

# The issuer's keys are asked for again after this long, and after an unknown key id at most once a `COOLDOWN`, so that
# made-up tokens cannot make Sluice hammer the issuer.
KEYS_LIVE_SECONDS = 600
COOLDOWN_SECONDS = 30
FETCH_SECONDS = 3


class BadToken(Exception):  # noqa: N818 - an answer
    """The token is not good; `str()` says why, without any part of it."""


class IssuerKeys(jwt.PyJWKClient):
    """The issuer's public keys. A fetch that failed is not tried again for a moment."""

    def __init__(self, url: str) -> None:
        super().__init__(
            url, lifespan=KEYS_LIVE_SECONDS, timeout=FETCH_SECONDS, cooldown_duration=COOLDOWN_SECONDS, headers=_HEADERS
        )
        self._resting_until = 0.0

    def fetch_data(self) -> Any:
        if time.monotonic() < self._resting_until:
            raise PyJWKClientConnectionError("the issuer's keys could not be fetched a moment ago")
        try:
            return super().fetch_data()
        except Exception as error:
            self._resting_until = time.monotonic() + FETCH_SECONDS
            # Whatever the address answered (nothing, HTML, no usable key), it is the issuer that fails, not the token.
            raise PyJWKClientConnectionError(f"no keys from {self.uri}: {type(error).__name__}") from error


_HEADERS = {"Accept": "application/json", "User-Agent": "sluice"}


@cache
def keys() -> IssuerKeys:
    """The keys of the deployment's issuer."""
    here = settings()
    url = here.require("jwks_url")
    # Whoever can change the keys on their way makes every token good.
    if not (url.startswith("https://") or here.on_a_laptop):
        raise SettingsError(f"environment variable {variable('jwks_url')} must begin with https://")
    return IssuerKeys(url)


def authorize(event: Mapping[str, Any]) -> dict[str, Any]:
    """Answer an HTTP API's question (authorizer payload format 2.0, simple responses) whether the request may pass.

    Raises:
        PyJWKClientConnectionError: the issuer's keys could not be fetched. The gateway then answers 500: it is not the
            caller's fault, and a 403 would tell them to throw a good token away.
    """
    try:
        caller = check(_bearer(event), keys())
    except BadToken as refused:
        logger.info("token refused", extra={"reason": str(refused)})
        return REFUSED
    except PyJWKClientConnectionError as error:
        logger.error("the issuer's keys could not be fetched", extra={"reason": str(error)})
        raise
    return {"isAuthorized": True, "context": caller.context()}


def check(token: str, keys: jwt.PyJWKClient) -> Caller:
    """The caller that `token` speaks for.

    Raises:
        BadToken, PyJWKClientConnectionError: as `claims`.
    """
    found = claims(token, keys, settings().require("jwt_audience"))
    most = int(settings().jwt_max_seconds)
    if int(found["exp"]) > time.time() + most + LEEWAY_SECONDS:
        raise BadToken(f"it is good for longer than {most} seconds, the most that is allowed here")
    return _caller(found)


def claims(token: str, keys: jwt.PyJWKClient, audience: str) -> dict[str, Any]:
    """What `token` says, if the issuer has signed it for `audience` and its time has not passed.

    Raises:
        BadToken: it is not good.
        PyJWKClientConnectionError: the issuer's keys could not be fetched.
    """
    try:
        header = jwt.get_unverified_header(token)
        key_id = header.get("kid")
        if header.get("alg") not in ALGORITHMS or not isinstance(key_id, str):
            raise BadToken("not signed by RS256 or ES256 with a key id")
        found: dict[str, Any] = jwt.decode(
            token,
            keys.get_signing_key(key_id),
            algorithms=ALGORITHMS,
            issuer=settings().require("jwt_issuer"),
            audience=audience,
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "iss", "aud", "sub"]},
        )
    except PyJWKClientConnectionError:
        raise
    except (InvalidTokenError, PyJWKClientError) as error:
        raise BadToken(type(error).__name__) from error
    return found


def _caller(claims: Mapping[str, Any]) -> Caller:
    prefix = settings().jwt_claim_prefix  # some issuers let nobody add a claim that has no namespace
    tenant, roles, subject = claims.get(f"{prefix}tenant"), claims.get(f"{prefix}roles"), claims["sub"]
    if not isinstance(tenant, str) or not re.fullmatch(TENANT, tenant):
        raise BadToken(f"the claim {prefix}tenant is missing, or not 1 to 64 of a-z, 0-9 and -")
    named = roles if isinstance(roles, list) else []
    known = frozenset(role for role in named if isinstance(role, str) and role in ROLES)
    if not known:
        raise BadToken(f"the claim {prefix}roles must be a list with one of {', '.join(ROLES)}")
    if not subject:
        raise BadToken("the claim sub is empty")
    return Caller(tenant, known, subject)


def _bearer(event: Mapping[str, Any]) -> str:
    """The token of the Authorization header. Header names are lower case on AWS, not in every local gateway."""
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise BadToken("no Authorization: Bearer header")
    if not token.isascii():
        raise BadToken("a token holds nothing but ASCII")
    return str(token.strip())
