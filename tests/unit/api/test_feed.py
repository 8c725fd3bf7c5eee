"""The event feed, from the bus to the API: who is told of what, how often, for how long, and page by page."""

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.capabilities import CAPABILITIES, EVENTS, ROUTINE
from sluice.feed import bus_events, table
from sluice.feed.bus_events import Event
from sluice.feed.table import FeedEntry, WantedEvents
from sluice.platform.clock import DAY, HOUR, SECOND, iso
from sluice.platform.http.paging import Place
from sluice.webhooks import sender
from sluice.webhooks.client import WebhookClient
from tests.support.clock import VirtualClock
from tests.support.http import Answer, call
from tests.support.store import Store
from tests.unit.api.conftest import Cloud
from tests.unit.api.document import conforms
from tests.unit.webhooks.conftest import NOON, ended
from tests.unit.webhooks.test_bodies import envelope

FEED = "/v1/events"


class NoReceiver(WebhookClient):
    """No tenant of these tests has a webhook."""

    def __init__(self) -> None:
        pass

    def post(self, *_: object) -> int:
        raise AssertionError("something was sent")


def happens(*events: dict[str, Any], at: int = NOON) -> None:
    """Events reach the function that handles them, as SQS brings them."""
    found = {str(number): json.dumps(event) for number, event in enumerate(events)}
    assert sender.work(found, NoReceiver(), VirtualClock(at)) == []


def feed(tenant: str = "acme", **query: str) -> list[dict[str, Any]]:
    answer = call("GET", FEED, query=query, tenant=tenant)
    assert answer.status == 200, answer.text
    conforms(f"GET {FEED}", answer)
    found: list[dict[str, Any]] = answer.json["events"]
    return found


def types(tenant: str = "acme", **query: str) -> list[str]:
    return [one["type"] for one in feed(tenant, **query)]


@pytest.mark.parametrize("kind", EVENTS)
def test_the_feed_has_what_webhooks_are_sent(cloud: Cloud, kind: str) -> None:
    told = deepcopy(envelope(kind))
    if kind in ("job.succeeded", "job.cancelled"):
        told["detail"]["kind"] = "listing.create"
    happens(told)
    [one] = feed()
    event = bus_events.event(told)
    assert one == {"eventId": event.id, "type": kind, "at": iso(NOON), "data": bus_events.data(event, "acme")}
    assert feed("globex") == []


def test_an_event_that_comes_twice_is_there_once(cloud: Cloud) -> None:
    happens(ended("dead"), ended("dead"))
    happens(ended("dead"), at=NOON + HOUR)
    assert types() == ["job.dead"]


OWN_IDS = [kind for kind in EVENTS if not kind.startswith("job.") and bus_events.event(envelope(kind)).has_own_id]


@pytest.mark.parametrize("kind", OWN_IDS)
def test_what_is_told_again_at_another_time_is_there_once_when_it_was_told_first(cloud: Cloud, kind: str) -> None:
    """Who tells of a difference at eBay and dies tells of it again, under the same id, when it is found again."""
    first, again = deepcopy(envelope(kind)), deepcopy(envelope(kind))
    again["detail"]["at"] = iso(NOON + HOUR)
    happens(first)
    happens(again, first, again, at=NOON + HOUR)
    assert [(one["type"], one["at"]) for one in feed()] == [(kind, iso(NOON))]
    other = deepcopy(again)
    other["detail"]["id"] = "another"
    happens(other, at=NOON + HOUR)
    assert [one["at"] for one in feed()] == [iso(NOON + HOUR), iso(NOON)]


def test_each_tenant_of_a_shared_job_has_its_own_and_hears_of_nobody_else(cloud: Cloud) -> None:
    error = {"code": "x", "message": "account stockx:acme is BROKEN", "at": NOON}
    happens(ended("dead", "acme", "globex", error=error, result=None))
    assert "stockx:acme is BROKEN" in json.dumps(feed("acme"))
    assert "acme" not in json.dumps(feed("globex"))
    assert feed("initech") == []


@pytest.mark.parametrize("kind", sorted(ROUTINE))
def test_routine_work_is_told_when_it_fails_or_somebody_waits_for_it(cloud: Cloud, kind: str) -> None:
    """The success of thousands of refreshes would cost each of them a write, and hide everything else."""
    for number, (state, priority) in enumerate(
        (("succeeded", "background"), ("cancelled", "hot"), ("succeeded", "manual"), ("dead", "background"))
    ):
        happens(ended(state, kind=kind, priority=priority, id=f"e{number}", at=iso(NOON + number)))
    assert types() == ["job.dead", "job.succeeded"]


def test_a_routine_success_costs_no_write(tables: Store, cloud: Cloud, requests: list[str]) -> None:
    happens(ended("succeeded", priority="background"))
    assert [one for one in requests if one not in ("Query", "GetItem")] == []
    happens(ended("succeeded", priority="manual"))
    assert requests.count("PutItem") == 1
    assert tables.items("events")


def test_what_is_called_routine_are_kinds_of_that_capability() -> None:
    for one in CAPABILITIES:
        assert set(one.routine) <= set(one.kinds), one.name


