"""The HTTP API of Sluice, from outside."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from sluice_command import tokens
from sluice_command.answers import explain
from sluice_command.errors import ApiError, NotNow, NotSignedIn

__all__ = ["Api", "ApiError"]

# More than the 29 s that the gateway waits for a function.
TIMEOUT_SECONDS = 30
# What of an answer is shown that is no JSON.
MOST_SHOWN = 300


class Api:
    """The HTTP API, as a tenant's program calls it. Every call returns the JSON of a successful answer.

    Raises (each call):
        NotSignedIn: the token is not accepted.
        ApiError: the request is refused; says why.
        NotNow: no answer, a fault, or asked too often.
    """

    def __init__(
        self,
        url: str,
        token: str,
        wire: httpx.BaseTransport | None = None,
        renew: Callable[[], str | None] = lambda: None,
        seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        """`wire` stands in for the network, for tests. renew: gives a new token when this one is refused, if it can.
        seconds: how long an answer is waited for."""
        self.url = url
        self._seconds = seconds
        self._token = token
        self._renew = renew
        self._client = httpx.Client(base_url=url, timeout=seconds, transport=wire)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def get(self, path: str, **query: Any) -> Any:
        """Read something. What is None in the query is left out."""
        return self._call("GET", path, params={name: value for name, value in query.items() if value is not None})

    def post(self, path: str, body: object, key: str | None = None) -> Any:
        """key: sent as `Idempotency-Key`."""
        headers = {"idempotency-key": key} if key else {}
        return self._call("POST", path, json=body, headers=headers)

    def put(self, path: str, body: object) -> Any:
        return self._call("PUT", path, json=body)

    def delete(self, path: str) -> Any:
        return self._call("DELETE", path)

    def upload(self, path: str, data: bytes, content_type: str) -> Any:
        """Post a file."""
        return self._call("POST", path, content=data, headers={"content-type": content_type})

    def call(self, method: str, path: str, body: object, version: int | None = None) -> Any:
        """Any other method. version: sent as `If-Match`."""
        headers = {} if version is None else {"if-match": f'"{version}"'}
        return self._call(method, path, json=body, headers=headers)

    def job(self, job_id: str) -> Any:
        """The job called `job_id`."""
        return self.get(f"/v1/jobs/{segment(job_id)}")

    def wait(self, done: Callable[[], bool], seconds: float, what: str) -> None:
        """Look every 200 ms until `done()`.

        Raises:
            TimeoutError: not done after `seconds`; names `what` was awaited.
        """
        deadline = time.monotonic() + seconds
        while not done():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what}: not within {seconds:g} s")
            time.sleep(0.2)

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        try:
            return self._once(method, path, **arguments)
        except NotSignedIn:
            renewed = self._renew()
            if renewed is None:
                raise
            self._token = renewed
            return self._once(method, path, **arguments)

    def _once(self, method: str, path: str, headers: dict[str, str] | None = None, **arguments: Any) -> Any:
        own = {"authorization": f"Bearer {self._token}"}
        try:
            answer = self._client.request(method, path, headers={**own, **(headers or {})}, **arguments)
        except httpx.HTTPError as error:
            raise NotNow(self._unreached(method, error)) from None
        try:
            body = answer.json()
        except ValueError:
            body = None
        if answer.is_success and isinstance(body, dict):
            return body
        said = answer.text.replace(self._token, "…")[:MOST_SHOWN]  # whoever answers may repeat what was sent
        expired = tokens.expired_since(self._token, time.time())
        raise explain(f"{method} {path}", answer.status_code, said, body, answer.headers, expired)

    def _unreached(self, method: str, error: httpx.HTTPError) -> str:
        if isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout):
            done = "" if method == "GET" else "; it may have been done all the same, so look before you ask again"
            waited = f"the stage at {self.url} did not answer within {self._seconds:g} s"
            return f"{waited}{done or '; try again in a minute'}"
        why = f"nothing answers at {self.url} ({error})"
        return (
            f"{why}: is the stage up, and is this its URL? `make up` starts the local one; `sluice use` shows the URL"
        )


def segment(text: str) -> str:
    """`text` as one segment of a path."""
    return quote(text, safe=":")
