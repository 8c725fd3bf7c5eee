"""A listing's operations, without a server: who looks and when changes nothing."""

from hypothesis import given
from hypothesis import strategies as st

from local.sandbox.catalog.golden import NAMED
from local.sandbox.outcomes import Outcome
from local.sandbox.stockx.listings import Change, Listing, Operation, OperationType, copied, settle
from tests.unit.sandbox.client import NOON

CHANGES: dict[OperationType, Change] = {
    "UPDATE": Change(amount="120"),
    "ACTIVATE": Change(active=True),
    "DEACTIVATE": Change(active=False),
    "DELETE": Change(),
}
OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(sorted(CHANGES)), st.integers(0, 5_000), st.integers(0, 5_000), st.sampled_from([None, "No"])
    ),
    max_size=6,
)


def _listing(drawn: list[tuple[OperationType, int, int, str | None]]) -> Listing:
    """A listing with its creation and then `drawn`: type, time of the call, time it takes, error."""
    listing = Listing("l", "a", NAMED[0].variants[0], "150", "USD", NOON * 2, "STANDARD", NOON, NOON, NOON, ask_id="1")
    rows: list[tuple[OperationType, Change, int, int, str | None]]
    rows = [("CREATE", Change(amount="150", active=True), 0, 1_000, None)]
    rows += [(type_, CHANGES[type_], at, takes, error) for type_, at, takes, error in sorted(drawn, key=lambda x: x[1])]
    for place, (type_, change, at, takes, error) in enumerate(rows):
        start = NOON + at
        outcome = Outcome(takes, error=error)
        operation = Operation(str(place), "l", type_, change, start, start, outcome, ready_ms=start + takes)
        listing.operations.append(operation)
    return listing


@given(OPERATIONS, st.lists(st.integers(0, 40_000), max_size=8))
def test_a_listing_does_not_depend_on_who_looked_at_it_before(
    drawn: list[tuple[OperationType, int, int, str | None]], looks: list[int]
) -> None:
    watched, unwatched = _listing(drawn), _listing(drawn)
    for at in sorted(looks):
        settle(watched, NOON + at)
    settle(watched, NOON + 40_000)
    settle(unwatched, NOON + 40_000)
    assert watched == unwatched


@given(OPERATIONS)
def test_operations_end_in_the_order_in_which_they_came_and_each_once(
    drawn: list[tuple[OperationType, int, int, str | None]],
) -> None:
    listing = _listing(drawn)
    settle(listing, NOON + 40_000)
    ends = [operation.updated_at_ms for operation in listing.operations]
    assert ends == sorted(ends)
    deleted = False
    for operation in listing.operations:
        assert operation.ended
        assert (operation.error is not None) == (deleted or operation.outcome.error is not None)
        deleted = deleted or (operation.type == "DELETE" and operation.error is None)
    assert (listing.status == "DELETED") == deleted
    assert (listing.ask is not None) == (listing.status == "ACTIVE")
    again = copied(listing)
    settle(again, NOON + 80_000)
    assert again == listing
