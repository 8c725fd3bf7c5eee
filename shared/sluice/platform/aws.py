"""AWS clients, made on first use from one botocore session: boto3 besides PynamoDB would cost a cold start 40 %."""

import json
import os
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import botocore
import botocore.session
from botocore.config import Config
from botocore.loaders import Loader

from sluice.platform.settings import settings

_lock = Lock()
# Connections for as many threads as any part of the engine starts. What is sent is made here and in PynamoDB, so
# botocore need not check it again. A name of our own is sent as it is; its own botocore puts together from a dozen
# parts, twice for each request (docs/adr/135-what-an-operation-costs-the-poller.md).
_config = Config(
    user_agent=f"sluice botocore/{botocore.__version__}",
    connect_timeout=3,
    read_timeout=10,
    max_pool_connections=64,
    parameter_validation=False,
    retries={"mode": "standard", "max_attempts": 4},
)
_once = Config(connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 1})

# SQS SendMessageBatch takes so much in one call.
MOST_MESSAGES = 10
MOST_MESSAGE_BYTES = 256 * 1024
# And holds a message back for so many seconds at most.
LONGEST_DELAY = 900


# Our own part of botocore's descriptions. Its own of SSM and of the endpoints in every region are megabytes, and would
# cost a cold start 11 % and 13 % (docs/adr/096-what-a-start-reads-and-compiles.md).
_MODELS = str(Path(__file__).parent / "aws_models")


class _Descriptions(Loader):  # type: ignore[misc]
    """Ours, and for what they lack botocore's own.

    By itself botocore looks into the folders of all its services to find the one, and reads its rules for endpoints,
    which it does not ask where the endpoints of regions are described by others.
    """

    def list_available_services(self, type_name: str) -> list[str]:
        """The services of which there is something; of rules for endpoints there is nothing."""
        if type_name == "endpoint-rule-set-1":
            return []
        return [name for path in self.search_paths if os.path.isdir(path) for name in os.listdir(path)]


@cache
def _session() -> botocore.session.Session:
    session = botocore.session.get_session()
    session.register_component("data_loader", _Descriptions(extra_search_paths=[_MODELS]))
    return session


@cache
def _client(service: str, once: bool) -> Any:
    return _session().create_client(service, config=_config.merge(_once) if once else _config)


def client(service: str, *, once: bool = False) -> Any:
    """The botocore client of `service`; clients are shared by threads, making one is not.

    once: it sends each request once, waits a few seconds for the answer, and never sends it again.
    """
    with _lock:
        return _client(service, once)


def send_message(queue_url: str, body: str, delay: int = 0, /, *, tenant: str | None = None, **attributes: str) -> None:
    """Send one SQS message with string attributes, which nobody sees for `delay` seconds (`LONGEST_DELAY` at most).

    tenant: whose it is, in a queue that tenants share, as for `send_messages`.
    """
    whose = {"MessageGroupId": tenant} if tenant else {}
    typed = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    # Said in any case, for a queue may have a delay of its own.
    sqs = client("sqs")
    sqs.send_message(QueueUrl=queue_url, MessageBody=body, MessageAttributes=typed, DelaySeconds=delay, **whose)


def send_messages(queue_url: str, bodies: Sequence[str], tenant: str) -> None:
    """Send SQS messages, as many in a call as SQS takes: ten, of 256 KB together.

    tenant: whose they are. Of a queue that tenants share, SQS then hands out the others' messages before those of who
    keeps most of its consumers busy (fair queues).

    Raises:
        RuntimeError: some were refused; others may have been sent.
    """
    for batch in _batches(bodies):
        entries = [
            {"Id": str(number), "MessageBody": body, "MessageGroupId": tenant} for number, body in enumerate(batch)
        ]
        answer = client("sqs").send_message_batch(QueueUrl=queue_url, Entries=entries)
        if failed := answer.get("Failed"):
            raise RuntimeError(f"the queue refused {len(failed)} messages: {failed[0]['Code']}")


def _batches(bodies: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for body in bodies:
        if batch and (len(batch) == MOST_MESSAGES or size + len(body.encode()) > MOST_MESSAGE_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(body)
        size += len(body.encode())
    if batch:
        yield batch


def invoke_later(function: str, event: dict[str, Any]) -> None:
    """Invoke a Lambda function asynchronously."""
    client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event).encode())


class FunctionFailed(Exception):  # noqa: N818 - an answer
    """The function that was invoked has raised an error, or ran out of time."""


def invoke(function: str, event: dict[str, Any]) -> Any:
    """Invoke a Lambda function and wait for what it answers.

    Raises:
        FunctionFailed: it has failed; its own log says why.
    """
    answer = client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
    if answer.get("FunctionError"):
        raise FunctionFailed(function)
    return json.loads(answer["Payload"].read())


def put_event(kind: str, detail: dict[str, Any]) -> None:
    """Put one event of detail type `kind` on the bus of this stack."""
    put_events([(kind, detail)])


def put_events(events: Sequence[tuple[str, dict[str, Any]]]) -> None:
    """Put events, each a detail type and its detail, on the bus of this stack, ten in a call (EventBridge's limit)."""
    for start in range(0, len(events), 10):
        entries = [
            {
                "Source": "sluice",
                "DetailType": kind,
                "Detail": json.dumps(detail),
                "EventBusName": settings().require("event_bus"),
            }
            for kind, detail in events[start : start + 10]
        ]
        answer = client("events").put_events(Entries=entries)
        if answer.get("FailedEntryCount"):
            codes = sorted({entry["ErrorCode"] for entry in answer["Entries"] if "ErrorCode" in entry})
            raise RuntimeError(f"the event bus refused {answer['FailedEntryCount']} events: {', '.join(codes)}")


def encrypt(text: str, context: dict[str, str]) -> bytes:
    """Encrypt up to 4 KB under the token key, bound to `context`."""
    key = settings().require("token_key")
    answer = client("kms").encrypt(KeyId=key, Plaintext=text.encode(), EncryptionContext=context)
    return bytes(answer["CiphertextBlob"])


def decrypt(secret: bytes, context: dict[str, str]) -> str:
    """Decrypt what `encrypt` made; fails under another context."""
    key = settings().require("token_key")
    answer = client("kms").decrypt(KeyId=key, CiphertextBlob=secret, EncryptionContext=context)
    return bytes(answer["Plaintext"]).decode()
