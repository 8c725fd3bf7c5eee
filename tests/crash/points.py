"""The points at which a run of Sluice can break: each request that it makes to AWS, a marketplace or a receiver.

```
 refused        ✗ ──►            nothing happened, and the caller is told
 lost             ──► done ✗     it happened, and the caller hears nothing
 repeated         ──► done ✗ ──► done     botocore lost the answer, and sent the request again
 killed before  ✝                the function ends here, wherever it is
 killed after     ──► done ✝     the same, behind the request
```
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import get_ident
from typing import Any, Final, TypeVar

import httpx
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from sluice.webhooks.client import Undelivered
from tests.support import one_thread
from tests.support.shop import unfetched
from tests.support.store import Answer, Request, Send

R = TypeVar("R")

KINDS: Final = ("refused", "lost", "repeated", "killed_before", "killed_after")

REFUSED: Final[dict[str, Callable[[], Exception]]] = {
    "aws": lambda: ConnectionClosedError(endpoint_url="https://aws"),
    "marketplace": lambda: httpx.ConnectError("the connection was refused"),
    "receiver": lambda: Undelivered("unreachable", "the connection was refused"),
    "shop": lambda: unfetched("unreachable"),
}
LOST: Final[dict[str, Callable[[], Exception]]] = {
    "aws": lambda: ReadTimeoutError(endpoint_url="https://aws"),
    "marketplace": lambda: httpx.ReadTimeout("no answer came in time"),
    "receiver": lambda: Undelivered("timed_out", "no answer came in time"),
    "shop": lambda: unfetched("timed_out"),
}


class Killed(BaseException):
    """The function is gone: nothing of it runs any more, not even what it would do on an exception."""


def _nowhere(_: int) -> str:
    return ""


@dataclass
class Points:
    """Counts the requests, and breaks the run at one of them.

    at: the number of the request, from 0; none by default. kind: how, one of `KINDS`. seen: what each was.
    branch: given the number of a request, the kind in which it breaks (see `branches`); empty if it does not.
    """

    at: int = -1
    kind: str = ""
    seen: list[str] = field(default_factory=list)
    dead: bool = False
    branch: Callable[[int], str] = _nowhere
    thread: int = field(default_factory=get_ident)

    @property
    def hit(self) -> bool:
        """Whether the run has been broken by now."""
        return 0 <= self.at < len(self.seen)

    def leave(self) -> None:
        """From now on nothing breaks, and nothing has."""
        self.at, self.branch = -1, _nowhere

    def around(self, request: Request, send: Send) -> Answer:
        """A request to AWS."""
        return self.passing(f"{request.service} {what(request)}", "aws", send, repeats=not request.once)

    def passing(self, name: str, party: str, send: Callable[[], R], *, repeats: bool = False) -> R:
        """A request to a `party`. repeats: whoever sends it sends it again where the answer is lost."""
        one_thread.require(self.thread)
        if self.dead:
            raise Killed
        self.seen.append(name)
        at = len(self.seen) - 1
        if kind := self.branch(at):
            self.at, self.kind, self.branch = at, kind, _nowhere
        return self._break(self.kind, party, send, repeats) if at == self.at else send()

    def _break(self, kind: str, party: str, send: Callable[[], R], repeats: bool) -> R:
        match kind:
            case "refused":
                raise REFUSED[party]()
            case "killed_before":
                raise self._die()
            case "killed_after":
                send()
                raise self._die()
            case "repeated" if repeats:
                send()
                return _again(send)
            case _:
                send()
                raise LOST[party]()

    def _die(self) -> Killed:
        """From now on nothing of this process runs."""
        self.dead = True
        return Killed()


def _again(send: Callable[[], R]) -> R:
    """The second time: its refusal says, as botocore does, that it was not the first."""
    try:
        return send()
    except ClientError as error:
        error.response["ResponseMetadata"]["RetryAttempts"] = 1
        raise


def what(request: Request) -> str:
    """The operation, and what it is about, for the report of a failure."""
    parameters: dict[str, Any] = request.parameters
    about = parameters.get("TableName") or parameters.get("QueueUrl") or ""
    if "TransactItems" in parameters:
        about = "+".join(one["TableName"] for item in parameters["TransactItems"] for one in item.values())
    return f"{request.operation} {about} {parameters.get('UpdateExpression', '')}".rstrip()
