"""One run of an actor's function: on what it was told before, and then for one request more."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from sluice.jobs.run.messages import Batch
from sluice.platform import tables
from sluice.platform.clock import MINUTE
from tests.model.state import Actor, Branch, Told
from tests.simulation.trouble import WRITES, Process, SendError
from tests.support.store import Answer, Request

WORKER_MS = 9 * MINUTE

# Stands round each write.
Watched = Callable[[Request, Process], AbstractContextManager[None]]


class Paused(BaseException):
    """The actor has made its request."""


class Turn:
    """Gives an actor what it is told: its clock, its handler's choices, and the answers to its requests.

    made: the request that it made in this turn, "" while it has made none. sent: the batches that it handed on.
    """

    def __init__(self, actor: Actor, told: tuple[Told, ...], now: int, fault: str, watched: Watched) -> None:
        """told: what the actor was told in earlier turns, and what was chosen for this one."""
        self.actor = actor
        self.told = list(told)
        self.fault = fault
        self.made = ""
        self.sent: list[str] = []
        self.process = Process(actor.what, now + WORKER_MS)
        self._now = now
        self._watched = watched
        self._position = 0
        self._tokens = 0

    @property
    def new(self) -> bool:
        """Whether what happens now has not happened in an earlier turn."""
        return self._position >= len(self.actor.told)

    def now(self) -> int:
        """The time, as a clock says it."""
        return int(self._hear(lambda: Told(f"t{self._now}", self._now)))

    def wait_until(self, at: int, _: object) -> bool:
        """Nobody waits for calls here, for nothing limits them."""
        assert at <= self._now
        return False

    def choose(self, *options: str) -> str:
        """One of `options`. All of them are explored."""
        if self._position == len(self.told) and not self.made:
            raise Branch(options, tuple(self.told))
        return str(self._hear(lambda: Told("", "")))

    def request(self, request: Request, send: Callable[[], Answer]) -> Answer:
        """See `Store.around`."""
        table = str(request.parameters.get("TableName", "")).removeprefix(tables.name(""))
        # The marks of lanes concern nobody else here, for no lane becomes old: they go with the request that follows.
        made = "" if table == "lanes" else f"{request.operation} {table}".strip()
        answer: Answer = self._hear(lambda: self._perform(request, send, self.fault if made else ""), made)
        return answer

    def send(self, batch: Batch) -> None:
        """Hand a batch to the workers' queue."""

        def send() -> Told:
            if self.fault != "unsent":
                self.sent.append(batch.encode())
            return Told(self.fault, SendError(self.fault) if self.fault else None)

        self._hear(send, "Send")

    def call(self) -> None:
        """Ask the marketplace, which takes its time."""
        self._hear(lambda: Told("called", None), "Call")

    def token(self, *_: Any) -> str:
        """What nobody else has. It is the same when the function is run again."""
        self._tokens += 1
        return f"@{self.actor.number}.{self._tokens}@"

    def _hear(self, make: Callable[[], Told], made: str = "") -> Any:
        """What the actor is told: once more, or for the first time by `make`. made: the request that this is."""
        if self._position == len(self.told):
            if self.made:
                raise Paused
            self.told.append(make())
            self.made = made
        told = self.told[self._position]
        self._position += 1
        if isinstance(told.value, Exception):
            raise _anew(told.value)
        return told.value

    def _perform(self, request: Request, send: Callable[[], Answer], fault: str) -> Told:
        if request.operation not in WRITES:
            return _answered(send())
        try:
            with self._watched(request, self.process):
                answer = send()
                if fault == "repeated" and not request.once:
                    answer = send()
        except ClientError as refused:
            found = {name: refused.response.get(name) for name in ("Item", "CancellationReasons")}
            return Told(json.dumps(found, sort_keys=True), refused)
        if fault == "lost" or (fault == "repeated" and request.once):
            return Told("lost", ReadTimeoutError(endpoint_url="https://dynamodb"))
        return _answered(answer)


def _answered(answer: Answer) -> Told:
    told = {name: value for name, value in answer.items() if name not in ("ResponseMetadata", "ConsumedCapacity")}
    return Told(json.dumps(told, sort_keys=True), answer)


def _anew(error: Exception) -> Exception:
    """The same error, which nobody has raised before."""
    if isinstance(error, ClientError):
        refused: Exception = ClientError(error.response, error.operation_name)
        return refused
    if isinstance(error, ReadTimeoutError):
        lost: Exception = ReadTimeoutError(endpoint_url="https://dynamodb")
        return lost
    return type(error)(*error.args)
