"""DynamoDB inside this process: the local cloud's own implementation, called without its server.

A write takes half a millisecond, so that a simulation makes tens of thousands of them. Everything above botocore's
client is the real code: PynamoDB, the expressions, the conditions and what is made of a refusal.
"""

import base64
import json
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from threading import RLock
from types import ModuleType
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, EndpointConnectionError
from ministack.services import dynamodb
from pynamodb.models import Model

from local.cloud import quick_dynamodb
from local.cloud.tables import create_tables
from sluice.jobs.budgets import last_clock
from sluice.jobs.queue import lanes
from sluice.platform import aws, tables
from sluice.platform.settings import settings

# The implementation is made for one request at a time.
_lock = RLock()

Item = dict[str, dict[str, Any]]
Answer = dict[str, Any]
# Items by their table's physical name, partition key and sort key.
Value = dict[tuple[str, str, str], Item]


@dataclass(frozen=True)
class Request:
    """One request. `once`: botocore would not send it again if its answer were lost."""

    operation: str
    parameters: dict[str, Any]
    once: bool
    service: str = "dynamodb"


Send = Callable[[], Answer]

# What the implementation takes for the sort key of a table that has none.
_NO_SORT_KEY = "__no_sort__"

# By module: what stood in it when it was looked through, and what of that keeps something.
_found: dict[str, tuple[list[Any], list[Any]]] = {}

# Decides what becomes of a request, given how to send it.
Around = Callable[[Request, Send], Answer]


class Store:
    """The tables of this stack, empty at first. `around` sees each request, and may lose it, or repeat it.

    services: what plays other AWS services, by botocore's names for them: given the operation and its parameters.
    """

    def __init__(self) -> None:
        self.around: Around | None = None
        self.services: dict[str, Callable[[str, dict[str, Any]], Answer]] = {}
        # The implementation's own tables, by physical name: it looks for the account and region at each access.
        self._tables: dict[str, dict[str, Any]] = {}

    def send(self, request: Request) -> Answer:
        """One request, as botocore would send it."""
        answer = self.services.get(request.service, self._answer)
        if self.around is None:
            return answer(request.operation, request.parameters)
        return self.around(request, lambda: answer(request.operation, request.parameters))

    @contextmanager
    def dies(self, at: int, *, done: bool) -> Iterator[None]:
        """Whoever works within dies at request number `at`, before or after the table has `done` it."""
        left, before = at, self.around

        def around(_: Request, send: Send) -> Answer:
            nonlocal left
            left -= 1
            if left == 0:
                if done:
                    send()
                raise EndpointConnectionError(endpoint_url="nowhere")
            return send()

        self.around = around
        try:
            yield
        finally:
            self.around = before

    def items(self, table: str) -> list[Item]:
        """All that `table` holds, raw; also of one that a test has made."""
        name = tables.name(table)
        held = (self._tables.get(name) or dynamodb._tables[name])["items"]
        return [_read(item) for partition in held.values() for item in partition.values()]

    def item(self, table: str, **key: str) -> Item | None:
        """The item of `table` with this key, raw."""
        held = self._tables[tables.name(table)]
        partition = held["items"].get(key[held["pk_name"]], {})
        found = partition.get(key[held["sk_name"]] if held["sk_name"] else _NO_SORT_KEY)
        return None if found is None else _read(found)

    def put(self, table: str, item: Item) -> None:
        """Replace a whole item, past every rule of the engine."""
        self._answer("PutItem", {"TableName": tables.name(table), "Item": item})

    def value(self) -> Value:
        """All that is stored, as a value: it shares its items with the store, which never changes one in place."""
        return {
            (name, partition, sort): item
            for name, table in self._tables.items()
            for partition, items in table["items"].items()
            for sort, item in items.items()
        }

    def become(self, value: Value) -> None:
        """Hold what `value` says, and nothing else: no transaction was made, no stream has anything to tell."""
        dynamodb._txn_idempotency.clear()
        dynamodb._stream_records.clear()
        now = self.value()
        for name, partition, sort in now.keys() - value.keys():
            dynamodb._remove_item(self._tables[name], partition, sort)
        for (name, partition, sort), item in value.items():
            if now.get((name, partition, sort)) is not item:
                dynamodb._set_item(self._tables[name], partition, sort, item)

    def clear(self) -> None:
        """Empty every table."""
        empty = _empty_tables(settings().stack)
        dynamodb.reset()
        self._tables = {name: {**table, "items": defaultdict(dict)} for name, table in empty.items()}
        for name, table in self._tables.items():
            dynamodb._tables[name] = table

    def _answer(self, operation: str, parameters: dict[str, Any]) -> Answer:
        status, body = respond(operation, json.dumps(parameters, default=_base64).encode())
        # Few items have anything binary, and to look for it in each value takes longer than to read them.
        data: Answer = json.loads(body, object_hook=_decoded if b'"B"' in body else None)
        if status < 300:
            return data
        error = {"Code": data["__type"].split("#")[-1], "Message": data.get("message") or data.get("Message") or ""}
        raise ClientError({**data, "Error": error, "ResponseMetadata": {"HTTPStatusCode": status}}, operation)


