"""Snapshots: one for each published state, small, whole again when it is read, and never without what it needs."""

from typing import Any

import pytest

from sluice.listings.ebay import hashes, snapshots
from sluice.listings.ebay.desired import Desired, PolicyIds
from sluice.listings.ebay.documents import document
from sluice.listings.ebay.table import Record, Snapshot, find
from sluice.platform import tables as rules
from sluice.platform.clock import DAY
from sluice.platform.config.ebay import Ebay
from sluice.platform.packing import pack
from tests.support.ebay_records import SKU, desired

pytestmark = pytest.mark.usefixtures("tables")

NOW = 1_795_348_800_000
POLICIES = PolicyIds("6196932000", "6196947000", "6196944000")
KEPT = Ebay(snapshots_kept=5, snapshot_days=10)


def record() -> Record:
    found = find("acme", SKU)
    if found is None:
        wanted = desired()
        found = Record(
            tenant="acme", sku=SKU, version=1, desired=pack(document(wanted)), record_hash=hashes.of_record(wanted),
            marketplace="EBAY_US", status="active", title=wanted.title, created_at=NOW, changed_at=NOW,
            changed_by="somebody",
        )  # fmt: skip
        found.save()
    return found


def publish(wanted: Desired, now: int = NOW, read: Record | None = None, **said: Any) -> Snapshot:
    before = read or record()
    added = snapshots.new(before, snapshots.state(wanted, POLICIES), "publish", now, **said)
    snapshots.store(added, before, [], now, KEPT)
    return added.snapshot


def stored() -> list[Snapshot]:
    return list(Snapshot.query(f"acme/{SKU}"))


@pytest.fixture
def long_description() -> str:
    # As long as real ones: words that come again, and some that do not.
    return "".join(
        f"<p>Point {number}: size {number * 37 % 1000} runs true, box {number * 91 % 997}.</p>" for number in range(90)
    )


def test_a_price_change_takes_at_most_100_bytes(long_description: str) -> None:
    first = publish(desired(description=long_description))
    second = publish(desired(description=long_description, price={"amount": "251.50", "currency": "USD"}))
    assert first.base is None
    assert second.base == 1
    assert second.size <= 100 < first.size
    assert snapshots.read(second)["price"] == {"amount": "251.50", "currency": "USD"}
    assert snapshots.read(second) == snapshots.state(
        desired(description=long_description, price={"amount": "251.50", "currency": "USD"}), POLICIES
    )


def test_a_state_that_was_published_before_is_a_reference() -> None:
    low, high = desired(), desired(quantity=9)
    assert [publish(one).same_as for one in (low, high, low, high, high)] == [None, None, 1, 2, 2]
    assert [one.size for one in stored()[2:]] == [0, 0, 0]
    assert [snapshots.read(one)["quantity"] for one in stored()] == [3, 9, 3, 9, 9]


def test_a_state_has_its_policies_by_id() -> None:
    assert snapshots.read(publish(desired()))["policies"] == {
        "fulfillment": {"id": "6196932000"}, "payment": {"id": "6196947000"}, "return": {"id": "6196944000"}
    }  # fmt: skip


def test_much_that_differs_makes_a_new_key() -> None:
    publish(desired())
    other = publish(desired(title="Something else", description="<p>" + "".join(map(str, range(400))) + "</p>"))
    assert other.base is None
    assert record().key_snapshot == 2
    assert (
        publish(desired(title="Something else", description="<p>" + "".join(map(str, range(401))) + "</p>")).base == 2
    )


def test_of_two_that_publish_at_once_one_is_refused() -> None:
    publish(desired())
    before = record()
    publish(desired(quantity=4), read=before)
    with pytest.raises(rules.ConditionFailed):
        publish(desired(quantity=5), read=before)
    assert [one.number for one in stored()] == [1, 2]
    assert publish(desired(quantity=5)).number == 3


def test_what_something_refers_to_is_never_taken_away() -> None:
    for number in range(60):
        # Two out of three are new states; the third is the first one again.
        publish(desired(quantity=3 if number % 3 == 0 else number + 10), NOW + number)
        for one in stored():
            snapshots.read(one)
    numbers = [one.number for one in stored()]
    assert 1 in numbers
    assert len(numbers) < 60
    assert snapshots.prune("acme", SKU, NOW + 60, KEPT) >= 0
    assert [one.number for one in stored()][-5:] == [56, 57, 58, 59, 60]


def test_old_snapshots_go_and_the_newest_stays() -> None:
    for number in range(40):
        publish(desired(title=f"Title {number}"), NOW)
    before = len(stored())
    snapshots.prune("acme", SKU, NOW + 11 * DAY, Ebay(snapshots_kept=1_000, snapshot_days=10))
    left = [one.number for one in stored()]
    assert len(left) < before
    assert left[-1] == 40
    assert all(snapshots.read(one) for one in stored())
    assert snapshots.prune("acme", "unknown", NOW, KEPT) == 0


def test_a_snapshot_that_was_changed_is_found_out(tables: Any) -> None:
    first = publish(desired())
    publish(desired(quantity=4))
    key = tables.item("ebay_snapshots", listing=f"acme/{SKU}", entry="n00000001")
    tables.put("ebay_snapshots", {**key, "state": {"B": pack({"another": "state"})}})
    first.refresh()
    with pytest.raises(snapshots.Corrupt, match="another"):
        snapshots.read(first)
    with pytest.raises(snapshots.Corrupt):
        snapshots.read(stored()[1])
    first.delete()
    with pytest.raises(snapshots.Corrupt, match="gone"):
        snapshots.read(stored()[0])


def test_warnings_stand_with_the_snapshot() -> None:
    warned = publish(desired(), warnings=[{"code": "25127", "message": "mapped"}], listing_id="110")
    assert stored()[0].warnings == [{"code": "25127", "message": "mapped"}]
    assert warned.listing_id == "110"
