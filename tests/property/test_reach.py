"""How far lanes are read: as far as what stands there can be handed out. Nothing that can is left unread for that."""

from hypothesis import given
from hypothesis import strategies as st

from sluice.jobs.budgets.shares import Shares
from sluice.jobs.dispatch.admission import Room, pick
from sluice.jobs.dispatch.reach import reach
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.model.keys import BACKGROUND, HOT, MANUAL, POLL

NOW = 1_795_348_800_000
HOUR = 3_600_000
# Work is young, so that its age raises none of it.
AGE_LIMIT = 24 * HOUR
BATCH = 5
bounds = st.none() | st.integers(0, 12)
rooms = st.builds(Room, bounds, bounds, bounds, soon=bounds, checks=bounds, least=st.integers(0, 4))


def job(place: int, priority: int, calls: int = 1) -> Candidate:
    return Candidate(
        f"test.work:stockx:{place}", "", "test.work", "queued", NOW, priority, calls, "acme", "stockx:acme", NOW
    )


@given(st.lists(st.tuples(st.sampled_from([MANUAL, HOT, BACKGROUND]), st.integers(1, 3)), max_size=20), rooms)
def test_whoever_reads_no_further_admits_what_who_reads_everything_would(
    standing: list[tuple[int, int]], room: Room
) -> None:
    waiting = [job(place, priority, calls) for place, (priority, calls) in enumerate(standing)]
    read = list[Candidate]()
    for priority in (MANUAL, HOT, BACKGROUND):
        lane = [one for one in waiting if one.priority == priority]
        far = reach(str(priority), room, read, BATCH)
        if far.raised_to is not None:
            lane = lane[:1]  # nothing is raised, so nobody reads on behind it
        read += lane if far.most is None else lane[: max(1, far.most)]
    everything = pick(waiting, room, NOW, AGE_LIMIT)
    assert pick(read, room, NOW, AGE_LIMIT) == everything


def test_what_manual_work_leaves_of_the_slots_is_read_of_hot_work_and_only_what_is_manual_takes_from_it() -> None:
    """Six calls can start; a run leaves other work alone where fewer than two of them are for it."""
    room = Room(None, None, 6, soon=6, least=2)
    manual, hot = [job(place, MANUAL) for place in range(4)], [job(place, HOT) for place in range(10, 16)]
    assert reach(str(HOT), room, manual, BATCH) == (2, None)
    assert reach(str(BACKGROUND), room, [*manual, *hot[:1]], BATCH) == (2, None)
    assert reach(str(BACKGROUND), room, [*manual, *hot[:2]], BATCH) == (2, HOT), "hot work fills it"
    assert reach(str(BACKGROUND), room, hot, BATCH) == (6, HOT), "there is room for it, and hot work has it"
    assert reach(str(HOT), room, [*manual, job(5, MANUAL)], BATCH).raised_to == MANUAL, "there is no room"


def test_where_tenants_share_an_application_what_is_manual_closes_nothing_to_the_others() -> None:
    """Who may have how much of it is known only when it is picked: some of it may not be its tenant's to take."""
    manual = [job(place, MANUAL) for place in range(6)]
    own = Room(None, None, 6, soon=6, least=2)
    shared = own._replace(shares=Shares(100, 0, 0))
    assert reach(str(HOT), own, manual, BATCH).raised_to == MANUAL
    assert reach(str(HOT), shared, manual, BATCH) == (None, None)


def test_checks_of_operations_are_read_as_far_as_the_calls_and_a_look_go() -> None:
    assert reach(POLL, Room(7, None, None, checks=3), [], BATCH) == (3, None)
    assert reach(POLL, Room(2, None, None, checks=3), [], BATCH) == (2, None)
    assert reach(POLL, Room(None, None, None), [], BATCH) == (None, None)
