"""The configuration in force: a change arrives, and an invalid one is refused and changes nothing."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError

from sluice.platform import aws
from sluice.platform.config import live, pause_table
from sluice.platform.config.live import DEFAULTS, READ_AGAIN_MS, Document, Live
from sluice.platform.config.pauses import NONE, Pause, Pauses
from sluice.platform.settings import SettingsError, settings
from tests.support.clock import VirtualClock

NOON = 1_795_348_800_000
INVALID = '{"engine": {"batch": 0}}'


def batch(size: int) -> str:
    return json.dumps({"engine": {"batch": size}})


class Parameter:
    """An SSM parameter with its versions, and how often it was asked."""

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)
        self.asked = 0
        self.down = False
        self.patient = False

    def newest(self, patient: bool) -> Document:
        self.asked += 1
        self.patient = patient
        if self.down:
            raise ConnectTimeoutError(endpoint_url="https://ssm.invalid")
        return Document(len(self.texts), self.texts[-1])

    def earlier(self) -> Iterator[Document]:
        self.asked += 1
        for version in range(len(self.texts), 0, -1):
            yield Document(version, self.texts[version - 1])


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOON)


@pytest.fixture(autouse=True)
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the metrics that were counted."""
    names: list[str] = []
    monkeypatch.setattr(live, "count", names.append)
    monkeypatch.setattr(pause_table, "read", lambda: NONE)
    return names


def process(parameter: Parameter, clock: VirtualClock) -> Live:
    return Live(parameter.newest, parameter.earlier, clock)


def test_a_change_is_in_force_within_seconds_and_the_parameter_is_read_no_more_often(clock: VirtualClock) -> None:
    parameter = Parameter(batch(5))
    config = process(parameter, clock)
    assert [config.in_force().config.engine.batch for _ in range(10)] == [5] * 10
    parameter.texts.append(batch(6))
    clock.time += READ_AGAIN_MS - 1
    assert config.in_force().config.engine.batch == 5
    assert parameter.asked == 1
    clock.time += 1
    assert config.in_force().config.engine.batch == 6
    assert READ_AGAIN_MS < 60_000
    parameter.texts.append(batch(7))
    assert config.in_force(anew=True).config.engine.batch == 7


