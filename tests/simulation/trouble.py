"""Processes that die between two writes, and requests that are lost, answered in vain, repeated or refused."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from threading import get_ident
from typing import Any
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError, ReadTimeoutError
from pynamodb.exceptions import PynamoDBException

from sluice.jobs.model.run import Run
from sluice.platform import tables
from sluice.platform.clock import MINUTE
from tests.support import one_thread
from tests.support.clock import VirtualClock
from tests.support.store import Answer, Request

WRITES = ("UpdateItem", "PutItem", "DeleteItem", "TransactWriteItems")

# How long an invocation may last. A worker's may be longer than a lease here, so that leases end under it.
LIFETIME_MS = {"enqueue": MINUTE, "cancel": MINUTE, "scheduler": MINUTE, "poller": MINUTE, "worker": 9 * MINUTE}

# What outside of Sluice can raise into it.
OUTSIDE = (BotoCoreError, ClientError, PynamoDBException, tables.Contention)


class Killed(BaseException):
    """The process is gone: nothing of it runs any more, not even what it would do on an exception."""


class SendError(Exception):
    """The queue gave no answer."""


@dataclass
class Process:
    """One invocation of a function, which Lambda ends at `deadline` wherever it is.

    run: whose handler, or whose end, it is busy with. closed: budgets on which it has seen a 429.
    """

    name: str
    deadline: int
    dead: bool = False
    run: Run | None = None
    closed: set[str] = field(default_factory=set)

    def die(self) -> Killed:
        """From now on nothing of this process runs."""
        self.dead = True
        return Killed()


@dataclass
class Fault:
    """What happens to one of the next requests, `after` so many others.

    kill_before, kill_after: the process dies, and the request was not made, or was. lost_request, lost_reply: the
    caller sees a broken connection. repeated: botocore lost the answer and sent the request again. throttled, conflict:
    DynamoDB refuses it. preempted: `by` happens first, so that whoever makes the request acts on what it read before.
    """

    kind: str
    after: int
    by: tuple[Any, ...] = ()


Watch = Callable[[Request, Process], AbstractContextManager[None]]


@dataclass
class Trouble:
    """Who runs just now, and what will go wrong. `watch` stands round every write; `happen` makes something happen."""

    clock: VirtualClock
    watch: Watch
    happen: Callable[..., None]
    processes: list[Process] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    thread: int = field(default_factory=get_ident)

    @contextmanager
    def process(self, name: str) -> Iterator[Process]:
        """One invocation. It may be killed, or end with an exception from outside: the world goes on."""
        process = Process(name, self.clock.time + LIFETIME_MS[name])
        self.processes.append(process)
        try:
            yield process
        except (Killed, SendError, *OUTSIDE):
            pass
        finally:
            self.processes.pop()

    @contextmanager
    def expected(self, faults: Sequence[Fault]) -> Iterator[None]:
        """These faults come, and when it is over no others do."""
        self.faults = [replace(fault) for fault in faults]
        yield
        self.faults = []

    def around(self, request: Request, send: Callable[[], Answer]) -> Answer:
        """Every request of the engine passes here."""
        one_thread.require(self.thread)
        process = self.processes[-1]
        if process.dead:
            raise Killed
        fault, by = self._next()
        if by:
            self.happen(*by)
        if self.clock.time > process.deadline:
            raise process.die()
        self._refuse(fault, request, process)
        if request.operation not in WRITES:
            return send()
        if request.operation == "TransactWriteItems":
            # botocore gives each transaction a token, so that it is done once however often it is sent.
            request.parameters.setdefault("ClientRequestToken", str(uuid4()))
        with self.watch(request, process):
            answer = send()
            if fault == "repeated" and not request.once:
                answer = send()
        if fault == "kill_after":
            raise process.die()
        if fault == "lost_reply" or (fault == "repeated" and request.once):
            raise ReadTimeoutError(endpoint_url="https://dynamodb")
        return answer

    def _next(self) -> tuple[str, tuple[Any, ...]]:
        for fault in self.faults:
            fault.after -= 1
        over = [fault for fault in self.faults if fault.after < 0]
        self.faults = [fault for fault in self.faults if fault.after >= 0]
        return (over[0].kind, over[0].by) if over else ("", ())

    def _refuse(self, fault: str, request: Request, process: Process) -> None:
        if fault == "kill_before":
            raise process.die()
        if fault == "lost_request":
            raise ConnectionClosedError(endpoint_url="https://dynamodb")
        if fault == "throttled":
            raise client_error("ProvisionedThroughputExceededException", request.operation)
        if fault == "conflict" and request.operation == "TransactWriteItems":
            raise client_error("TransactionCanceledException", request.operation, "TransactionConflict")
        if fault == "conflict" and request.operation in WRITES:
            raise client_error("TransactionConflictException", request.operation)


def client_error(code: str, operation: str, *reasons: str) -> ClientError:
    """DynamoDB's refusal, as botocore raises it. `reasons`: of a cancelled transaction, one for each of its writes."""
    response: Any = {
        "Error": {"Code": code, "Message": code},
        "CancellationReasons": [{"Code": reason, "Message": reason} for reason in reasons],
    }
    return ClientError(response, operation)
