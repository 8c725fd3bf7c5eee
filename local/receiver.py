"""A receiver of webhooks, or a shop, on this machine that does what it is told."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


@dataclass(frozen=True)
class Received:
    """One request. headers: names in lower case. at: when it came, epoch ms."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    at: int


# Answers a request by itself.
Answer = Callable[[BaseHTTPRequestHandler], None]


class Receiver:
    """A context manager. It answers with each of `answers` in turn, which are statuses or functions, then with `rest`.

    over: set when the receiver ends; an answer that waits for it never comes.
    """

    def __init__(self, *answers: int | Answer, rest: int | Answer = 204) -> None:
        self.received: list[Received] = []
        self.over = threading.Event()
        self._answers, self._rest = list(answers), rest
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self.port = int(self._server.server_port)
        self.url = f"http://127.0.0.1:{self.port}/hook"

    def then(self, *answers: int | Answer) -> None:
        """Go on with `answers`."""
        self._answers += answers

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.received.append(Received(self.path, headers, body, time.time_ns() // 1_000_000))
                answer = receiver._answers.pop(0) if receiver._answers else receiver._rest
                if callable(answer):
                    answer(self)
                else:
                    status(answer)(self)

            do_GET = do_POST  # noqa: N815 - as above

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives it
                """Say nothing."""

        return Handler


def status(code: int, **headers: str) -> Answer:
    """Answers with a status and headers, and no body."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(code)
        for name, value in {"content-length": "0", **headers}.items():
            request.send_header(name, value)
        request.end_headers()

    return answer
