"""What the engine stands on in a benchmark: the template's tables, a queue, a bus and a key, all on this machine."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import boto3

from local.cloud import LocalCloud
from local.cloud.tables import create_tables
from local.dynamodb_local import Unavailable, dynamodb_local
from sluice.platform.settings import settings

STACK = "sluice-local"


@dataclass(frozen=True)
class Store:
    """name: which DynamoDB it is, for a row's conditions. cloud: all else of AWS. queue: its URL takes all batches."""

    name: str
    cloud: LocalCloud
    queue: str
    dynamodb: Any


@contextmanager
def store(**variables: str) -> Iterator[Store]:
    """A new, empty store, with this process's environment set to use it. `variables` are added to the environment."""
    with LocalCloud() as cloud, _tables(cloud) as (name, url):
        arn = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
        cloud.client("events").create_event_bus(Name="sluice")
        queue = cloud.client("sqs").create_queue(QueueName="work")["QueueUrl"]
        dead = cloud.client("sqs").create_queue(QueueName="dead")["QueueUrl"]
        resources = {"TOKEN_KEY": arn, "EVENT_BUS": "sluice", "WORK_QUEUE_URL": queue, "DEAD_QUEUE_URL": dead}
        resources["MANUAL_QUEUE_URL"] = queue
        resources["WAKE_QUEUE_URL"] = dead  # nobody reads it
        resources["SCHEDULER_FUNCTION"] = "scheduler"
        os.environ |= cloud.environment | {"AWS_ENDPOINT_URL_DYNAMODB": url} | resources | variables
        settings.cache_clear()
        dynamodb = boto3.client("dynamodb")
        create_tables(dynamodb, STACK)
        yield Store(name, cloud, queue, dynamodb)


@contextmanager
def _tables(cloud: LocalCloud) -> Iterator[tuple[str, str]]:
    """The name and URL of Amazon's DynamoDB Local, or of the local cloud's DynamoDB where that cannot run."""
    with suppress(Unavailable), dynamodb_local() as url:
        yield "DynamoDB Local", url
        return
    yield "local cloud (its read units ignore size)", cloud.endpoint_url