def test_work_whose_asker_is_no_tenant_is_nobodys_event(cloud: Cloud, tables: Store) -> None:
    happens(ended("dead", "@pages", kind="page.check"))
    assert tables.items("events") == []


def test_it_stays_as_long_as_the_configuration_says(cloud: Cloud, tables: Store) -> None:
    happens(ended("dead"))
    [item] = tables.items("events")
    assert item["expires_at"] == {"N": str((NOON + 7 * DAY) // SECOND)}


def test_it_is_filtered_by_type_group_and_time(cloud: Cloud) -> None:
    happens(ended("dead"), envelope("listing.live"), envelope("listing.sold"), envelope("page.unreadable"))
    happens(ended("dead", id="later", at=iso(NOON + HOUR)))
    assert types(type="job.dead") == ["job.dead", "job.dead"]
    assert types(type="listing") == ["listing.sold", "listing.live"]
    assert types(type="account") == []
    assert types(**{"from": iso(NOON + 1)}) == ["job.dead"]
    assert len(types(to=iso(NOON + HOUR))) == 4, "`to` itself is not within it"
    assert len(types(**{"from": iso(NOON), "to": iso(NOON + HOUR + 1)})) == 5
    assert types(**{"from": "9999-12-31T23:59:59Z"}) == []
    assert len(types(**{"from": "0001-01-01T00:00:00Z", "to": "9999-12-31T23:59:59Z"})) == 5


def test_who_asks_again_is_told_that_nothing_has_changed(cloud: Cloud) -> None:
    happens(ended("dead"))
    tag = call("GET", FEED).headers["ETag"]

    def again() -> Answer:
        return call("GET", FEED, headers={"if-none-match": tag})

    assert (again().status, again().text) == (304, "")
    happens(ended("dead", id="another"))
    assert again().status == 200


def test_pages_lead_to_the_oldest(cloud: Cloud) -> None:
    happens(*(ended("dead", id=f"e{number}", at=iso(NOON + number)) for number in range(25)))
    seen, cursor = list[str](), None
    while True:
        query = {"limit": "10", **({"cursor": cursor} if cursor else {})}
        answer = call("GET", FEED, query=query).json
        seen += [one["eventId"] for one in answer["events"]]
        cursor = answer["next"]
        if cursor is None:
            break
    assert seen == [f"e{number}" for number in reversed(range(25))]
    assert call("GET", FEED, query={"cursor": "nonsense"}).status == 400


def test_a_cursor_of_another_tenant_opens_nothing(cloud: Cloud) -> None:
    happens(*(ended("dead", id=f"e{number}", at=iso(NOON + number)) for number in range(3)))
    cursor = call("GET", FEED, query={"limit": "1"}).json["next"]
    assert call("GET", FEED, query={"cursor": cursor}, tenant="globex").status == 400


def test_a_cursor_beyond_the_time_that_is_asked_for_now_is_no_fault(cloud: Cloud) -> None:
    happens(*(ended("dead", id=f"e{number}", at=iso(NOON + number)) for number in range(3)))
    cursor = call("GET", FEED, query={"limit": "1"}).json["next"]
    ids = [one["eventId"] for one in feed(cursor=cursor, to=iso(NOON + 1))]
    assert ids == ["e0"], "it leads on within the time"
    assert feed(cursor=cursor, **{"from": iso(NOON + 3)}) == []


# --- pages, whatever is in the feed ---

TYPES = ("job.dead", "job.cancelled", "listing.live", "page.unreadable")
filled = st.lists(st.tuples(st.integers(0, 40), st.sampled_from(TYPES)), max_size=60)


@given(
    filled,
    st.integers(1, 7),
    st.none() | st.sampled_from((*TYPES, "job", "account")),
    st.none() | st.integers(0, 41),
    st.none() | st.integers(0, 41),
)
def test_pages_have_what_is_wanted_once_and_newest_first(
    tables: Store, found: list[tuple[int, str]], limit: int, wanted: str | None, since: int | None, until: int | None
) -> None:
    tables.clear()
    for number, (at, kind) in enumerate(found):
        _put(Event(f"e{number}", kind, NOON + at, ("acme",), _detail(kind)))
    period = WantedEvents(wanted, None if since is None else NOON + since, None if until is None else NOON + until)
    seen: list[FeedEntry] = []
    after: Place | None = None
    while True:
        page = table.page("acme", period, limit, after)
        assert len(page.items) <= limit
        seen += page
        after = page.next
        if after is None:
            break
    expected = [
        (NOON + at, f"e{number}")
        for number, (at, kind) in enumerate(found)
        if (wanted is None or kind == wanted or kind.startswith(f"{wanted}."))
        and (since is None or at >= since)
        and (until is None or at < until)
    ]
    assert sorted((one.at, one.event_id) for one in seen) == sorted(expected)
    assert [one.at for one in seen] == sorted((one.at for one in seen), reverse=True)


def _put(event: Event) -> None:
    assert table.keep(event, NOON, DAY) == 1


def _detail(kind: str) -> dict[str, Any]:
    job = {"kind": "listing.create", "jobId": "x", "state": "dead", "attempts": 1, "result": None, "error": None}
    return job if kind.startswith("job.") else {}
