"""Conditional writes on DynamoDB, told apart by what they mean to the caller.

PynamoDB gives typed models and expressions; what it lacks is the item that made a condition fail. `update` and `put`
return it, so that whoever loses a race knows what it lost against, without a second read.

The AWS client sends a request again when its answer was lost, so a write may meet its own effect:

```
 caller      UpdateItem, token A ──► done, answer lost ──► sent again: refused; the item says token A ──► it was ours
 others                                    │ may write other attributes, which leave token A alone
```
So a write that must not be done twice, or whose refusal means "somebody else was first", leaves a `token` on the item:
a few characters that nobody else has, in an attribute that only writes of the same purpose touch. It is part of the
condition, so that such a write is done once even where its condition would hold again. It costs no request.
A transaction carries its token beside the writes (`ClientRequestToken`): DynamoDB does it once, for ten minutes.
Which write relies on what is listed in docs/adr/027-writes-know-their-own-effect.md.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from pynamodb.attributes import Attribute
from pynamodb.connection import Connection, TableConnection
from pynamodb.constants import ATTRIBUTES, DELETE_ITEM, ITEM, KEY, PUT_ITEM, RETURN_VALUES, UPDATE_ITEM
from pynamodb.exceptions import CancellationReason, PynamoDBException, TransactWriteError, VerboseClientError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action as Update
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from sluice.platform import aws
from sluice.platform.prepared import Prepared, Raw
from sluice.platform.races import Contention, Race
from sluice.platform.settings import settings

__all__ = [
    "ConditionFailed",
    "Contention",
    "Table",
    "delete",
    "name",
    "new_token",
    "one_of_many",
    "place_of_updates",
    "put",
    "reasons",
    "transact",
    "update",
    "update_prepared",
]

M = TypeVar("M", bound=Model)
R = TypeVar("R")
# The attribute in which a write leaves its token.
Token = Attribute[str] | Path

# DynamoDB refuses a write on an item that a transaction holds. That is no answer to the condition: it is tried again.
CONFLICT_TRIES = 12


class ConditionFailed(Exception):  # noqa: N818 - an answer, not an error: somebody else was first
    """The write's condition did not hold.

    item: what was there, raw; None when nothing was.
    repeated: the client had sent the request before, and lost the answer.
    """

    def __init__(self, item: dict[str, Any] | None, *, repeated: bool = False) -> None:
        super().__init__("the condition of the write did not hold")
        self.item = item
        self.repeated = repeated


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


def _client_error(error: BaseException | None) -> Any:
    """botocore's own error below PynamoDB's wrappers: it alone carries the item that failed the condition."""
    while error is not None:
        below = getattr(error, "cause", None) or error.__cause__
        if below is None:
            return error
        error = below
    return None


def _codes(error: PynamoDBException) -> set[str]:  # its own word for it fails where there is no response
    codes = {(getattr(error.cause, "response", None) or {}).get("Error", {}).get("Code", "")}
    if isinstance(error, TransactWriteError):
        codes |= {reason.code for reason in error.cancellation_reasons if reason}
    return codes


def reasons(failed: ConditionFailed) -> list[CancellationReason | None]:
    """For each write of the transaction that `failed`: why it could not be done; None if it could.

    PynamoDB sends checks first, then deletes, puts and updates, each in the order in which they were added.
    """
    error = failed.__cause__
    return list(error.cancellation_reasons) if isinstance(error, TransactWriteError) else []


def place_of_updates(transaction: TransactWrite) -> int:
    """Where the updates of `transaction` begin among its `reasons`."""
    before = (transaction._condition_check_items, transaction._delete_items, transaction._put_items)
    return sum(map(len, before))


def _retrying(write: Callable[[], R]) -> R:
    """Do `write`, again with jitter while a transaction holds the item.

    Raises:
        ConditionFailed: the condition did not hold.
        Contention: the item stayed locked.
    """
    race = Race("the item was locked by other transactions", CONFLICT_TRIES, at_once=0)
    while True:
        try:
            return write()
        except PynamoDBException as error:
            codes = _codes(error)
            if "ConditionalCheckFailedException" in codes or "ConditionalCheckFailed" in codes:
                response = getattr(_client_error(error), "response", {})
                repeated = response.get("ResponseMetadata", {}).get("RetryAttempts", 0) > 0
                raise ConditionFailed(response.get(ITEM), repeated=repeated) from error
            if not codes & {"TransactionConflictException", "TransactionConflict"}:
                raise
            race.lost()


@cache
def _connection(once: bool) -> Connection:
    """A connection for requests that belong to no one model. once: as `update`."""
    connection = Connection()
    connection._client = aws.client("dynamodb", once=once)
    return connection


def _dispatch(model: type[Model], operation: str, kwargs: dict[str, Any], *, once: bool = False) -> dict[str, Any]:
    connection = _connection(True) if once else model._get_connection().connection
    try:
        return dict(connection.dispatch(operation, kwargs))
    except VerboseClientError as error:
        raise PynamoDBException(str(error), error) from error


def new_token() -> str:
    """What no other write of the same item has had in the last minutes: 24 bits in 4 characters."""
    return secrets.token_urlsafe(3)


def one_of_many(prefix: str, places: int = 16) -> Path:
    """One of some attributes, drawn by lot, for the tokens of an item that many write at once.

    With one attribute, whoever wrote between a write and its repetition would have overwritten the token.
    """
    return Path(f"{prefix}{secrets.randbelow(places):x}")


def _is_ours(failed: ConditionFailed, name: str, value: str) -> bool:
    return failed.item is not None and failed.item.get(name) == {"S": value}


def update(
    model: type[M],
    keys: Sequence[str],
    actions: Sequence[Update],
    condition: Condition | None = None,
    *,
    token: Token | None = None,
    value: str = "",
    once: bool = False,
) -> M:
    """One UpdateItem; returns the item as it is afterwards.

    token: where the write leaves its token, so that it is done once and knows its own effect (see the module). The item
        that is returned may have been changed by others since, where the answer was lost.
    value: the token itself; by default a new one.
    once: never sent again, for a write that would do harm when it is done twice. The caller bears its loss.

    Raises:
        ConditionFailed: `condition` did not hold; carries the raw item as it is.
        Contention: transactions held the item through every try.
    """
    place = None if token is None else Path(token) if isinstance(token, Attribute) else token
    value = value or new_token()
    if place is not None:
        unwritten = ~(place == value)
        condition = unwritten if condition is None else condition & unwritten
        actions = [*actions, place.set(value)]
    kwargs = model._get_connection().get_operation_kwargs(
        keys[0],
        range_key=keys[1] if len(keys) > 1 else None,
        key=KEY,
        actions=list(actions),
        condition=condition,
        return_values_on_condition_failure="ALL_OLD",
    )
    kwargs[RETURN_VALUES] = "ALL_NEW"
    try:
        data = _retrying(lambda: _dispatch(model, UPDATE_ITEM, kwargs, once=once))
    except ConditionFailed as failed:
        if place is None or not _is_ours(failed, place.path[0], value):
            raise
        return model.from_raw_data(failed.item or {})
    return model.from_raw_data(data[ATTRIBUTES])


def update_prepared(made: Prepared, key: str, values: Mapping[str, Raw], *, token: Attribute[str]) -> None:
    """One UpdateItem of what is prepared; its value "token" is the new one of `token`. It fails as `update` does."""
    mine = new_token()
    try:
        _retrying(lambda: _dispatch(made.model, UPDATE_ITEM, made.request(key, {**values, "token": {"S": mine}})))
    except ConditionFailed as failed:
        if not _is_ours(failed, token.attr_name, mine):
            raise


def put(item: Model, condition: Condition | None = None, *, token: Attribute[str] | None = None) -> None:
    """One PutItem of the whole item.

    token: as `update`; the item gets it. Later writes of others leave it there, unless they put the whole item.

    Raises:
        ConditionFailed, Contention: as `update`.
    """
    name, value = "", new_token()
    if token is not None:
        name = token.attr_name
        setattr(item, type(item)._dynamo_to_python_attr(name), value)
    kwargs = item.get_save_kwargs_from_instance(condition=condition, return_values_on_condition_failure="ALL_OLD")
    try:
        _retrying(lambda: _dispatch(type(item), PUT_ITEM, kwargs))
    except ConditionFailed as failed:
        if not (name and _is_ours(failed, name, value)):
            raise


def delete(model: type[Model], keys: Sequence[str], condition: Condition | None = None) -> None:
    """One DeleteItem. One that was sent again and finds nothing has found its own effect.

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
    try:
        _retrying(lambda: _dispatch(model, DELETE_ITEM, kwargs))
    except ConditionFailed as failed:
        if failed.item is not None or not failed.repeated:
            raise


def transact(fill: Callable[[TransactWrite], None]) -> None:
    """One TransactWriteItems of the writes that `fill` adds: all of them or none.

    However often the client sends it, DynamoDB does it once, and answers each time that it is done. `fill` may be
    called several times.

    Raises:
        ConditionFailed: a condition did not hold; `reasons` says which.
        Contention: as `update`.
    """

    def write() -> None:
        # A new token for each try: one that was refused must not be taken for the next.
        with TransactWrite(connection=_connection(False), client_request_token=secrets.token_hex(16)) as transaction:
            fill(transaction)

    _retrying(write)
