"""The one place that sends webhooks: receivers that misbehave, and names that lead somewhere else."""

import socket
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from local.cloud.cloud import free_port
from local.receiver import Answer, Receiver, status
from sluice.platform.pinned import look_up
from sluice.webhooks.client import Undelivered, WebhookClient
from tests.support.patience import SECONDS

PUBLIC = "93.184.216.34"
HEADERS = {"webhook-id": "m1"}


@pytest.fixture
def client() -> Iterator[WebhookClient]:
    """On a laptop, which may be busy: a receiver's answer comes late then."""
    client = WebhookClient(local=True, seconds=SECONDS)
    yield client
    client.close()


@pytest.fixture
def hasty() -> Iterator[WebhookClient]:
    """Of little patience, for receivers that never answer."""
    client = WebhookClient(local=True, seconds=0.5)
    yield client
    client.close()


def code(client: WebhookClient, url: str) -> str:
    """Why nothing was delivered."""
    with pytest.raises(Undelivered) as undelivered:
        client.post(url, HEADERS, b"{}")
    assert str(undelivered.value)
    return undelivered.value.code


def test_a_request_arrives_as_it_was_sent(client: WebhookClient) -> None:
    with Receiver() as receiver:
        assert client.post(f"{receiver.url}?key=1%20a", HEADERS, b'{"a":1}') == 204
    [received] = receiver.received
    assert (received.path, received.body) == ("/hook?key=1%20a", b'{"a":1}')
    assert received.headers["webhook-id"] == "m1"
    assert received.headers["content-type"] == "application/json"
    assert received.headers["user-agent"].startswith("sluice")


@pytest.mark.parametrize("answer", [200, 201, 400, 404, 410, 429, 500, 503])
def test_the_status_is_told(client: WebhookClient, answer: int) -> None:
    with Receiver(answer) as receiver:
        assert client.post(receiver.url, HEADERS, b"{}") == answer


@pytest.mark.parametrize(
    "location", ["http://169.254.169.254/latest", "http://127.0.0.1:1/", "https://example.com/", "/"]
)
def test_a_redirect_is_not_followed(client: WebhookClient, location: str) -> None:
    with Receiver(status(307, location=location)) as receiver:
        assert client.post(receiver.url, HEADERS, b"{}") == 307
    assert len(receiver.received) == 1


def test_nobody_listens(client: WebhookClient) -> None:
    with socket.socket() as taken:  # and nobody else begins to
        taken.bind(("127.0.0.1", 0))
        assert code(client, f"http://127.0.0.1:{taken.getsockname()[1]}/") == "unreachable"


def silence(receiver: Receiver) -> Answer:
    """Answers nothing until the receiver ends."""

    def wait(_: BaseHTTPRequestHandler) -> None:
        receiver.over.wait()

    return wait


def test_no_answer_comes(hasty: WebhookClient) -> None:
    with Receiver() as receiver:
        receiver.then(silence(receiver))
        assert code(hasty, receiver.url) == "timed_out"


