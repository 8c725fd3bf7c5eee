"""The HTTP API for an HTTP client of this process: each request goes through the handler of its route."""

import httpx

from tests.support.http import call


def api_of(tenant: str, roles: str = "operator") -> httpx.MockTransport:
    """The network, for a client whose token is one of `tenant`."""

    def answer(request: httpx.Request) -> httpx.Response:
        body = request.content.decode() or None
        query = request.url.query.decode()
        path = request.url.raw_path.decode().partition("?")[0]
        sent = {name: value for name, value in request.headers.items() if name in ("if-match", "idempotency-key")}
        kind = request.headers.get("content-type", "application/json")
        done = call(
            request.method, path, query=query, body=body, content_type=kind, tenant=tenant, roles=roles, headers=sent
        )
        return httpx.Response(done.status, headers=dict(done.headers), text=done.text)

    return httpx.MockTransport(answer)
