"""What goes wrong: processes are killed, messages come twice and in another order, the emulator is started anew."""

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

from local.laptop import Laptop

T = TypeVar("T")

# No longer than this between two deeds.
PAUSE_SECONDS = 3.0
# So long a queue gathers messages before they are sent on, twice and in another order.
GATHER_SECONDS = 2.0
LOOK_SECONDS = 0.1
# The marketplaces' next call is waited for so long.
CALL_SECONDS = 5.0
QUEUES = ("work", "manual", "wake", "webhooks")


@dataclass
class Trouble:
    """The deeds, by chance, and how often each was done.

    progress: tells how much has been asked for so far. Between two deeds something is, however slow the machine: else
    it would only be shown that what is always killed does nothing.
    dead: function processes that were killed, by function. sent: messages that were sent once more. ours: those that
    were sent so, by id. gate: whoever has it needs the cloud as it is, so that it is not started anew meanwhile.
    """

    laptop: Laptop
    chance: Random
    progress: Callable[[], int]
    deeds: Counter[str] = field(default_factory=Counter)
    dead: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    ours: set[str] = field(default_factory=set)
    over: threading.Event = field(default_factory=threading.Event)
    gate: threading.Lock = field(default_factory=threading.Lock)

    def make(self) -> None:
        """One deed after the other, until it is over."""
        deeds: list[tuple[str, Callable[[], None]]] = [
            ("kill one", self.kill_one),
            ("kill when a marketplace is asked", self.kill_at_a_call),
            ("messages twice", self.mix),
        ]
        while not self.over.wait(self.chance.uniform(0.2, PAUSE_SECONDS)):
            name, deed = self.chance.choice(deeds)
            before = self.progress()
            deed()
            self.deeds[name] += 1
            while self.progress() == before and not self.over.wait(LOOK_SECONDS):
                pass

    def kill_one(self) -> None:
        """SIGKILL for one function process, whatever it does."""
        if alive := sorted(self.laptop.cloud.processes().items()):
            self._kill(*self.chance.choice(alive))

    def kill_at_a_call(self) -> None:
        """SIGKILL for all that call marketplaces, as soon as one of them is asked for something: answers are lost."""
        with suppress(TimeoutError):
            self.laptop.sandbox.wait_for(len(self.laptop.sandbox.requests()) + 1, CALL_SECONDS)
        self.kill(lambda name: not name.endswith(("api", "authorizer")))

    def kill(self, which: Callable[[str], bool] | None = None) -> None:
        """SIGKILL for the processes of those functions, or of all."""
        for process, name in self.laptop.cloud.processes().items():
            if which is None or which(name):
                self._kill(process, name)

    def _kill(self, process: int, name: str) -> None:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
            self.dead[name.removeprefix(f"{self.laptop.stack.name}-")] += 1

    def mix(self) -> None:
        """Let the messages of a while gather, and send them on: each of them twice, in another order."""
        with self.gate, self.held():
            self.over.wait(GATHER_SECONDS)
            self.send_twice()

    def send_twice(self) -> None:
        """Send each message that waits twice, in another order; one that was sent so once, and waits still, once.

        Else the messages of functions that are slower than this would become twice as many with each time.
        """
        sqs = self.laptop.cloud.client("sqs")
        for url in sqs.list_queues()["QueueUrls"]:
            if not self._is_mixed(url):
                continue
            found = list[Any]()
            while some := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
                found += some
            first = [one for one in found if one["MessageId"] not in self.ours]
            bodies = [one["Body"] for one in [*found, *first]]
            self.chance.shuffle(bodies)
            for some in _tens(bodies):
                entries = [
                    {"Id": str(place), "MessageBody": body, "DelaySeconds": self.chance.choice([0, 0, 1, 3])}
                    for place, body in enumerate(some)
                ]
                sent = sqs.send_message_batch(QueueUrl=url, Entries=entries)
                self.ours |= {one["MessageId"] for one in sent["Successful"]}
            for taken in _tens(found):
                handles = [{"Id": str(at), "ReceiptHandle": one["ReceiptHandle"]} for at, one in enumerate(taken)]
                sqs.delete_message_batch(QueueUrl=url, Entries=handles)
            self.sent += len(first)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody is given a message of the queues meanwhile."""
        functions = self.laptop.cloud.client("lambda")
        mappings = functions.list_event_source_mappings()["EventSourceMappings"]
        mixed = [one["UUID"] for one in mappings if self._is_mixed(one["EventSourceArn"])]
        for mapping in mixed:
            functions.update_event_source_mapping(UUID=mapping, Enabled=False)
        try:
            yield
        finally:
            for mapping in mixed:
                functions.update_event_source_mapping(UUID=mapping, Enabled=True)

    def _is_mixed(self, queue: str) -> bool:
        return queue.rpartition(f"{self.laptop.stack.name}-")[2] in QUEUES


def _tens(things: Sequence[T]) -> Iterator[Sequence[T]]:
    """As many at a time as SQS takes."""
    return (things[at : at + 10] for at in range(0, len(things), 10))
