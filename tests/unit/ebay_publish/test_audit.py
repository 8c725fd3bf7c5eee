"""The audit: what does not follow from the documents is found, told once and mended; what is right is left alone."""

import json
from dataclasses import replace

import pytest
from pynamodb.expressions.update import Action as Update

from sluice.jobs.run import records
from sluice.listings.ebay import audit, hashes, metrics, sellers, snapshots, table
from sluice.listings.ebay.audit import AuditAnswer
from sluice.listings.ebay.table import Record, Snapshot, snapshot_entry
from sluice.platform import observe, tables
from sluice.platform.context import Context
from tests.support.ebay_seller import SKU, TENANT, EbaySeller
from tests.support.ebay_wanted import SHOES, record, size


def run(seller: EbaySeller) -> AuditAnswer:
    seller.later(86_400)
    return audit.run(Context(seller.clock, seller.config))


def counts(answer: AuditAnswer) -> tuple[int, int, int]:
    return answer["checked"], answer["mismatches"], answer["mended"]


def damage(*actions: Update, owner: str = TENANT, sku: str = SKU) -> None:
    tables.update(Record, [owner, sku], list(actions))


def damage_state(number: int) -> None:
    key = [f"{TENANT}/{SKU}", snapshot_entry(number)]
    tables.update(Snapshot, key, [Snapshot.state.set(b"rubbish"), Snapshot.base.remove()])


@pytest.fixture
def published(seller: EbaySeller) -> EbaySeller:
    """A listing with three states, of which the second is packed with the first."""
    for want in (record(), record(amount="200"), record(amount="199", title="Another title")):
        seller.put(want)
        seller.settle()
    return seller


def test_what_is_right_is_left_alone(published: EbaySeller) -> None:
    published.put_group(SHOES, size("9"), size("10"))
    published.settle()
    before = [one.attribute_values for one in Record.scan()]
    assert counts(run(published)) == (4, 0, 0)
    assert [one.attribute_values for one in Record.scan()] == before
    assert records.notes()[metrics.AUDIT]["at"] == published.clock.time


@pytest.mark.parametrize(
    ("what", "action"),
    [
        ("record_hash", Record.record_hash.set("0" * 64)),
        ("marketplace", Record.marketplace.set("EBAY_DE")),
        ("status", Record.status.set("ended")),
        ("title", Record.title.set("Nonsense")),
    ],
)
def test_what_follows_from_the_record_is_mended(
    published: EbaySeller, what: str, action: Update, capsys: pytest.CaptureFixture[str]
) -> None:
    before = published.record().attribute_values
    damage(action)
    assert counts(run(published)) == (1, 1, 1)
    assert published.record().attribute_values == before
    [told] = [line for line in map(json.loads, capsys.readouterr().out.splitlines()) if "audit.mended" in line]
    assert (told["what"], told["audit.mended"]) == (what, [1.0])
    assert counts(run(published)) == (1, 0, 0)
    assert published.record().is_published


def test_a_wrong_hash_that_the_published_one_has_too_publishes_nothing(published: EbaySeller) -> None:
    damage(Record.record_hash.set("0" * 64), Record.published_hash.set("0" * 64))
    assert counts(run(published)) == (1, 1, 1)
    assert published.record().is_published


def test_hashes_of_what_was_sent_are_mended_and_those_of_another_projection_are_renewed(published: EbaySeller) -> None:
    right = dict(published.record().hashes)
    damage(Record.hashes.set({**right, "price": "0" * 64}))
    assert counts(run(published)) == (1, 1, 1)
    damage(Record.hashes.set(dict.fromkeys(right, "0" * 64)))
    assert counts(run(published)) == (1, 0, 0)
    assert published.record().hashes == right


def test_a_newest_snapshot_is_restored_from_what_is_published(published: EbaySeller) -> None:
    damage_state(3)
    assert counts(run(published)) == (1, 1, 1)
    found = snapshots.find(f"{TENANT}/{SKU}", 3)
    assert found
    assert snapshots.read(found)["title"] == "Another title"
    assert published.record().snapshots == 3


