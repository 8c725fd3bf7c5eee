"""The network below botocore: what it sends reaches the tables of this process, and a test says what comes back."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ReadTimeoutError

from local.cloud.tables import create_tables
from sluice.platform import aws, tables
from sluice.platform.settings import settings
from tests.support.store import environment, respond

BEFORE_SENDING = "before-send.dynamodb"
TIMEOUT = ReadTimeoutError(endpoint_url="https://dynamodb")


def LOST() -> None:  # noqa: N802 - an answer, beside which others are values
    """The request arrives and is done, and its answer is lost. Nothing else happens meanwhile."""


class Network:
    """Counts what is sent. `answers` come to the next requests in place of DynamoDB's own, which None stands for.

    A function: the request is done, then what the function does, and the answer is lost.
    """

    def __init__(self) -> None:
        self.answers: list[dict[str, Any] | Exception | Callable[[], object] | None] = []
        self.sent: list[str] = []

    def __call__(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        operation = str(request.headers["X-Amz-Target"].decode()).split(".")[1]
        self.sent.append(operation)
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, dict):
            return Response(400, json.dumps(answer).encode())
        if isinstance(answer, Exception):
            raise answer
        response = Response(*respond(operation, request.body))
        if callable(answer):
            answer()
            raise TIMEOUT
        return response

    def items(self, table: str) -> list[dict[str, Any]]:
        """All that `table` holds, raw."""
        status, body = respond("Scan", json.dumps({"TableName": tables.name(table)}).encode())
        assert status == 200
        found: list[dict[str, Any]] = json.loads(body)["Items"]
        return found


class Response(AWSResponse):  # type: ignore[misc]
    """What came over the network."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__("https://dynamodb", status, {"content-type": "application/x-amz-json-1.0"}, None)
        self._content = body


@contextmanager
def no_pauses() -> Iterator[list[float]]:
    """This thread does not wait; how long each pause would have been. Others wait: the cloud has threads of its own."""
    pauses, own, sleep = list[float](), threading.current_thread(), time.sleep

    def pause(seconds: float) -> None:
        pauses.append(seconds) if threading.current_thread() is own else sleep(seconds)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "sleep", pause)
        yield pauses


@contextmanager
def open_network() -> Iterator[Network]:
    """Empty tables behind the real botocore."""
    with environment(clients=True), ExitStack() as stack:
        network = Network()
        for once in (False, True):
            events = aws.client("dynamodb", once=once).meta.events
            events.register_first(BEFORE_SENDING, network)
            stack.callback(events.unregister, BEFORE_SENDING, network)
        create_tables(aws.client("dynamodb"), settings().stack)
        network.sent.clear()
        yield network
