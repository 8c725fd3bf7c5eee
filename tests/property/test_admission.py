"""Admission: what is picked fits, in the right order, shared between tenants, and nothing waits for ever."""

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sluice.jobs.dispatch.admission import Room, batches, longest_unseen, pick
from sluice.jobs.dispatch.fair_order import in_turn, standing
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.model.keys import BACKGROUND, HOT, MANUAL, subject
from sluice.platform.clock import DAY, HOUR, MINUTE

NOW = 1_795_348_800_000


def candidate(number: int, priority: int, age: int, calls: int, tenant: str = "acme") -> Candidate:
    return Candidate(
        job_id=f"job:{number}",
        lane=f"ebay#{priority}#0@ebay:{tenant}",
        kind="test.work",
        state="queued",
        due_at=NOW - age,
        priority=priority,
        calls=calls,
        tenant=tenant,
        account=f"ebay:{tenant}",
        created_at=NOW - age,
    )


def waiting_for(tenants: str) -> st.SearchStrategy[list[Candidate]]:
    job = st.tuples(
        st.sampled_from([BACKGROUND, HOT, MANUAL]),
        st.integers(-MINUTE, DAY),
        st.integers(1, 4),
        st.sampled_from(tenants),
    )
    return st.lists(job, max_size=40).map(lambda jobs: [candidate(number, *job) for number, job in enumerate(jobs)])


waiting, alone = waiting_for("abc"), waiting_for("a")
some = st.none() | st.integers(0, 60)
rooms = st.builds(
    lambda calls, spare, paced, soon, least: Room(calls, spare, paced, soon=soon, least=least),
    *(some, some, some, some, st.integers(0, 20)),
)
age_limits = st.integers(MINUTE, 6 * HOUR)


