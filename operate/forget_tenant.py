"""`.venv/bin/python -m operate.forget_tenant TENANT --stack NAME`: what a stack holds of a tenant; --delete deletes it.

It reads every table whole. Exit code 0: nothing is left; 1: there is something, or was; 2: it cannot be removed yet.
"""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from operate import TABLES, Item, physical_name
from operate.tenants import GONE, Found, is_under_way, of_tenant

# Jobs first: the stream that tells of their end counts the tenant's jobs once more.
ORDER = ("jobs", *(table for table in TABLES if table != "jobs"))


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    made = argparse.ArgumentParser(prog="python -m operate.forget_tenant", description="Remove a tenant's data.")
    made.add_argument("tenant", help="the tenant's name, as its tokens have it")
    made.add_argument("--stack", required=True, help="the stack's name")
    made.add_argument("--delete", action="store_true", help="delete it; without this it is only counted")
    return made


def main(arguments: Sequence[str], dynamodb: Any = None) -> int:
    """Count, or delete, what there is of the tenant; returns the exit code."""
    given = parser().parse_args(arguments)
    os.environ["SLUICE_STACK"] = given.stack  # the models read it when they are imported
    try:
        return _forget(given.tenant, given.stack, dynamodb or boto3.client("dynamodb"), delete=given.delete)
    except (BotoCoreError, ClientError) as error:
        print(f"not all of it was read: {error}", file=sys.stderr)
        return 2


def _forget(tenant: str, stack: str, dynamodb: Any, *, delete: bool) -> int:
    if delete and (why := _under_way(tenant, stack, dynamodb)):
        for reason, number in why.items():
            print(f"{tenant} has {number:,} {reason}", file=sys.stderr)
        print(
            "disconnect its accounts, end its mail and cancel its jobs first (docs/operate/tenants.md)", file=sys.stderr
        )
        return 2
    total = 0
    for table in ORDER:
        found = 0
        for item in _items(dynamodb, stack, table):
            if what := of_tenant(table, item, tenant):
                found += 1
                if delete:
                    _take_away(dynamodb, stack, table, item, what, tenant)
        if found:
            print(f"{table:<18}{found:>9,}")
        total += found
    print(f"{total:,} items of {tenant} {'were removed' if delete else 'are there'}")
    if delete and total:
        print("do it once more in ten minutes, until nothing is left: counters may have moved by it")
    return 1 if total else 0


def _under_way(tenant: str, stack: str, dynamodb: Any) -> Counter[str]:
    found = Counter[str]()
    for table in ("accounts", "jobs", "notifications"):
        found.update(why for item in _items(dynamodb, stack, table) if (why := is_under_way(table, item, tenant)))
    return found


def _items(dynamodb: Any, stack: str, table: str) -> Iterator[Item]:
    pages = dynamodb.get_paginator("scan").paginate(TableName=physical_name(stack, table), ConsistentRead=True)
    for page in pages:
        yield from page["Items"]


def _take_away(dynamodb: Any, stack: str, table: str, item: Item, what: Found, tenant: str) -> None:
    if table == "trackers":
        from sluice.pages import request

        # The page counts who tracks it.
        request.untrack(tenant, item["product"]["S"], round(time.time() * 1_000))
        return
    physical = physical_name(stack, table)
    key = {name: item[name] for name in _keys(dynamodb, physical)}
    if table == "jobs":
        _settle(dynamodb, physical, key, item, what)
        return
    if what == GONE:
        dynamodb.delete_item(TableName=physical, Key=key)
        return
    names = list(what.without)
    dynamodb.update_item(
        TableName=physical,
        Key=key,
        UpdateExpression="DELETE " + ", ".join(f"#{number} :{number}" for number in range(len(names))),
        ExpressionAttributeNames={f"#{number}": name for number, name in enumerate(names)},
        ExpressionAttributeValues={f":{number}": {"SS": what.without[name]} for number, name in enumerate(names)},
    )


def _settle(dynamodb: Any, physical: str, key: Item, job: Item, what: Found) -> None:
    """A job that others have asked for anew since it was read is theirs, and looked at when this is done once more."""
    as_read = {"ConditionExpression": "updated_at = :read", "ExpressionAttributeValues": {":read": job["updated_at"]}}
    with suppress(dynamodb.exceptions.ConditionalCheckFailedException):
        if what == GONE:
            dynamodb.delete_item(TableName=physical, Key=key, **as_read)
        else:
            dynamodb.put_item(TableName=physical, Item=what.instead, **as_read)


@cache
def _keys(dynamodb: Any, physical: str) -> list[str]:
    return [one["AttributeName"] for one in dynamodb.describe_table(TableName=physical)["Table"]["KeySchema"]]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
