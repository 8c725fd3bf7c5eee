"""A token issuer for the laptop: mints JWTs, publishes its key over loopback, and has people sign in (`sign_in`)."""

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from local.sign_in import CLIENT_ID, Answer, SignIn

JWKS_PATH = "/.well-known/jwks.json"


class Issuer:
    """A context manager. `jwks_url` answers between start and stop; the key is new in each run and never written."""

    def __init__(self, audience: str = "sluice", lifetime_seconds: int = 24 * 3600, port: int = 0) -> None:
        self.audience = audience
        self._lifetime_seconds = lifetime_seconds
        self._key_id = uuid.uuid4().hex
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public_key = jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        document = json.dumps({"keys": [public_key | {"kid": self._key_id, "use": "sig", "alg": "RS256"}]}).encode()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _serve(document, lambda: self._sign_in))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.jwks_url = self.url + JWKS_PATH
        self.client_id = CLIENT_ID
        self._sign_in = SignIn(self.url, self.jwks_url, self.token)

    def token(self, tenant: str, roles: Iterable[str] = ("user",), **claims: Any) -> str:
        """A signed token for `tenant`. `claims` replace or add claims; None takes one away."""
        now = int(time.time())
        standard = {
            "iss": self.url,
            "aud": self.audience,
            "sub": f"someone@{tenant}",
            "iat": now,
            "exp": now + self._lifetime_seconds,
            "tenant": tenant,
            "roles": list(roles),
        }
        payload = {name: value for name, value in (standard | claims).items() if value is not None}
        return jwt.encode(payload, self._key, algorithm="RS256", headers={"kid": self._key_id})

    def start(self) -> Self:
        """Publish the key."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop publishing the key."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.stop()


def _serve(document: bytes, sign_in: Callable[[], SignIn]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == JWKS_PATH:
                self._answer(Answer(200, {"Content-Type": "application/json"}, document.decode()))
            else:
                self._answer(sign_in().get(self.path))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            self._answer(sign_in().post(self.path, body))

        def _answer(self, answer: Answer | None) -> None:
            found = answer or Answer(404, {"Content-Type": "application/json"}, "{}")
            body = found.body.encode()
            self.send_response(found.status)
            for name, value in found.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives it
            """Say nothing: the caller's terminal belongs to the caller."""

    return Handler
