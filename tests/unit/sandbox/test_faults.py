"""When faults strike, and what they do to a body."""

import json
from collections import Counter

import pytest
from pydantic import ValidationError

from local.sandbox.corrupt import corrupt
from local.sandbox.faults import (
    FAULTS,
    AddField,
    Corruption,
    DropField,
    Fault,
    FaultPlan,
    Faults,
    MalformedJson,
    NullField,
    RetypeField,
    ServerError,
    Throttle,
)
from local.sandbox.switch import Arrived

BODY = {"id": "a", "count": 2, "open": True, "rows": [{"id": "b", "price": {"amount": "10", "tax": None}}]}
RAW = json.dumps(BODY).encode()


def _struck(plan: FaultPlan, paths: list[str]) -> list[int]:
    """The places in `paths` at which something struck."""
    seen: Counter[tuple[int, str]] = Counter()
    return [place for place, path in enumerate(paths) if plan.decide(Arrived("GET", path), seen)]


@pytest.mark.parametrize(
    ("fault", "struck"),
    [
        (Throttle(), [0, 1, 2, 3, 4, 5]),
        (Throttle(last=2), [0, 1]),
        (Throttle(first=3, last=4), [2, 3]),
        (Throttle(path="/b"), [1, 3, 5]),
        (Throttle(path="/b", first=2, last=2), [3]),
        (Throttle(path="/c*"), []),
    ],
)
def test_a_fault_counts_the_calls_that_it_matches(fault: Fault, struck: list[int]) -> None:
    assert _struck(FaultPlan(7, (fault,)), ["/a", "/b"] * 3) == struck


def test_chance_is_by_seed_and_about_as_often_as_asked() -> None:
    paths = ["/a"] * 2000
    first = _struck(FaultPlan(7, (Throttle(chance=0.1),)), paths)
    assert first == _struck(FaultPlan(7, (Throttle(chance=0.1),)), paths)
    assert first != _struck(FaultPlan(8, (Throttle(chance=0.1),)), paths)
    assert 150 < len(first) < 250


def test_setting_the_plan_counts_again() -> None:
    faults = Faults(7)
    for _ in range(2):
        faults.set(ServerError(last=1))
        assert [len(faults.strikes(Arrived("GET", "/a"))) for _ in range(3)] == [1, 0, 0]
    faults.clear()
    assert faults.strikes(Arrived("GET", "/a")) == ()


def test_several_faults_strike_one_call() -> None:
    faults = Faults(7)
    faults.set(Throttle(), AddField(path="/b"))
    assert [strike.fault.kind for strike in faults.strikes(Arrived("GET", "/b"))] == ["throttle", "add_field"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "earthquake"},
        {"kind": "throttle", "chance": 2},
        {"kind": "throttle", "first": 3, "last": 2},
        {"kind": "server_error", "status": 404},
        {"kind": "throttle", "field": "x"},
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        FAULTS.validate_python([wrong])


def _spoiled(fault: Corruption, draw: float = 0.0) -> object:
    return json.loads(corrupt(RAW, fault, draw))


def test_a_field_is_added_to_every_object() -> None:
    assert _spoiled(AddField(field="x", value=1)) == {
        **BODY,
        "rows": [{"id": "b", "price": {"amount": "10", "tax": None, "x": 1}, "x": 1}],
        "x": 1,
    }


def test_a_field_is_dropped_or_nulled_wherever_it_stands() -> None:
    kept = {"count": 2, "open": True}
    price = {"amount": "10", "tax": None}
    assert _spoiled(DropField(field="id")) == {**kept, "rows": [{"price": price}]}
    assert _spoiled(NullField(field="id")) == {**kept, "id": None, "rows": [{"id": None, "price": price}]}


@pytest.mark.parametrize(
    ("field", "value"),
    [("id", 1), ("count", "2"), ("open", "yes"), ("rows", {"0": BODY["rows"][0]})],  # type: ignore[index]
)
def test_a_field_gets_another_type(field: str, value: object) -> None:
    spoiled = _spoiled(RetypeField(field=field))
    assert isinstance(spoiled, dict)
    assert spoiled[field] == value


def test_without_a_name_the_draw_picks_the_field() -> None:
    spoiled = {json.dumps(_spoiled(DropField(), draw / 7)) for draw in range(7)}
    assert len(spoiled) == 7


def test_a_malformed_body_is_not_json() -> None:
    for fault in (MalformedJson(), MalformedJson(html=True)):
        with pytest.raises(json.JSONDecodeError):
            json.loads(corrupt(RAW, fault, 0.0))
