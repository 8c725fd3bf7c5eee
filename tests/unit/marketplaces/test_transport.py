"""The seam: budget first, one request, a capped answer in time, one log line."""

import gzip
import io
import itertools
import json
import socket
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import httpcore
import httpx
import pytest

from sluice.jobs.model.outcomes import BudgetEmpty
from sluice.marketplaces.http import errors
from sluice.marketplaces.http.exchange import Call
from sluice.marketplaces.http.mapping import Rules
from sluice.marketplaces.http.transport import MOST_BYTES, Transport
from sluice.platform import deadline
from sluice.platform.clock import MINUTE, SECOND
from sluice.platform.observe import metrics
from tests.support.patience import SECONDS
from tests.unit.marketplaces.fakes import API, NOON, BudgetLog, Network, WatchedClock, answer, error

THING = Call("GET", "/things/{id}", {"id": "a/b c"}, {"page": 2})
Serve = Callable[..., str]


def _transport(network: httpx.BaseTransport, rules: Rules | None = None, **more: Any) -> Transport:
    return Transport("shop", API, WatchedClock(), rules, wire=network, **more)


def test_one_request_charged_before_it_is_sent(calls: BudgetLog) -> None:
    network = Network(lambda _: answer(200, {"taken": calls.taken}))
    got = _transport(network).call(THING, calls)
    assert (got.status, json.loads(got.body)) == (200, {"taken": 1})
    (sent,) = network.sent
    assert sent.url.raw_path == b"/v2/things/a%2Fb%20c?page=2"
    assert sent.headers["accept"] == "application/json"


def test_no_budget_no_request() -> None:
    network = Network(answer())
    with pytest.raises(BudgetEmpty):
        _transport(network).call(THING, BudgetLog(BudgetEmpty("none left", retry_at=NOON)))
    assert network.sent == []


@pytest.mark.parametrize("wrong", ["", ".", "..", "..."])
def test_an_id_cannot_leave_its_place_in_the_path(wrong: str, calls: BudgetLog) -> None:
    network = Network(answer())
    with pytest.raises(errors.BadRequest, match="id must not be"):
        _transport(network).call(Call("GET", "/things/{id}/parts", {"id": wrong}), calls)
    assert (network.sent, calls.taken) == ([], 0)


def test_nothing_is_tried_again_and_no_redirect_followed(calls: BudgetLog) -> None:
    for given, kind in (
        (answer(302, location="http://elsewhere.test/"), errors.BadAnswer),
        (error(503), errors.Unavailable),
        (httpx.ReadTimeout("late"), errors.TimedOut),
        (httpx.ConnectError("refused"), errors.Unavailable),
    ):
        network = Network(given)
        with pytest.raises(kind):
            _transport(network).call(THING, calls)
        assert len(network.sent) == 1


def test_a_429_closes_the_budget_before_it_is_raised(calls: BudgetLog) -> None:
    with pytest.raises(errors.RateLimited) as caught:
        _transport(Network(error(429, retry_after="90"))).call(THING, calls)
    assert calls.closed == [caught.value.retry_at] == [NOON + 90 * SECOND]
    assert caught.value.whole_batch


def test_a_429_without_a_time_closes_it_for_a_minute_or_as_the_rules_say(calls: BudgetLog) -> None:
    for rules in (None, Rules(pause_ms=5 * MINUTE)):
        with pytest.raises(errors.RateLimited):
            _transport(Network(error(429)), rules).call(THING, calls)
    assert calls.closed == [NOON + MINUTE, NOON + 5 * MINUTE]


def test_what_is_left_is_passed_on(calls: BudgetLog) -> None:
    transport = _transport(Network(answer(200, {}, x_left="7")), Rules(remaining_header="x-left"))
    transport.call(THING, calls)
    assert calls.left == [7]