def test_a_newest_snapshot_that_is_lost_has_a_new_one_behind_it(published: EbaySeller) -> None:
    """Its state is not what is published: nobody can restore it."""
    damage_state(3)
    key = [f"{TENANT}/{SKU}", snapshot_entry(3)]
    tables.update(Snapshot, key, [Snapshot.state_hash.set("1" * 64)])
    checked, mismatches, mended = counts(run(published))
    assert (checked, mismatches - mended) == (1, 1)
    newest = snapshots.find(f"{TENANT}/{SKU}", 4)
    assert newest
    assert (newest.event, snapshots.read(newest)["title"]) == ("audit", "Another title")
    assert 3 not in published.record().snapshot_hashes.values()
    assert counts(run(published))[1] == 0


def test_a_key_that_is_lost_is_no_key_any_more(published: EbaySeller) -> None:
    key = published.record().key_snapshot
    damage_state(key)
    checked, mismatches, _ = counts(run(published))
    assert (checked, mismatches >= 1) == (1, True)
    published.put(record(amount="150"))
    published.settle()
    newest = snapshots.find(f"{TENANT}/{SKU}", published.record().snapshots)
    assert newest
    assert snapshots.read(newest)["price"]["amount"] == "150"
    assert published.record().key_snapshot != key


def test_an_index_entry_of_another_state_is_taken_out(published: EbaySeller) -> None:
    index = dict(published.record().snapshot_hashes)
    damage(Record.snapshot_hashes.set({**index, "abcdefabcdef": 1, "0123456789ab": 77}))
    assert counts(run(published)) == (1, 2, 2)
    assert published.record().snapshot_hashes == index


@pytest.mark.parametrize("stranger", [True, False])
def test_groups_and_members_know_each_other(seller: EbaySeller, stranger: bool) -> None:
    seller.put_group(SHOES, size("9"), size("10"))
    seller.put(record())
    seller.settle()
    before = set(seller.group("shoes").members)
    change = Record.members.add({SKU}) if stranger else Record.members.delete({size("9").sku})
    damage(change, owner=table.group_owner(TENANT), sku="shoes")
    assert counts(run(seller)) == (4, 1, 1)
    assert set(seller.group("shoes").members) == before


def test_a_document_that_cannot_be_read_is_told_and_stops_no_other(seller: EbaySeller) -> None:
    for sku in ("A", "B"):
        seller.put(record(sku=sku))
    seller.settle()
    damage(Record.desired.set(b"rubbish"), sku="A")
    damage(Record.title.set("Nonsense"), sku="B")
    assert counts(run(seller)) == (2, 2, 1)


def test_what_is_changed_meanwhile_is_left_to_the_next_audit(
    published: EbaySeller, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage(Record.record_hash.set("0" * 64))
    right = hashes.of_record

    def changed_meanwhile(want: object) -> str:
        damage(Record.version.add(1))
        return right(want)  # type: ignore[arg-type]

    monkeypatch.setattr(hashes, "of_record", changed_meanwhile)
    assert counts(run(published)) == (1, 1, 0)
    monkeypatch.undo()
    observe.forget()


def test_a_sample_goes_on_where_the_last_one_ended(seller: EbaySeller) -> None:
    names = [f"S-{number}" for number in range(5)]
    for sku in names:
        seller.put(record(sku=sku))
    seller.settle()
    seller.configure(ebay=replace(seller.config.ebay, audit_sample=2))
    wrong = set(names)
    for sku in names:
        damage(Record.title.set("Nonsense"), sku=sku)
    for left in (3, 1, 0):
        assert run(seller)["checked"] <= 2
        wrong = {sku for sku in wrong if seller.record(sku).title == "Nonsense"}
        assert len(wrong) == left
    seller.configure(ebay=replace(seller.config.ebay, audit_sample=0))
    assert run(seller)["checked"] == 0


def test_accounts_share_the_sample(seller: EbaySeller) -> None:
    for tenant in ("acme", "other"):
        if tenant != "acme":
            seller.connect(tenant)
        for number in range(4):
            seller.put(record(sku=f"{tenant}-{number}"), tenant=tenant)
    seller.settle()
    seller.configure(ebay=replace(seller.config.ebay, audit_sample=4))
    for tenant in ("acme", "other"):
        for number in range(4):
            damage(Record.title.set("Nonsense"), owner=tenant, sku=f"{tenant}-{number}")
    assert run(seller)["mended"] == 4
    mended = [one.tenant for one in Record.scan() if one.title != "Nonsense"]
    assert sorted(mended) == ["acme"] * 2 + ["other"] * 2
    assert len(sellers.watched()) == 2
