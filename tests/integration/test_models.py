"""Sluice's models on a real DynamoDB: what `dynamodb` gives a test is empty, and atomic between threads."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sluice.jobs.queue.lanes import Lane
from sluice.platform import tables
from tests.support.process import models

RACERS = 64


def put_if_absent(number: int) -> bool:
    try:
        tables.put(Lane("race", "one", seen_at=number), Lane.lane.does_not_exist())
    except tables.ConditionFailed:
        return False
    return True


@pytest.mark.usefixtures("dynamodb")
@pytest.mark.parametrize("round_", range(3))
def test_one_of_64_writers_wins(round_: int) -> None:
    with ThreadPoolExecutor(RACERS) as pool:
        assert sum(pool.map(put_if_absent, range(RACERS))) == 1


def test_every_model_has_its_table(dynamodb: Any) -> None:
    assert {model.Meta.table_name for model in models()} <= set(dynamodb.list_tables()["TableNames"])


@pytest.mark.usefixtures("dynamodb")
def test_all_models_and_threads_share_one_client() -> None:
    with ThreadPoolExecutor(8) as pool:
        clients = set(pool.map(lambda model: id(model._get_connection().connection.client), models() * 4))
    assert len(clients) == 1