@given(st.integers(0, 9), st.integers(1, 4))
def test_background_work_begins_while_its_slots_are_within_the_horizon_and_no_later(paced: int, calls: int) -> None:
    jobs = [candidate(number, BACKGROUND, 0, calls) for number in range(20)]
    room = Room(None, None, paced, least=0)
    assert len(pick(jobs, room, NOW, HOUR)) == (-(-paced // calls) if room.opens(0) else 0)


def test_manual_work_about_the_same_takes_one_place_of_what_the_slots_start_soon() -> None:
    """One call may answer all of it."""
    jobs = [
        candidate(number, MANUAL, MINUTE - number, 1)._replace(job_id=f"test.work:stockx:{name}")
        for number, name in enumerate(("a:1", "a:2", "a:3", "b:1", "c:1"))
    ]
    picked = pick(jobs, Room(None, None, None, soon=2), NOW, HOUR)
    assert [job.job_id.partition(":stockx:")[2] for job in picked] == ["a:1", "a:2", "a:3", "b:1"]


@given(waiting, rooms, age_limits)
def test_never_more_calls_than_there_is_room_for(jobs: list[Candidate], room: Room, age_limit: int) -> None:
    picked = pick(jobs, room, NOW, age_limit)
    assert len(set(picked)) == len(picked)
    assert set(picked) <= set(jobs)
    if room.calls is not None:
        assert sum(job.calls for job in picked) <= room.calls


@given(waiting, rooms, age_limits)
def test_what_is_kept_is_for_high_ranks(jobs: list[Candidate], room: Room, age_limit: int) -> None:
    """Background work leaves the reserve; only manual work goes beyond the horizon. Both by rank, not by name.

    What a person asked for has a horizon of its own.
    """
    before, manual, ranks = 0, 0, dict(in_turn(jobs, NOW, age_limit))
    for job in pick(jobs, room, NOW, age_limit):
        if job.manual:
            assert room.soon is None or manual < room.soon
            manual += job.calls
        if ranks[job] < HOT and room.spare is not None:
            assert before + job.calls <= room.spare
        if ranks[job] < MANUAL and room.paced is not None:
            assert before < room.paced
            high = sum(one.calls for one in jobs if one.manual and ranks[one] == MANUAL)
            assert room.paced - high >= room.least, "a batch or more, or none"
        before += job.calls


@given(waiting, rooms, age_limits)
def test_nobody_is_passed_over(jobs: list[Candidate], room: Room, age_limit: int) -> None:
    """The picked are exactly the first in turn, and all are in it once. Manual work may be left for a later tick."""
    order = [job for job, _ in in_turn(jobs, NOW, age_limit)]
    assert sorted(order, key=jobs.index) == jobs
    picked = pick(jobs, room, NOW, age_limit)
    assert picked == [job for job in order if job in picked]
    for manual in (False, True) if room.soon is not None else ():
        mine = [job for job in picked if job.manual == manual]
        assert mine == [job for job in order if job.manual == manual][: len(mine)]
    assert room.soon is not None or picked == order[: len(picked)]


@given(waiting, age_limits, st.integers(0, 60), st.integers(0, 60), st.integers(0, 20))
def test_what_is_left_behind_for_later_keeps_its_calls(
    jobs: list[Candidate], age_limit: int, calls: int, paced: int, soon: int
) -> None:
    """Background work gets no more beside manual work that waits than beside the same work when it is handed out."""

    def usual(soon: int | None) -> list[Candidate]:
        return [job for job in pick(jobs, Room(calls, None, paced, soon=soon), NOW, age_limit) if not job.manual]

    assert usual(soon) == usual(None)


@given(waiting, age_limits)
def test_without_limits_everybody_is_picked(jobs: list[Candidate], age_limit: int) -> None:
    assert set(pick(jobs, Room(None, None, None), NOW, age_limit)) == set(jobs)


@given(waiting, age_limits, st.integers(0, 40))
def test_no_tenant_is_given_two_more_than_another_that_has_one_waiting(
    jobs: list[Candidate], age_limit: int, room: int
) -> None:
    """Of one rank; and as many are picked as of one queue for all."""
    jobs = [job._replace(calls=1) for job in jobs]
    picked = pick(jobs, Room(room, None, None), NOW, age_limit)
    assert len(picked) == min(room, len(jobs))
    ranks = dict(in_turn(jobs, NOW, age_limit))
    for rank in set(ranks.values()):
        given_, left = Counter[str](), set[str]()
        for job in (job for job in jobs if ranks[job] == rank):
            given_[job.tenant] += job in picked
            if job not in picked:
                left.add(job.tenant)
        assert all(given_[tenant] >= max(given_.values()) - 1 for tenant in left)


@given(waiting, age_limits)
def test_a_rank_is_never_below_the_standing_nor_above_the_highest(jobs: list[Candidate], age_limit: int) -> None:
    for job, rank in in_turn(jobs, NOW, age_limit):
        equals = [other for other in jobs if other.priority == job.priority]
        highest = max(standing(other, NOW, age_limit) for other in equals)
        assert standing(job, NOW, age_limit) <= rank <= highest


@given(st.integers(0, 3 * DAY), st.integers(1, 30), st.integers(1, 30), age_limits)
def test_the_age_of_a_long_queue_puts_none_of_it_before_its_turn(age: int, many: int, few: int, age_limit: int) -> None:
    """However old one tenant's queue is, another's first jobs of that priority are each the first or second to run."""
    flood = [candidate(number, BACKGROUND, age, 1, "flood") for number in range(many + few)]
    fresh = [candidate(1_000 + number, BACKGROUND, 0, 1, "small") for number in range(few)]
    order = [job.tenant for job, _ in in_turn([*flood, *fresh], NOW, age_limit)]
    assert order[: 2 * few].count("small") == few


@given(alone, age_limits)
def test_one_tenants_own_jobs_go_by_standing_and_then_by_age(jobs: list[Candidate], age_limit: int) -> None:
    order = in_turn(jobs, NOW, age_limit)
    assert order == [
        (job, standing(job, NOW, age_limit))
        for job in sorted(jobs, key=lambda job: (-standing(job, NOW, age_limit), job.created_at, job.job_id))
    ]


@given(waiting, age_limits, st.integers(4, 60), st.integers(1, 60))
def test_after_twice_the_age_limit_only_turns_come_before_a_job(
    jobs: list[Candidate], age_limit: int, calls: int, paced: int
) -> None:
    """Of its own tenant's jobs none that is younger, whatever its priority; of another's no more than of its own."""
    old = candidate(-1, BACKGROUND, 2 * age_limit, 1)
    before = Counter[str]()
    for job in pick([*jobs, old], Room(calls, 0, paced), NOW, age_limit):
        if job == old:
            return
        before[job.tenant] += 1
        assert job.tenant != old.tenant or job.created_at <= old.created_at
    assert all(taken <= before[old.tenant] + 1 for taken in before.values())


@given(st.lists(st.integers(0, DAY), min_size=200, max_size=200, unique=True))
def test_who_goes_first_is_drawn_anew(times: list[int]) -> None:
    """With one call a look, four tenants have it about equally often."""
    jobs = [candidate(number, BACKGROUND, 0, 1, tenant) for number, tenant in enumerate("abcd")]
    first = Counter(pick(jobs, Room(1, None, None), NOW + time, HOUR)[0].tenant for time in times)
    assert all(first[tenant] >= 10 for tenant in "abcd")


@given(st.sampled_from([BACKGROUND, HOT, MANUAL]), st.integers(-DAY, 3 * DAY), st.integers(0, DAY), age_limits)
def test_age_only_ever_raises_a_standing(priority: int, age: int, more: int, age_limit: int) -> None:
    younger, older = candidate(1, priority, age, 1), candidate(1, priority, age + more, 1)
    assert priority <= standing(younger, NOW, age_limit) <= standing(older, NOW, age_limit) <= MANUAL


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(1, 30)), max_size=12), st.integers(1, 25))
def test_batches_hold_all_in_order_and_cut_where_the_subject_changes(runs: list[tuple[str, int]], most: int) -> None:
    ids = [f"test.work:ebay:{name}:{number}" for name, count in runs for number in range(count)]
    jobs = [candidate(0, HOT, 0, 1)._replace(job_id=job_id) for job_id in ids]
    cut = list(batches(jobs, most))
    assert [job for batch in cut for job in batch] == jobs
    assert all(0 < len(batch) <= most for batch in cut)
    for batch, following in pairwise(cut):
        split = subject(batch[-1].job_id) == subject(following[0].job_id)
        # What is cut all the same fills its batch alone.
        assert not split or (len(batch) == most and len({subject(job.job_id) for job in batch}) == 1)


@given(alone)
def test_operations_are_checked_by_how_long_they_are_due_and_work_is_begun_by_its_urgency(
    jobs: list[Candidate],
) -> None:
    """Of one tenant: between tenants there are turns."""
    rooms_ = {"ebay": Room(None, None, None)}
    checked = longest_unseen({"ebay": jobs}, rooms_, 99, NOW)["ebay"]
    assert [job.due_at for job in checked] == sorted(job.due_at for job in jobs)
    begun = longest_unseen({"ebay": jobs}, rooms_, 99, NOW, by_priority=True)["ebay"]
    assert [job.priority for job in begun] == sorted((job.priority for job in jobs), reverse=True)
