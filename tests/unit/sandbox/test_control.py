"""The control plane and the command, as another process uses them."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.sandbox.faults import ServerError
from local.sandbox.server import Sandbox
from tests.support.patience import SECONDS
from tests.unit.sandbox.client import Client

ROOT = Path(__file__).resolve().parents[3]


def test_a_client_in_another_process_connects_over_the_control_plane(client: Client) -> None:
    credentials = client.http.put("/_sandbox/accounts/tenant-b").json()
    form = {name: credentials[name] for name in ("client_id", "client_secret", "refresh_token")}
    token = client.http.post("/oauth/token", data={"grant_type": "refresh_token", **form}).json()["access_token"]
    headers = {"x-api-key": credentials["api_key"], "authorization": f"Bearer {token}"}
    assert client.http.get("/v2/catalog/search?query=x", headers=headers).status_code == 200
    assert client.http.delete("/_sandbox/accounts/tenant-b/access_tokens").status_code == 204
    assert client.http.get("/v2/catalog/search?query=x", headers=headers).status_code == 401
    assert client.http.delete("/_sandbox/accounts/tenant-b").status_code == 204
    assert client.http.post("/oauth/token", data={"grant_type": "refresh_token", **form}).status_code == 403


def test_a_product_goes_over_to_another_id(client: Client) -> None:
    [before] = [row["productId"] for row in _panda(client)]
    sizes = client.get(f"/v2/catalog/products/{before}/variants").json()
    assert client.http.post("/_sandbox/products/DD1391-100/move").status_code == 204
    assert client.http.post("/_sandbox/products/NOBODY-1/move").status_code == 404
    [after] = [row["productId"] for row in _panda(client)]
    assert after != before
    assert client.get(f"/v2/catalog/products/{before}/variants").status_code == 404
    moved = client.get(f"/v2/catalog/products/{after}/variants").json()
    assert [row["variantId"] for row in moved] == [row["variantId"] for row in sizes]


def _panda(client: Client) -> list[dict[str, Any]]:
    found = client.get("/v2/catalog/search", query="DD1391-100").json()["products"]
    return [row for row in found if row["styleId"] == "DD1391-100"]


def test_the_log_can_be_read_filtered_and_cleared(client: Client) -> None:
    client.get("/v2/catalog/search", query="DD1391-100")
    client.get("/v2/catalog/search")
    everything = client.http.get("/_sandbox/requests").json()
    assert [row["status"] for row in everything["requests"]] == [200, 400]
    row = everything["requests"][0]
    assert (row["account"], row["method"], row["query"]) == ("tenant-a", "GET", {"query": "DD1391-100"})
    assert client.http.get("/_sandbox/requests?status=400&path=*/search&account=tenant-a").json()["count"] == 1
    assert client.http.get(f"/_sandbox/requests?after={row['ordinal']}").json()["count"] == 1
    assert client.http.delete("/_sandbox/requests").status_code == 204
    assert client.http.get("/_sandbox/requests").json() == {"count": 0, "requests": []}


def test_faults_latency_and_limits_are_set_and_shown(client: Client, sandbox: Sandbox) -> None:
    answer = client.http.put("/_sandbox/faults", json=[{"kind": "server_error", "last": 1, "status": 500}])
    assert answer.json() == client.http.get("/_sandbox/faults").json()
    assert sandbox.faults.current == (ServerError(last=1, status=500),)
    assert client.get("/v2/catalog/search", query="x").status_code == 500
    client.http.put("/_sandbox/faults", json=[])
    assert client.http.put("/_sandbox/latency", json={"delay_ms": 1}).json()["delay_ms"] == 1
    assert client.http.get("/_sandbox/latency").json()["delay_ms"] == 1
    limits = client.http.put("/_sandbox/limits/stockx", json={"per_hour": 1}).json()
    assert limits == client.http.get("/_sandbox/limits/stockx").json()
    client.http.delete("/_sandbox/requests")
    statuses = [client.get("/v2/catalog/search", query="x").status_code for _ in range(2)]
    assert 429 in statuses


def test_the_report_counts_what_was_called(client: Client) -> None:
    for _ in range(2):
        client.get("/v2/catalog/search", query="DD1391-100")
    report = client.http.get("/_sandbox/report").json()
    assert (report["calls"], report["duplicates"], report["over"]) == (2, 1, 0)
    assert report["by_route"] == {"GET /v2/catalog/search": {"200": 2}}
    assert report["usage"]["stockx/tenant-a"]["max_in_clock_hour"] == 2


def test_health(client: Client) -> None:
    health = client.http.get("/_sandbox/health", timeout=SECONDS).json()
    assert (health["status"], health["seed"], health["marketplaces"]) == (
        "ok",
        7,
        ["stockx", "alias", "ebay", "ebay-marketing", "ebay-inventory", "ebay-account", "ebay-taxonomy", "ebay-feed"],
    )


@pytest.mark.parametrize(
    ("method", "path", "body", "wrong"),
    [
        ("PUT", "/faults", '[{"kind":"earthquake"}]', "0"),
        ("PUT", "/faults", "not json", "JSON"),
        ("PUT", "/limits/stockx", '{"per_hour":0}', "per_hour"),
        ("PUT", "/limits/nowhere", "{}", "nowhere"),
        ("PUT", "/latency", '{"delay_ms":-1}', "delay_ms"),
        ("GET", "/requests?colour=red", None, "colour"),
        ("GET", "/report?duplicates_within_ms=0", None, "duplicates_within_ms"),
    ],
)
def test_a_bad_order_is_explained(client: Client, method: str, path: str, body: str | None, wrong: str) -> None:
    answer = client.http.request(method, f"/_sandbox{path}", content=body)
    assert answer.status_code == 400
    assert wrong in json.dumps(answer.json()["errors"])


def test_a_path_of_no_marketplace_is_neither_played_nor_logged(client: Client, sandbox: Sandbox) -> None:
    assert client.http.get("/v9/catalog").status_code == 404
    assert sandbox.requests() == []


def test_a_sandbox_that_does_not_run_has_no_url() -> None:
    with pytest.raises(RuntimeError, match="with Sandbox"):
        _ = Sandbox().url


def test_the_command_says_where_it_is_and_stops_cleanly() -> None:
    command = [sys.executable, "-m", "local.sandbox", "--port", "0", "--seed", "9", "--products", "5"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            assert ready["url"].startswith("http://127.0.0.1:")
            assert httpx.get(f"{ready['url']}/_sandbox/health", timeout=SECONDS).json()["seed"] == 9
        finally:
            process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate(timeout=SECONDS)
    assert (process.returncode, rest, errors) == (0, b"", b"")