def test_an_invalid_document_is_refused_once_with_its_reason_and_the_last_stays(
    clock: VirtualClock, counted: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    parameter = Parameter(batch(5), INVALID)
    parameter.texts.pop()
    config = process(parameter, clock)
    assert config.in_force().refused is None
    parameter.texts.append(INVALID)
    for _ in range(3):
        clock.time += READ_AGAIN_MS
        found = config.in_force()
        assert (found.config.engine.batch, found.document.version) == (5, 1)
        assert found.refused
        assert found.refused.version == 2
        assert "batch" in found.refused.reason
    assert counted == ["ConfigRefused"]
    [refused] = [record for record in caplog.records if "refused" in record.message]
    assert "batch" in vars(refused)["reason"]


def test_it_may_flap(clock: VirtualClock, counted: list[str]) -> None:
    """Valid and invalid versions in turn: the last valid one is in force at each moment."""
    parameter = Parameter(batch(1))
    config = process(parameter, clock)
    for size in range(1, 8):
        parameter.texts.append(batch(size))
        clock.time += READ_AGAIN_MS
        assert (config.in_force().config.engine.batch, config.in_force().refused) == (size, None)
        parameter.texts.append("not JSON")
        clock.time += READ_AGAIN_MS
        assert config.in_force().config.engine.batch == size
        assert config.in_force().refused
    assert counted == ["ConfigRefused"] * 7


def test_a_process_that_starts_with_an_invalid_version_finds_the_last_valid_one(clock: VirtualClock) -> None:
    parameter = Parameter(batch(3), batch(4), INVALID, "[]", '{"limits": {"stokx": {}}}')
    found = process(parameter, clock).in_force()
    assert (found.config.engine.batch, found.document) == (4, Document(2, batch(4)))
    assert found.refused
    assert found.refused.version == 5
    assert "stokx" in found.refused.reason


def test_where_no_version_was_ever_valid_the_defaults_are_in_force(clock: VirtualClock) -> None:
    found = process(Parameter(INVALID), clock).in_force()
    assert (found.config, found.document) == (DEFAULTS.config, DEFAULTS.document)
    assert found.refused


def test_a_parameter_that_cannot_be_read_leaves_what_is_in_force(clock: VirtualClock, counted: list[str]) -> None:
    parameter = Parameter(batch(5))
    config = process(parameter, clock)
    config.in_force()
    assert parameter.patient, "there is nothing else to go by"
    parameter.down = True
    parameter.texts.append(batch(6))
    clock.time += READ_AGAIN_MS
    assert [config.in_force().config.engine.batch for _ in range(5)] == [5] * 5
    assert parameter.asked == 2, "it is not asked by every request meanwhile"
    assert not parameter.patient, "nobody waits for what changes nothing"
    assert counted == ["ConfigUnreadable"]
    parameter.down = False
    clock.time += READ_AGAIN_MS
    assert config.in_force().config.engine.batch == 6


def test_a_parameter_that_is_deleted_and_made_anew_counts_from_one_again(clock: VirtualClock) -> None:
    parameter = Parameter(batch(5))
    config = process(parameter, clock)
    config.in_force()
    parameter.texts = [batch(6)]
    clock.time += READ_AGAIN_MS
    assert config.in_force().config.engine.batch == 6


def test_a_process_that_has_read_none_fails_and_reads_at_the_next_request(clock: VirtualClock) -> None:
    """The defaults may allow more calls than the operator does."""
    parameter = Parameter(batch(5))
    parameter.down = True
    config = process(parameter, clock)
    with pytest.raises(ConnectTimeoutError):
        config.in_force()
    parameter.down = False
    assert config.in_force().config.engine.batch == 5


def test_a_clock_that_is_set_back_does_not_keep_an_old_document(clock: VirtualClock) -> None:
    parameter = Parameter(batch(5))
    config = process(parameter, clock)
    config.in_force()
    clock.time -= 3_600_000
    parameter.texts.append(batch(6))
    assert config.in_force().config.engine.batch == 6


class Ssm:
    """The client of SSM: a history of several pages, in no order."""

    def __init__(self, *texts: str) -> None:
        self.versions = [{"Version": number, "Value": text} for number, text in enumerate(texts, 1)]

    def get_parameter(self, **asked: str) -> dict[str, Any]:
        assert asked == {"Name": "/sluice/configuration"}
        return {"Parameter": self.versions[-1]}

    def get_parameter_history(self, **asked: str) -> dict[str, Any]:
        start = int(asked.get("NextToken", 0))
        page = {"Parameters": self.versions[start : start + 2][::-1]}
        return page | ({"NextToken": str(start + 2)} if start + 2 < len(self.versions) else {})


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    def forget() -> None:
        settings.cache_clear()
        live._live.cache_clear()

    monkeypatch.setenv("SLUICE_STAGE", "prod")
    forget()
    yield monkeypatch
    monkeypatch.undo()
    forget()


def test_all_pages_of_the_history_are_looked_through(deployed: pytest.MonkeyPatch) -> None:
    ssm = Ssm(batch(1), batch(2), batch(3), *[INVALID] * 4)
    deployed.setenv("SLUICE_CONFIG_PARAMETER", "/sluice/configuration")
    deployed.setattr(aws, "client", lambda _, **__: ssm)
    assert live.current().engine.batch == 3


def test_a_deployed_function_without_a_parameter_fails(deployed: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="SLUICE_CONFIG_PARAMETER"):
        live.current()
    deployed.setenv("SLUICE_STAGE", "local")
    settings.cache_clear()
    assert live.in_force() == DEFAULTS


def test_pauses_are_read_beside_the_document_and_stay_when_they_cannot_be(
    clock: VirtualClock, counted: list[str]
) -> None:
    parameter, found = Parameter(batch(5)), [Pauses.of([Pause("stockx")])]
    config = Live(parameter.newest, parameter.earlier, clock, lambda: found[0])
    first = config.in_force()
    assert (first.config.engine.batch, first.config.pauses) == (5, found[0])
    parameter.texts.append(INVALID)
    found[0] = Pauses.of([Pause("ebay"), Pause("market.refresh")])
    clock.time += READ_AGAIN_MS
    assert config.in_force().config.pauses == found[0], "a refused document keeps no pause from being seen"
    found.clear()
    clock.time += READ_AGAIN_MS
    assert set(config.in_force().config.pauses.by_name) == {"ebay", "market.refresh"}
    assert counted == ["ConfigRefused", "ConfigUnreadable"]
    with pytest.raises(IndexError):
        Live(parameter.newest, parameter.earlier, clock, lambda: found[0]).in_force()
