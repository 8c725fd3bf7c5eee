"""The HTTP API of Sluice, from outside."""

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx


class ApiError(Exception):
    """The API did not answer with success; says with what instead. body: its JSON, empty if it is none."""

    def __init__(self, message: str, body: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.body = body or {}


class Api:
    """The HTTP API, as a tenant's program calls it. Every call returns the JSON of a successful answer."""

    def __init__(self, url: str, token: str, wire: httpx.BaseTransport | None = None) -> None:
        """`wire` stands in for the network, for tests."""
        headers = {"authorization": f"Bearer {token}"}
        self._token = token
        self._client = httpx.Client(base_url=url, headers=headers, timeout=30, transport=wire)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def get(self, path: str, **query: Any) -> Any:
        return self._call("GET", path, params=query)

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

    def call(self, method: str, path: str, body: object) -> Any:
        """Any other method."""
        return self._call(method, path, json=body)

    def job(self, job_id: str) -> Any:
        """The job called `job_id`."""
        return self.get(f"/v1/jobs/{quote(job_id, safe=':')}")

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
        answer = self._client.request(method, path, **arguments)
        said = answer.text.replace(self._token, "…")[:500]  # whoever answers may repeat what was sent
        try:
            body = answer.json()
        except ValueError:
            raise ApiError(f"{method} {path} answered {answer.status_code}, and no JSON: {said}") from None
        if answer.is_error:
            raise ApiError(f"{method} {path} answered {answer.status_code}: {said}", body)
        return body
