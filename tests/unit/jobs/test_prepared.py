"""A prepared update is the one that PynamoDB makes of the same actions, whatever the values are."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pynamodb.constants import (
    CONDITION_EXPRESSION,
    EXPRESSION_ATTRIBUTE_NAMES,
    EXPRESSION_ATTRIBUTE_VALUES,
    KEY,
    TABLE_NAME,
    UPDATE_EXPRESSION,
)

from sluice.jobs.model.job import Job, Spec
from sluice.jobs.queue import creation
from sluice.platform.settings import settings

TEXT = st.text(min_size=1, max_size=20)
SPECS = st.builds(
    Spec,
    job_id=TEXT,
    kind=st.sampled_from(["market.refresh", "listing.create"]),
    tenant=TEXT,
    account=st.just("stockx:acme"),
    budget=st.just("stockx:acme"),
    payload=st.dictionaries(TEXT, st.integers() | TEXT | st.none()),
    priority=st.sampled_from([100, 150, 200]),
    due_at=st.integers(0, 2**45),
    calls=st.integers(1, 50),
)


@pytest.fixture(autouse=True)
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    settings.cache_clear()
    creation.prepared.cache_clear()
    yield
    creation.prepared.cache_clear()
    settings.cache_clear()


def meant(request: dict[str, Any]) -> dict[str, Any]:
    """A request with its placeholders replaced by what they stand for."""
    names, values = request[EXPRESSION_ATTRIBUTE_NAMES], request[EXPRESSION_ATTRIBUTE_VALUES]

    def read(text: str) -> str:
        for place, told in sorted({**names, **values}.items(), key=lambda each: -len(each[0])):
            text = text.replace(place, f"<{told!r}>")
        return text

    told = {place: read(request[place]) for place in (UPDATE_EXPRESSION, CONDITION_EXPRESSION)}
    return told | {place: request[place] for place in (KEY, TABLE_NAME)}


@pytest.mark.parametrize("keep_askers", [True, False])
@given(spec=SPECS)
def test_a_prepared_update_is_the_one_that_is_made_anew(keep_askers: bool, spec: Spec) -> None:
    values = {**creation.values_of(spec, 1_000), "token": {"S": "mine"}}
    actions, condition = creation.creation(values, keep_askers=keep_askers)
    whole = [*actions, *creation.of_earlier_runs(spec, 1_000), Job.ask_token.set("mine")]
    made = Job._get_connection().get_operation_kwargs(
        spec.job_id,
        key=KEY,
        actions=whole,
        condition=condition & ~(Job.ask_token == "mine"),
        return_values_on_condition_failure="ALL_OLD",
    )
    prepared = creation.prepared(keep_askers).request(spec.job_id, values)
    assert set(prepared) == set(made)
    assert meant(prepared) == meant(made)