def respond(operation: str, body: bytes) -> tuple[int, bytes]:
    """The status and body of DynamoDB's response to one request."""
    with _lock:
        status, _, answer = _handler(operation)(json.loads(body))
    return status, answer if isinstance(answer, bytes) else answer.encode()


@cache
def _handler(operation: str) -> Callable[[Answer], tuple[int, Any, Any]]:
    """What answers an operation: `_put_item` for `PutItem`."""
    found: Callable[[Answer], tuple[int, Any, Any]] = getattr(dynamodb, re.sub("([A-Z])", r"_\1", operation).lower())
    return found


@cache
def _empty_tables(stack: str) -> dict[str, dict[str, Any]]:
    """Every table as the implementation makes it, which takes longer than most tests."""
    dynamodb.reset()
    create_tables(aws.client("dynamodb"), stack)
    return dict(dynamodb._tables.items())


@contextmanager
def store() -> Iterator[Store]:
    """A fresh store that every DynamoDB client of this process talks to.

    Of other AWS services, only what plays them (`Store.services`) is in reach.
    """
    made = Store()

    def call(client: Any, operation: str, parameters: dict[str, Any]) -> Answer:
        service = client.meta.service_model.service_name
        known = service == "dynamodb" or service in made.services
        assert known, f"a test without a cloud called {service} {operation}"
        once = client.meta.config.retries.get("total_max_attempts") == 1
        try:
            return made.send(Request(operation, parameters, once, service))
        except ClientError as error:
            # The class that callers catch: `client.exceptions.ConditionalCheckFailedException` and the like.
            modeled = client.exceptions.from_code(error.response["Error"]["Code"])
            raise modeled(error.response, operation) from None

    with environment(clients=True), pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", call)
        quick_dynamodb.install(patch.setattr)
        made.clear()
        yield made


@contextmanager
def environment(*, clients: bool = False) -> Iterator[None]:
    """The environment of a function without a cloud, in a process that remembers nothing before or after.

    clients: but for its AWS clients. To make one takes longer than most tests, and those of a store reach nobody.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        _forget(clients)
        yield
        dynamodb.reset()
    _forget(clients)


def _read(item: Item) -> Item:
    """An item as it is stored, which is as it was sent."""
    return {name: _decoded(value) if "B" in value else value for name, value in item.items()}


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _decoded(value: dict[str, Any]) -> dict[str, Any]:
    """Binary attributes as botocore gives them."""
    binary = isinstance(value.get("B"), str) and len(value) == 1
    return {"B": base64.b64decode(value["B"])} if binary else value


def _forget(clients: bool) -> None:
    """Drop the connections and the caches of those parts of Sluice that are loaded. The others have none."""
    kept = "sluice.platform.aws" if clients else ""
    for module in [module for name, module in sys.modules.items() if name.startswith("sluice.") and name != kept]:
        for value in _remembering(module):
            if isinstance(value, type) and issubclass(value, Model):
                value._connection = None
            else:
                value.cache_clear()
    lanes.forget()
    last_clock.forget()


def _remembering(module: ModuleType) -> list[Any]:
    """What of this module keeps something. It is looked for once, and again when something else stands in it."""
    held = list(vars(module).values())
    before, found = _found.get(module.__name__, ([], []))
    if before != held:  # models and functions are equal to themselves alone
        found = [
            one for one in held if (isinstance(one, type) and issubclass(one, Model)) or hasattr(one, "cache_clear")
        ]
        _found[module.__name__] = held, found
    return found