def test_what_is_left_is_passed_on_with_a_429_too(calls: BudgetLog) -> None:
    with pytest.raises(errors.RateLimited):
        _transport(Network(error(429, x_left="0")), Rules(remaining_header="x-left")).call(THING, calls)
    assert (calls.left, calls.closed, calls.named) == ([0], [NOON + MINUTE], [False])


def test_a_503_that_says_until_when_closes_the_budget_and_is_no_refusal(calls: BudgetLog) -> None:
    with pytest.raises(errors.Unavailable) as caught:
        _transport(Network(error(503, retry_after="30"))).call(THING, calls)
    assert calls.closed == [caught.value.retry_at] == [NOON + 30 * SECOND]
    assert (calls.named, calls.answers) == ([], 0)


def test_a_503_without_a_time_closes_nothing(calls: BudgetLog) -> None:
    with pytest.raises(errors.Unavailable) as caught:
        _transport(Network(error(503))).call(THING, calls)
    assert (calls.closed, calls.answers, caught.value.retry_at) == ([], 0, None)


def test_an_uncounted_host_is_charged_nothing() -> None:
    with pytest.raises(errors.RateLimited):
        _transport(Network(error(429))).call(THING, None)
    assert metrics.metric_set == {}


def test_one_line_and_one_count_for_each_call(calls: BudgetLog, lines: io.StringIO) -> None:
    transport = _transport(Network(answer(200, {"name": "secret-body-1"}), error(429)))
    private = Call("GET", "/things/{id}", {"id": "secret-id-1"}, {"q": "secret-q-1"}, {"authorization": "secret-1"})
    transport.call(private, calls)
    with pytest.raises(errors.RateLimited):
        transport.call(private, calls)
    first, second = (json.loads(line) for line in lines.getvalue().splitlines())
    assert (first["marketplace"], first["method"], first["path"]) == ("shop", "GET", "/things/{id}")
    assert (first["status"], second["status"], second["code"]) == (200, 429, "rate_limited")
    assert isinstance(first["ms"], int)
    assert "secret" not in lines.getvalue()
    assert metrics.metric_set["CallsMade"]["Value"] == [1.0, 1.0]
    assert metrics.metric_set["CallsRefused"]["Value"] == [1.0]


def test_a_compressed_answer_is_unpacked(calls: BudgetLog) -> None:
    for name, pack in (("gzip", gzip.compress), ("deflate", zlib.compress)):
        transport = _transport(_Raw(pack(b'{"a": 1}'), {"content-encoding": name}))
        assert transport.call(THING, calls).body == b'{"a": 1}'


@pytest.mark.parametrize(
    ("body", "encoding", "message"),
    [
        (b" " * (MOST_BYTES + 1), "identity", "larger than"),
        (gzip.compress(b" " * (MOST_BYTES + 1)), "gzip", "larger than"),
        (b"not gzip", "gzip", "cannot be unpacked"),
    ],
)
def test_an_answer_too_large_or_broken(body: bytes, encoding: str, message: str, calls: BudgetLog) -> None:
    with pytest.raises(errors.BadAnswer, match=message):
        _transport(_Raw(body, {"content-encoding": encoding})).call(THING, calls)


def test_the_largest_answer_is_taken(calls: BudgetLog) -> None:
    assert len(_transport(_Raw(b" " * MOST_BYTES, {})).call(THING, calls).body) == MOST_BYTES


def test_an_endless_answer_is_not_read_to_its_end(calls: BudgetLog) -> None:
    endless = _Endless()
    with pytest.raises(errors.BadAnswer, match="larger than"):
        _transport(endless).call(THING, calls)
    assert endless.given <= MOST_BYTES + 64 * 1024


def test_a_429_is_not_lost_behind_its_body(calls: BudgetLog) -> None:
    with pytest.raises(errors.RateLimited):
        _transport(_Endless(429)).call(THING, calls)
    assert calls.closed == [NOON + MINUTE]


