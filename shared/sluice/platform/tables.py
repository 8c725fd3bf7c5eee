"""Conditional writes on DynamoDB, told apart by what they mean to the caller.

PynamoDB gives typed models and expressions; what it lacks is the item that made a condition fail. `update` and `put`
return it, so that whoever loses a race knows what it lost against, without a second read.
"""

import random
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeVar

from pynamodb.connection import Connection, TableConnection
from pynamodb.constants import ATTRIBUTES, DELETE_ITEM, ITEM, KEY, PUT_ITEM, RETURN_VALUES, UPDATE_ITEM
from pynamodb.exceptions import CancellationReason, PynamoDBException, TransactWriteError, VerboseClientError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.pagination import ResultIterator

from sluice.platform import aws
from sluice.platform.settings import settings

__all__ = ["ConditionFailed", "Contention", "Table", "delete", "name", "page", "put", "reasons", "retrying", "update"]

M = TypeVar("M", bound=Model)
R = TypeVar("R")

# DynamoDB refuses a write on an item that a transaction holds. That is no answer to the condition: it is tried again.
CONFLICT_TRIES = 6
CONFLICT_PAUSE_SECONDS = 0.02


class ConditionFailed(Exception):  # noqa: N818 - an answer, not an error: somebody else was first
    """The write's condition did not hold. `item` is what was there, raw, or None when nothing was."""

    def __init__(self, item: dict[str, Any] | None) -> None:
        super().__init__("the condition of the write did not hold")
        self.item = item


class Contention(Exception):  # noqa: N818 - the field's word
    """The item stayed locked by transactions through every try."""


class Table(Model):
    """What every model is based on: all of them, and all threads, share the process's one DynamoDB client.

    By itself PynamoDB makes a client for each model, and for each thread that comes before the first is made. Each
    costs 0.1 s of a cold start and several MB, because it loads botocore's description of DynamoDB anew.
    """

    @classmethod
    def _get_connection(cls) -> TableConnection:
        connection = super()._get_connection()
        connection.connection._client = aws.client("dynamodb")
        return connection


def name(table: str) -> str:
    """The physical name of `table` in this stack."""
    return f"{settings().stack}-{table.replace('_', '-')}"


def page(model: type[M], rows: ResultIterator[M]) -> tuple[list[M], dict[str, Any] | None]:
    """One read of the query `rows`: the items it found, and the key that the next one begins after; None at the end."""
    raw = rows.page_iter.next()
    return [model.from_raw_data(item) for item in raw["Items"]], raw.get("LastEvaluatedKey")


def _client_error(error: BaseException | None) -> Any:
    """botocore's own error below PynamoDB's wrappers: it alone carries the item that failed the condition."""
    while error is not None:
        below = getattr(error, "cause", None) or error.__cause__
        if below is None:
            return error
        error = below
    return None


def _codes(error: PynamoDBException) -> set[str]:
    codes = {error.cause_response_code or ""}
    if isinstance(error, TransactWriteError):
        codes |= {reason.code for reason in error.cancellation_reasons if reason}
    return codes


def reasons(failed: ConditionFailed) -> list[CancellationReason | None]:
    """For each write of the transaction that `failed`, in its order: why it could not be done; None if it could."""
    error = failed.__cause__
    return list(error.cancellation_reasons) if isinstance(error, TransactWriteError) else []


def retrying(write: Callable[[], R]) -> R:
    """Do `write`, again with jitter while a transaction holds the item.

    Raises:
        ConditionFailed: the condition did not hold.
        Contention: the item stayed locked.
    """
    for attempt in range(CONFLICT_TRIES):
        try:
            return write()
        except PynamoDBException as error:
            codes = _codes(error)
            if "ConditionalCheckFailedException" in codes or "ConditionalCheckFailed" in codes:
                response = getattr(_client_error(error), "response", {})
                raise ConditionFailed(response.get(ITEM)) from error
            if not codes & {"TransactionConflictException", "TransactionConflict"}:
                raise
        time.sleep(random.uniform(0, CONFLICT_PAUSE_SECONDS * 2**attempt))  # noqa: S311 - jitter, not a secret
    raise Contention(f"the item was locked by other transactions through {CONFLICT_TRIES} tries")


@cache
def _unrepeating() -> Connection:
    """A connection that sends each request once; the others send again what was throttled or not answered."""
    connection = Connection()
    connection._client = aws.client("dynamodb", once=True)
    return connection


def _dispatch(model: type[Model], operation: str, kwargs: dict[str, Any], *, once: bool = False) -> dict[str, Any]:
    connection = _unrepeating() if once else model._get_connection().connection
    try:
        data: dict[str, Any] = connection.dispatch(operation, kwargs)
    except VerboseClientError as error:
        raise PynamoDBException(str(error), error) from error
    return data


def update(
    model: type[M],
    keys: Sequence[str],
    actions: Sequence[Action],
    condition: Condition | None = None,
    *,
    once: bool = False,
) -> M:
    """One UpdateItem; returns the item as it is afterwards.

    once: never sent again, for a write that would do harm when it is done twice. The caller bears its loss.

    Raises:
        ConditionFailed: `condition` did not hold; carries the raw item as it is.
        Contention: transactions held the item through every try.
    """
    kwargs = model._get_connection().get_operation_kwargs(
        keys[0],
        range_key=keys[1] if len(keys) > 1 else None,
        key=KEY,
        actions=list(actions),
        condition=condition,
        return_values_on_condition_failure="ALL_OLD",
    )
    kwargs[RETURN_VALUES] = "ALL_NEW"
    data = retrying(lambda: _dispatch(model, UPDATE_ITEM, kwargs, once=once))
    return model.from_raw_data(data[ATTRIBUTES])


def put(item: Model, condition: Condition | None = None) -> None:
    """One PutItem of the whole item.

    Raises:
        ConditionFailed, Contention: as `update`.
    """
    kwargs = item.get_save_kwargs_from_instance(condition=condition, return_values_on_condition_failure="ALL_OLD")
    retrying(lambda: _dispatch(type(item), PUT_ITEM, kwargs))


def delete(model: type[Model], keys: Sequence[str], condition: Condition | None = None) -> None:
    """One DeleteItem.

    Raises:
        ConditionFailed, Contention: as `update`.
    """
    kwargs = model._get_connection().get_operation_kwargs(
        keys[0],
        range_key=keys[1] if len(keys) > 1 else None,
        key=KEY,
        condition=condition,
        return_values_on_condition_failure="ALL_OLD",
    )
    retrying(lambda: _dispatch(model, DELETE_ITEM, kwargs))
