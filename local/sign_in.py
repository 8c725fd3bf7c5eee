"""The laptop issuer's own sign-in: OpenID Connect with PKCE, and a page on which one chooses who one is.

There are no passwords: whoever can open a page on this machine may be anybody, on this machine's stack alone.
"""

import base64
import hashlib
import html
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

CLIENT_ID = "sluice-dashboard"
DISCOVERY_PATH, AUTHORIZE_PATH, TOKEN_PATH = "/.well-known/openid-configuration", "/authorize", "/token"

# (tenant, roles, claims) → a signed token for `audience`.
Sign = Callable[..., str]


@dataclass(frozen=True)
class Answer:
    """What the issuer answers: a status, its headers and a body."""

    status: int
    headers: dict[str, str]
    body: str


@dataclass(frozen=True)
class _Code:
    """What a code stands for, until it is used."""

    redirect_uri: str
    challenge: str
    nonce: str
    tenant: str
    roles: tuple[str, ...]


class SignIn:
    """The part of the issuer that a browser sees."""

    def __init__(self, issuer: str, jwks_url: str, sign: Sign) -> None:
        self._issuer = issuer
        self._jwks_url = jwks_url
        self._sign = sign
        self._codes: dict[str, _Code] = {}

    def get(self, path: str) -> Answer | None:
        """The answer to a GET; None for what is not of this part."""
        parsed = urlsplit(path)
        asked = {name: values[0] for name, values in parse_qs(parsed.query).items()}
        if parsed.path == DISCOVERY_PATH:
            return _json(200, self._document())
        if parsed.path != AUTHORIZE_PATH:
            return None
        if wrong := self._wrong(asked):
            return _page(400, "This sign-in cannot be done", f"<p>{html.escape(wrong)}</p>")
        return self._granted(asked) if "tenant" in asked else _page(200, "Who are you?", _choice(asked))

    def post(self, path: str, body: str) -> Answer | None:
        """The answer to a POST; None for what is not of this part."""
        if urlsplit(path).path != TOKEN_PATH:
            return None
        form = {name: values[0] for name, values in parse_qs(body).items()}
        code = self._codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        good = (
            code is not None
            and form.get("grant_type") == "authorization_code"
            and form.get("client_id") == CLIENT_ID
            and form.get("redirect_uri") == code.redirect_uri
            and secrets.compare_digest(challenge, code.challenge)
        )
        if code is None or not good:
            return _json(400, {"error": "invalid_grant"})
        tokens = {
            "access_token": self._sign(code.tenant, code.roles),
            "id_token": self._sign(code.tenant, code.roles, aud=CLIENT_ID, nonce=code.nonce),
            "token_type": "Bearer",
            "expires_in": 3600,
        }
        return _json(200, tokens)

    def _document(self) -> dict[str, Any]:
        return {
            "issuer": self._issuer,
            "authorization_endpoint": f"{self._issuer}{AUTHORIZE_PATH}",
            "token_endpoint": f"{self._issuer}{TOKEN_PATH}",
            "jwks_uri": self._jwks_url,
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }

    def _wrong(self, asked: dict[str, str]) -> str | None:
        if asked.get("client_id") != CLIENT_ID or asked.get("response_type") != "code":
            return "The client or the response type is not known here."
        back = urlsplit(asked.get("redirect_uri", ""))
        if back.hostname is None or not (back.hostname == "127.0.0.1" or back.hostname.endswith("localhost")):
            return "The browser may only go back to this machine."
        if asked.get("code_challenge_method") != "S256" or not asked.get("code_challenge"):
            return "PKCE with S256 is needed."
        return None

    def _granted(self, asked: dict[str, str]) -> Answer:
        code = secrets.token_urlsafe(16)
        roles = tuple(asked.get("roles", "").split())
        self._codes[code] = _Code(
            asked["redirect_uri"], asked["code_challenge"], asked.get("nonce", ""), asked["tenant"], roles
        )
        answer = urlencode({"code": code, "state": asked.get("state", "")})
        return Answer(303, {"Location": f"{asked['redirect_uri']}?{answer}"}, "")


def _choice(asked: dict[str, str]) -> str:
    held = "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in asked.items()
    )
    options = "".join(
        f"<option value='{value}'>{label}</option>"
        for value, label in (
            ("user operator admin", "everything of this tenant"),
            ("user", "a user of this tenant"),
            ("operator platform", "whoever runs the whole deployment"),
        )
    )
    return (
        "<p>This issuer runs on your machine, for your machine. It believes you.</p>"
        f"<form method='get' action='{AUTHORIZE_PATH}'>{held}"
        "<p><label>Tenant <input name='tenant' value='demo' pattern='[a-z0-9\\-]{1,64}' required></label></p>"
        f"<p><label>Roles <select name='roles'>{options}</select></label></p>"
        "<p><button>Sign in</button></p></form>"
    )


def _page(status: int, title: str, body: str) -> Answer:
    head = f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{title}</title></head>"
    text = f"{head}<body><main><h1>{title}</h1>{body}</main></body></html>"
    return Answer(status, {"Content-Type": "text/html; charset=utf-8"}, text)


def _json(status: int, document: dict[str, Any]) -> Answer:
    return Answer(status, {"Content-Type": "application/json"}, json.dumps(document))