def test_headers_that_drip_do_not_hold_it_up(hasty: WebhookClient) -> None:
    """Each byte comes in time, the answer never."""

    def drip(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not receiver.over.wait(0.02):
            request.wfile.write(b"a")

    with Receiver(drip) as receiver:
        assert code(hasty, receiver.url) == "timed_out"


def test_an_endless_body_is_not_read(client: WebhookClient) -> None:
    def flood(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while not receiver.over.is_set():
                request.wfile.write(b"a" * 65_536)
        except OSError:
            return

    with Receiver(flood) as receiver:
        assert client.post(receiver.url, HEADERS, b"{}") == 200


def test_headers_without_end_are_cut_off(client: WebhookClient) -> None:
    def flood(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\n")
        try:
            while not receiver.over.is_set():
                request.wfile.write(b"x: " + b"a" * 65_536)
        except OSError:
            return

    with Receiver(flood) as receiver:
        assert code(client, receiver.url) == "unreachable"


@pytest.mark.parametrize("answer", [b"garbage\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b""])
def test_what_is_no_answer(client: WebhookClient, answer: bytes) -> None:
    def garble(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(answer)
        request.close_connection = True

    with Receiver(garble) as receiver:
        assert code(client, receiver.url) == "unreachable"


# ── where it connects to ──


class Names:
    """A name server that gives each of `answers` in turn. asked: how often it was."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers, self.asked = list(answers), 0

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked += 1
        return self.answers.pop(0)


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses to which a connection is made; none is."""
    addresses: list[str] = []

    def connect(backend: object, host: str, *_: Any) -> None:
        addresses.append(host)
        raise OSError

    monkeypatch.setattr("httpcore.SyncBackend.connect_tcp", connect)
    return addresses


def sent(names: Callable[[str, int], list[str]], *, local: bool = False, times: int = 1) -> list[str]:
    """What comes of sending to a name."""
    client, outcomes = WebhookClient(local=local, look_up=names), []
    for _ in range(times):
        try:
            client.post("https://hooks.example.com/", HEADERS, b"{}")
        except Undelivered as undelivered:
            outcomes.append(undelivered.code)
        except OSError:
            outcomes.append("tried")
    client.close()
    return outcomes


def test_it_connects_to_the_address_that_was_checked(connected: list[str]) -> None:
    """A name server that answers the next question differently is not asked again."""
    names = Names([PUBLIC], ["127.0.0.1"])
    assert sent(names) == ["tried"]
    assert (connected, names.asked) == ([PUBLIC], 1)


def test_a_name_that_moves_inside_is_refused_the_next_time(connected: list[str]) -> None:
    assert sent(Names([PUBLIC], ["169.254.169.254"]), times=2) == ["tried", "target_refused"]
    assert connected == [PUBLIC]


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.0.0.8"],
        ["169.254.169.254"],
        ["::1"],
        ["fe80::1%eth0"],
        ["::ffff:10.0.0.8"],
        ["::ffff:0:127.0.0.1"],
        ["3fff::1"],
        ["5f00::1"],
        ["100:0:0:1::1"],
        [PUBLIC, "10.0.0.8"],
        ["10.0.0.8", PUBLIC],
    ],
)
def test_a_name_with_an_address_inside_is_refused(connected: list[str], addresses: list[str]) -> None:
    assert sent(Names(addresses)) == ["target_refused"]
    assert connected == []


@pytest.mark.parametrize("port", [22, 80, 6379, 9200])
def test_another_port_is_refused_also_where_it_was_stored_before(connected: list[str], port: int) -> None:
    client = WebhookClient(local=False, look_up=lambda *_: [PUBLIC])
    assert code(client, f"https://hooks.example.com:{port}/") == "target_refused"
    assert connected == []
    client.close()


def test_on_a_laptop_only_the_laptop_itself_is_allowed_besides(connected: list[str]) -> None:
    assert sent(Names(["127.0.0.1"], ["10.0.0.8"]), local=True, times=2) == ["tried", "target_refused"]


def test_the_reason_does_not_tell_what_a_name_inside_leads_to() -> None:
    client = WebhookClient(local=False, look_up=Names(["10.0.0.8"]))
    with pytest.raises(Undelivered) as undelivered:
        client.post("https://hooks.example.com/", HEADERS, b"{}")
    assert "10.0.0.8" not in str(undelivered.value)
    client.close()


def test_a_name_that_is_none(connected: list[str]) -> None:
    def fail(host: str, port: int) -> list[str]:
        raise OSError

    assert [*sent(fail), *sent(Names([]))] == ["unreachable", "unreachable"]


def test_a_name_server_that_does_not_answer() -> None:
    with Receiver() as forever:
        hasty = WebhookClient(local=True, seconds=0.2, look_up=lambda *_: [str(forever.over.wait())])
        assert code(hasty, "https://hooks.example.com/") == "timed_out"
        hasty.close()


def test_the_real_name_server_is_asked_for_ipv4_first() -> None:
    assert look_up("127.0.0.1", 80) == ["127.0.0.1"]
    assert look_up("localhost", 80)[0] == "127.0.0.1"


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    with Receiver() as receiver:
        client = WebhookClient(local=True, seconds=SECONDS)
        assert client.post(receiver.url, HEADERS, b"{}") == 204
        client.close()
