"""Where the processor time of this process goes: measured around functions, in the threads that call them.

A part's time is without that of the parts within it: what a claim takes is told without the signing of its request.
Threads that wait take none, so a busy machine changes little; what it does change, `pace` tells.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from aws_lambda_powertools import Logger
from botocore.client import BaseClient
from botocore.httpsession import URLLib3Session
from botocore.parsers import ResponseParser
from botocore.signers import RequestSigner
from pynamodb.attributes import AttributeContainer
from pynamodb.connection.base import Connection

from sluice.jobs.dispatch.rounds import Round
from sluice.jobs.queue import claim, finish
from sluice.listings.stockx import settle
from sluice.marketplaces.http.transport import Transport

# A function or method: what has it, and its name there.
Place = tuple[Any, str]
# Where the time of an operation goes. Requests to DynamoDB are told apart from who makes them: they cost all the same.
POLLING: dict[str, list[Place]] = {
    "finding what is due": [(Round, "find"), (Round, "check")],
    "claiming": [(claim, "claim")],
    "the marketplace's call": [(Transport, "call")],
    "settling the listing": [(settle, "settle")],
    "ending the job": [(finish, "complete")],
    "making expressions": [(Connection, "get_operation_kwargs")],
    "making requests": [(BaseClient, "_make_api_call")],
    "signing": [(RequestSigner, "sign")],
    "sending": [(URLLib3Session, "send")],
    "reading answers": [(ResponseParser, "parse"), (AttributeContainer, "_container_deserialize")],
    "logging": [(Logger, "info")],
}
# What stands for all that lies in no part.
REST = "threads, and all else"
# How often `pace` goes round.
ROUNDS = 1_000_000


@dataclass
class Spent:
    """Processor time in seconds: by part, once the block of `timed` has ended, and `whole`, of the process."""

    parts: dict[str, float] = field(default_factory=dict)
    whole: float = 0


class _Stack(threading.local):
    """The parts in which a thread is, and since when its time counts for the last of them."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.since = 0.0


@contextmanager
def timed(places: Mapping[str, Sequence[Place]]) -> Iterator[Spent]:
    """Measure each part, which are the calls of its `places`, until the block ends."""
    spent, stack, took = Spent(), _Stack(), dict[int, defaultdict[str, float]]()

    def charge() -> None:
        now = time.thread_time()
        if stack.names:
            mine = took.setdefault(threading.get_ident(), defaultdict(float))
            mine[stack.names[-1]] += now - stack.since
        stack.since = now

    def around(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def measured(*args: Any, **kwargs: Any) -> Any:
            charge()
            stack.names.append(name)
            try:
                return call(*args, **kwargs)
            finally:
                charge()
                stack.names.pop()

        return measured

    with ExitStack() as patches:
        for name, where in places.items():
            for owner, attribute in where:
                patches.enter_context(patch.object(owner, attribute, around(name, getattr(owner, attribute))))
        began = time.process_time()
        yield spent
        spent.whole = time.process_time() - began
    spent.parts = {name: sum(mine[name] for mine in list(took.values())) for name in places}
    spent.parts[REST] = spent.whole - sum(spent.parts.values())


def pace() -> float:
    """Milliseconds of processor time that a loop of a million rounds takes here and now: how fast the core is."""
    began, total = time.process_time(), 0
    for number in range(ROUNDS):
        total += number & 7
    return 1_000 * (time.process_time() - began)
