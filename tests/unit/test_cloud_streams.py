"""On the local cloud nobody's messages wait for what others write to a table with a stream."""

import itertools
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from ministack.core.concurrency import esm_wake
from ministack.services import dynamodb, lambda_svc

from local.cloud import streams
from tests.support.patience import SECONDS

PATCHED = {
    lambda_svc: (
        "_iter_all_esms",
        "_poll_dynamodb_streams",
        "_apply_filter_criteria",
        "_ESM_IDLE_WAKE_GAP_SECONDS",
        "_esm_wake",
    ),
    dynamodb: ("esm_wake",),
}


class Over(Exception):  # noqa: N818 - what has happened
    """The thread has gone round as often as it should."""


class Woken:
    """Wakes the thread that delivers messages a few times, each time for nothing."""

    def __init__(self, times: int) -> None:
        self.times = times

    def clear(self) -> None:
        """Nothing: it is set again at once."""

    def wait(self, _: float) -> bool:
        """Woken."""
        self.times -= 1
        if not self.times:
            raise Over
        return True


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for module, names in PATCHED.items():
        for name in names:
            monkeypatch.setattr(module, name, getattr(module, name))
    streams.install()
    yield
    streams._pollers.clear()


@pytest.mark.usefixtures("installed")
def test_the_thread_that_delivers_messages_does_not_sleep_after_it_was_woken_for_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slept = list[float]()
    monkeypatch.setattr(lambda_svc.time, "sleep", slept.append)
    monkeypatch.setattr(lambda_svc, "_esm_wake", Woken(20))
    with pytest.raises(Over):
        lambda_svc._poll_loop()
    assert sum(slept) == 0


@pytest.mark.usefixtures("installed")
def test_a_write_wakes_the_pollers_of_streams_and_not_the_thread_that_delivers_messages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    poller = threading.Event()
    streams._pollers[streams.Part("a")] = poller
    table: dict[str, Any] = {"pk_name": "job_id", "sk_name": None, "LatestStreamArn": "arn"}
    table["StreamSpecification"] = {"StreamEnabled": True}
    monkeypatch.setattr(dynamodb, "_tables", {"jobs": table})
    monkeypatch.setattr(dynamodb, "_stream_records", {})
    esm_wake.clear()
    dynamodb._emit_stream_event("jobs", "INSERT", None, {"job_id": {"S": "a"}})
    assert (len(dynamodb._stream_records["jobs"]), poller.is_set(), esm_wake.is_set()) == (1, True, False)


# The poller of a test's mapping may end after its test; it must not take the next one's for its own.
IDS = map("m{}".format, itertools.count())


def a_mapping(**settings: Any) -> dict[str, Any]:
    return {"UUID": next(IDS), "EventSourceArn": "arn:aws:dynamodb:r:1:table/jobs/stream/x", **settings}


def test_each_item_is_one_pollers_and_a_mapping_has_as_many_as_the_template_says() -> None:
    records = [{"dynamodb": {"Keys": {"job_id": {"S": str(number)}}}} for number in range(100)]
    for factor in (1, 2, 10):
        pollers = streams.parts(a_mapping(ParallelizationFactor=factor))
        assert len({one.name for one in pollers}) == factor
        handled = [[one for one in records if poller.has(one)] for poller in pollers]
        assert all(handled)
        assert sorted(map(str, records)) == sorted(str(one) for part in handled for one in part)
    assert len(streams.parts(a_mapping())) == 1


def test_what_one_poller_is_busy_with_holds_up_its_own_items_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each waits in the middle of its run until the other is in its own: one after the other they would never end."""
    for module, names in PATCHED.items():
        for name in names:
            monkeypatch.setattr(module, name, getattr(module, name))
    records = [{"dynamodb": {"Keys": {"job_id": {"S": str(number)}}}} for number in range(20)]
    both, handled, ended = threading.Barrier(2, timeout=SECONDS), dict[str, list[Any]](), threading.Semaphore(0)
    esms = {("1", "r", "m"): a_mapping(ParallelizationFactor=2)}

    def poll() -> bool:
        """As ministack: what the mapping has not handled yet."""
        [(_, _, own)] = lambda_svc._iter_all_esms()
        if own["UUID"] in handled:
            return False
        handled[own["UUID"]] = lambda_svc._apply_filter_criteria(records, own)
        both.wait()
        ended.release()
        return True

    monkeypatch.setattr(lambda_svc, "_esms", SimpleNamespace(_data=esms))
    monkeypatch.setattr(lambda_svc, "_poll_dynamodb_streams", poll)
    streams.install()
    lambda_svc._poll_dynamodb_streams()
    assert [ended.acquire(timeout=SECONDS) for _ in range(2)] == [True, True]
    esms.clear()  # the pollers end
    assert sorted(map(str, records)) == sorted(str(one) for part in handled.values() for one in part)


@pytest.mark.parametrize(("windows", "waited"), [(True, [2, 2]), (False, [0, 0])])
def test_a_poller_gathers_records_for_as_long_as_its_mapping_says_where_it_is_asked_to(
    monkeypatch: pytest.MonkeyPatch, windows: bool, waited: list[float]
) -> None:
    for module, names in PATCHED.items():
        for name in names:
            monkeypatch.setattr(module, name, getattr(module, name))
    esms = {("1", "r", "m"): a_mapping(MaximumBatchingWindowInSeconds=2)}
    batches, slept, ended = iter([True]), list[float](), threading.Event()

    def sleep(seconds: float) -> None:
        """Once after the batch; once more after it was woken for nothing, and then the poller ends."""
        if ended.is_set():  # it looks once more whether there is a mapping, before it ends or after the test has
            return
        slept.append(seconds)
        for woken in list(streams._pollers.values()):
            woken.set()
        if len(slept) == 2:
            esms.clear()
            ended.set()

    monkeypatch.setattr(lambda_svc, "_esms", SimpleNamespace(_data=esms))
    monkeypatch.setattr(lambda_svc, "_poll_dynamodb_streams", lambda: next(batches, False))
    monkeypatch.setattr(streams, "time", SimpleNamespace(sleep=sleep))
    streams.install(windows=windows)
    lambda_svc._poll_dynamodb_streams()
    assert ended.wait(timeout=SECONDS)
    assert slept == waited