def test_a_dripping_answer_ends_in_time(calls: BudgetLog, slow_server: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock on which each look takes a second, so that a busy machine takes no time to connect."""
    looks = itertools.count()
    monkeypatch.setattr(deadline, "time", SimpleNamespace(monotonic=lambda: next(looks)))
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 20000\r\n\r\n"
    drops = [b"x"] * 20_000  # a minute of them
    for parts in ([head], [bytes([letter]) for letter in head]):
        wire, answer = deadline.Transport(), itertools.chain(parts, drops)
        transport = Transport("shop", slow_server(answer), WatchedClock(), wire=wire, timeout_ms=90 * SECOND)
        with pytest.raises(errors.TimedOut) as caught:
            transport.call(THING, calls)
        wire.close()
        assert caught.value.uncertain


def test_no_wait_on_a_connection_is_longer_than_the_call() -> None:
    waits: list[float | None] = []

    class Recorder(httpcore.NetworkStream):
        def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
            waits.append(timeout)
            return b""

        def write(self, buffer: bytes, timeout: float | None = None) -> None:
            waits.append(timeout)

    stream = deadline.Stream(Recorder())
    with deadline.within(SECONDS):
        stream.read(1, 2 * SECONDS)
        stream.write(b"x", None)
        stream.read(1, 2)
    assert waits[0] is not None
    assert waits[1] is not None
    assert max(waits[0], waits[1]) <= SECONDS
    assert waits[2] == 2
    with deadline.within(0), pytest.raises(httpcore.ReadTimeout):
        stream.read(1, 20)


def test_connections_are_kept_and_each_call_has_its_own_time(calls: BudgetLog, slow_server: Serve) -> None:
    reply = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
    wire = deadline.Transport()
    url = slow_server([reply] * 3, turns=True)
    transport = Transport("shop", url, WatchedClock(), wire=wire, timeout_ms=round(SECONDS * SECOND))
    # The server takes one connection only: a second one would get no answer.
    assert [transport.call(THING, calls).body for _ in range(3)] == [b"{}"] * 3
    wire.close()


def test_nobody_listens(calls: BudgetLog) -> None:
    wire = deadline.Transport()
    with socket.socket() as taken:  # and nobody else begins to
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(errors.Unavailable, match="cannot connect") as caught:
            Transport("shop", url, WatchedClock(), wire=wire).call(THING, calls)
    wire.close()
    assert not caught.value.uncertain


class _Raw(httpx.BaseTransport):
    """Answers with these very bytes, in chunks, as a network would."""

    def __init__(self, body: bytes, headers: dict[str, str]) -> None:
        self._body, self._headers = body, headers

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        chunks = (self._body[start : start + 65_536] for start in range(0, len(self._body), 65_536))
        return httpx.Response(200, headers=self._headers, stream=_Chunks(chunks))


class _Endless(httpx.BaseTransport):
    """Answers with a body that never ends."""

    def __init__(self, status: int = 200) -> None:
        self._status, self.given = status, 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(self._status, stream=_Chunks(self._drops()))

    def _drops(self) -> Iterator[bytes]:
        while True:
            self.given += 65_536
            yield b" " * 65_536


class _Chunks(httpx.SyncByteStream):
    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks


@pytest.fixture
def slow_server() -> Iterator[Serve]:
    """A server for one connection: it sends the parts it is given with a pause between two, or one for each request."""
    stop, threads = threading.Event(), list[threading.Thread]()

    def serve(parts: Iterable[bytes], *, turns: bool = False) -> str:
        listening = socket.create_server(("127.0.0.1", 0))

        def run() -> None:
            with listening, listening.accept()[0] as connection, suppress(OSError):
                for place, part in enumerate(parts):
                    if turns or place == 0:
                        connection.recv(65_536)
                    if stop.wait(0.003):
                        return
                    connection.sendall(part)

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        return f"http://127.0.0.1:{listening.getsockname()[1]}"

    yield serve
    stop.set()
    for thread in threads:
        thread.join()
