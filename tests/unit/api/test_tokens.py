"""The authorizer: which tokens pass, what it hands on, and how it treats the issuer."""

import base64
import hashlib
import hmac
import importlib
import json
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from threading import Thread
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.exceptions import PyJWKClientConnectionError

from local.cloud.cloud import ROOT
from sluice.platform.http import jwt as tokens
from sluice.platform.settings import SettingsError
from tests.support import process
from tests.support.http import Context

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ISSUER, AUDIENCE = "https://issuer.example", "sluice"


def jwks() -> dict[str, Any]:
    rsa_key = jwt.algorithms.RSAAlgorithm.to_jwk(RSA.public_key(), as_dict=True) | {"kid": "r", "alg": "RS256"}
    ec_key = jwt.algorithms.ECAlgorithm.to_jwk(EC.public_key(), as_dict=True) | {"kid": "e", "alg": "ES256"}
    return {"keys": [rsa_key, ec_key]}


class Issuer:
    """Publishes keys on loopback and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer: tuple[int, bytes] = (200, json.dumps(jwks()).encode())
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked += 1
                status, body = issuer.answer
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/jwks.json"


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Issuer]:
    issuer = Issuer()
    Thread(target=issuer.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    for name, value in (("JWT_ISSUER", ISSUER), ("JWT_AUDIENCE", AUDIENCE), ("JWKS_URL", issuer.url)):
        monkeypatch.setenv(name, value)
    process.forget()
    yield issuer
    issuer.server.shutdown()
    issuer.server.server_close()
    monkeypatch.undo()
    process.forget()


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    standard = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "iat": now, "exp": now + 600}
    made = {**standard, "tenant": "acme", "roles": ["user"], **changes}
    return {name: value for name, value in made.items() if value is not None}


def token(key: Any = RSA, algorithm: str = "RS256", kid: str | None = "r", **changes: Any) -> str:
    headers = {"kid": kid} if kid is not None else {}
    return jwt.encode(claims(**changes), key, algorithm=algorithm, headers=headers)


def by_hand(header: dict[str, Any], payload: dict[str, Any], signature: bytes = b"") -> str:
    """A token that no library would make."""
    parts = (json.dumps(header).encode(), json.dumps(payload).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


EVENT = json.loads((ROOT / "events" / "authorizer_request.json").read_text())


def ask(value: str | None, name: str = "authorization") -> Any:
    """Put a token into events/authorizer_request.json and ask the authorizer."""
    handler = importlib.import_module("functions.authorizer.handler").handler
    return handler(EVENT | {"headers": {} if value is None else {name: value}}, Context())


@pytest.mark.parametrize(("seconds", "passes"), [(86_400, True), (86_500, False), (100 * 365 * 86_400, False)])
def test_a_token_is_good_for_a_day_at_most(issuer: Issuer, seconds: int, passes: bool) -> None:
    assert ask(f"Bearer {token(exp=int(time.time()) + seconds)}")["isAuthorized"] is passes


def test_how_long_it_may_be_good_is_a_parameter(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWT_MAX_SECONDS", "900")
    process.forget()
    for seconds, passes in ((600, True), (1_000, False)):
        assert ask(f"Bearer {token(exp=int(time.time()) + seconds)}")["isAuthorized"] is passes


@pytest.mark.parametrize("stage", ["dev", "prod", None])
def test_keys_come_over_https_only_save_on_a_laptop(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch, stage: str | None
) -> None:
    """Also where nobody says which stage it is."""
    if stage:
        monkeypatch.setenv("SLUICE_STAGE", stage)
    else:
        monkeypatch.delenv("SLUICE_STAGE")
    process.forget()
    with pytest.raises(SettingsError, match="JWKS_URL must begin with https://"):
        ask(f"Bearer {token()}")
    assert issuer.asked == 0


def test_the_event_as_it_is_has_no_token_of_this_issuer(issuer: Issuer) -> None:
    assert ask(EVENT["headers"]["authorization"]) == {"isAuthorized": False}


def text(part: str) -> str:
    return base64.urlsafe_b64encode(part.encode("utf-8", "surrogatepass")).decode().rstrip("=")


HEADER = '{"alg": "RS256", "kid": "r"}'
ODD_PARTS = [
    "[" * 6_000,
    '{"a":' * 1_500,
    "[]",
    "null",
    "1e999",
    "9" * 5_000,
    '"\\ud800"',
    "\x00",
    "",
    "\ud800",
    '{"kid": {}}',
]


@pytest.mark.parametrize("part", ODD_PARTS)
def test_a_token_of_odd_parts_is_refused_and_never_a_fault(issuer: Issuer, part: str) -> None:
    for value in (f"{text(part)}.{text('{}')}.x", f"{text(HEADER)}.{text(part)}.AAAA", part, f"{part}.{part}.{part}"):
        assert ask(f"Bearer {value}") == {"isAuthorized": False}
    signed = jwt.api_jws.encode(part.encode("utf-8", "surrogatepass"), RSA, algorithm="RS256", headers={"kid": "r"})
    assert ask(f"Bearer {signed}") == {"isAuthorized": False}


@pytest.mark.parametrize(("key", "algorithm", "kid"), [(RSA, "RS256", "r"), (EC, "ES256", "e")])
def test_a_good_token_passes_with_its_tenant_and_roles(issuer: Issuer, key: Any, algorithm: str, kid: str) -> None:
    value = token(key, algorithm, kid, roles=["user", "owner", "operator"])
    assert ask(f"Bearer {value}") == {
        "isAuthorized": True,
        "context": {"tenant": "acme", "roles": "operator user", "subject": "ann"},
    }


@pytest.mark.parametrize("name", ["authorization", "Authorization", "AUTHORIZATION"])
def test_the_header_is_found_however_it_is_written(issuer: Issuer, name: str) -> None:
    assert ask(f"bearer  {token()}", name)["isAuthorized"] is True


PUBLIC_PEM = RSA.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def signed_with_the_public_key() -> str:
    """HS256 with the public key as the shared secret: the classic forgery."""
    unsigned = by_hand({"alg": "HS256", "typ": "JWT", "kid": "r"}, claims()).rstrip(".")
    signature = hmac.new(PUBLIC_PEM, unsigned.encode(), hashlib.sha256).digest()
    return f"{unsigned}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


BAD: dict[str, Callable[[], str]] = {
    "no token": lambda: "",
    "not a token": lambda: "abc",
    "three parts of nothing": lambda: "a.b.c",
    "alg none": lambda: by_hand({"alg": "none", "kid": "r"}, claims()),
    "alg none in capitals": lambda: by_hand({"alg": "NONE", "kid": "r"}, claims()),
    "HS256 with the public key": signed_with_the_public_key,
    "PS256": lambda: token(algorithm="PS256"),
    "signed by somebody else": lambda: token(STRANGER),
    "the key of another algorithm": lambda: token(kid="e"),
    "unknown key id": lambda: token(kid="unknown"),
    "no key id": lambda: token(kid=None),
    "key id that is no text": lambda: by_hand({"alg": "RS256", "kid": 7}, claims()),
    "expired": lambda: token(exp=int(time.time()) - 60),
    "no expiry": lambda: token(exp=None),
    "not valid yet": lambda: token(nbf=int(time.time()) + 600),
    "wrong issuer": lambda: token(iss="https://other.example"),
    "no issuer": lambda: token(iss=None),
    "wrong audience": lambda: token(aud="other"),
    "no audience": lambda: token(aud=None),
    "no subject": lambda: token(sub=None),
    "empty subject": lambda: token(sub=""),
    "no tenant": lambda: token(tenant=None),
    "empty tenant": lambda: token(tenant=""),
    "tenant in capitals": lambda: token(tenant="ACME"),
    "tenant that ends a key": lambda: token(tenant="acme#1"),
    "tenant with a line end": lambda: token(tenant="acme\n"),
    "tenant too long": lambda: token(tenant="a" * 65),
    "tenant that is a list": lambda: token(tenant=["acme"]),
    "no roles": lambda: token(roles=None),
    "empty roles": lambda: token(roles=[]),
    "unknown roles only": lambda: token(roles=["owner"]),
    "roles that are text": lambda: token(roles="admin"),
    "roles that are no text": lambda: token(roles=[["admin"], 7, None]),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_token_is_refused_and_never_logged(issuer: Issuer, logged: StringIO, name: str) -> None:
    value: str = BAD[name]()
    assert ask(f"Bearer {value}") == {"isAuthorized": False}
    written = logged.getvalue()
    assert "token refused" in written
    assert not value or not any(part and part in written for part in value.split(".") if len(part) > 3)


@pytest.mark.parametrize("name", ["alg none", "HS256 with the public key", "PS256", "no key id", "not a token"])
def test_what_cannot_be_good_never_reaches_the_issuer(issuer: Issuer, name: str) -> None:
    ask(f"Bearer {BAD[name]()}")
    assert issuer.asked == 0


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic YWxhZGRpbjpvcGVu", "token"])
def test_a_header_without_a_bearer_token_is_refused(issuer: Issuer, header: str | None) -> None:
    assert ask(header) == {"isAuthorized": False}
    assert issuer.asked == 0


def test_a_token_passes_within_the_leeway(issuer: Issuer) -> None:
    assert ask(f"Bearer {token(exp=int(time.time()) - 5)}")["isAuthorized"] is True


def test_the_keys_are_fetched_once(issuer: Issuer) -> None:
    for _ in range(5):
        ask(f"Bearer {token()}")
    assert issuer.asked == 1


def test_made_up_key_ids_do_not_hammer_the_issuer(issuer: Issuer) -> None:
    for number in range(20):
        ask(f"Bearer {token(kid=f'made-up-{number}')}")
    assert issuer.asked == 1


@pytest.mark.parametrize("answer", [(500, b"oops"), (200, b"<html>"), (200, b'{"keys": []}'), (200, b"[]")])
def test_an_issuer_that_fails_is_an_error_and_not_a_refusal(
    issuer: Issuer, answer: tuple[int, bytes], logged: StringIO
) -> None:
    issuer.answer = answer
    value = token()
    for _ in range(3):
        with pytest.raises(PyJWKClientConnectionError):
            ask(f"Bearer {value}")
    assert issuer.asked == 1
    written = logged.getvalue()
    assert "the issuer's keys could not be fetched" in written
    assert value not in written


def test_an_issuer_that_fails_later_does_not_lock_out_those_whose_key_is_known(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(f"Bearer {token()}")["isAuthorized"] is True
    issuer.answer = (500, b"oops")
    monkeypatch.setattr(tokens.keys(), "cooldown_duration", 0)
    with pytest.raises(PyJWKClientConnectionError):
        ask(f"Bearer {token(kid='unknown')}")
    assert ask(f"Bearer {token()}")["isAuthorized"] is True


def test_claims_may_have_a_namespace_and_then_none_without_one_counts(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Auth0 drops a claim `roles` that has none, and says nothing."""
    prefix = "https://sluice.example.com/"
    monkeypatch.setenv("JWT_CLAIM_PREFIX", prefix)
    process.forget()
    named: dict[str, Any] = {f"{prefix}tenant": "acme", f"{prefix}roles": ["operator"]}
    answer = ask(f"Bearer {token(tenant=None, roles=None, **named)}")
    assert answer["context"] == {"tenant": "acme", "roles": "operator", "subject": "ann"}
    assert ask(f"Bearer {token()}") == {"isAuthorized": False}
