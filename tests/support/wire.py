"""The HTTP API for an HTTP client of this process: each request goes through the handler of its route."""

import httpx

from tests.support.http import call


def api_of(tenant: str, roles: str = "operator") -> httpx.MockTransport:
    """The network, for a client whose token is one of `tenant`."""

    def answer(request: httpx.Request) -> httpx.Response:
        body = request.content.decode() or None
        query = request.url.query.decode()
        path = request.url.raw_path.decode().partition("?")[0]
        done = call(request.method, path, query=query, body=body, tenant=tenant, roles=roles)
        return httpx.Response(done.status, headers=dict(done.headers), text=done.text)

    return httpx.MockTransport(answer)
