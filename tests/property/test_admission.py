"""Admission: what is picked fits, in the right order, and nothing waits for ever."""

from hypothesis import given
from hypothesis import strategies as st

from sluice.jobs.admission import Candidate, Room, pick, standing
from sluice.jobs.keys import BACKGROUND, HOT, MANUAL
from sluice.platform.clock import DAY, HOUR, MINUTE

NOW = 1_795_348_800_000


def candidate(number: int, priority: int, age: int, calls: int) -> Candidate:
    return Candidate(
        job_id=f"job:{number}",
        lane=f"stockx:acme#{priority}#0",
        kind="test.work",
        state="queued",
        due_at=NOW - age,
        priority=priority,
        calls=calls,
        tenant="acme",
        account="stockx:acme",
        created_at=NOW - age,
    )


waiting = st.lists(
    st.tuples(st.sampled_from([BACKGROUND, HOT, MANUAL]), st.integers(-MINUTE, DAY), st.integers(1, 4)), max_size=40
).map(lambda jobs: [candidate(number, *job) for number, job in enumerate(jobs)])
some = st.none() | st.integers(0, 60)
rooms = st.builds(lambda calls, spare, paced: Room(calls, spare, paced), some, some, some)
age_limits = st.integers(MINUTE, 6 * HOUR)


@given(waiting, rooms, age_limits)
def test_never_more_calls_than_there_is_room_for(jobs: list[Candidate], room: Room, age_limit: int) -> None:
    picked = pick(jobs, room, NOW, age_limit)
    assert len(set(picked)) == len(picked)
    assert set(picked) <= set(jobs)
    if room.calls is not None:
        assert sum(job.calls for job in picked) <= room.calls


@given(waiting, rooms, age_limits)
def test_background_work_leaves_what_is_kept(jobs: list[Candidate], room: Room, age_limit: int) -> None:
    taken = 0
    for job in pick(jobs, room, NOW, age_limit):
        taken += job.calls
        if standing(job, NOW, age_limit) < HOT and room.spare is not None:
            assert taken <= room.spare


@given(waiting, rooms, age_limits)
def test_only_manual_work_goes_beyond_the_horizon(jobs: list[Candidate], room: Room, age_limit: int) -> None:
    before = 0
    for job in pick(jobs, room, NOW, age_limit):
        if standing(job, NOW, age_limit) < MANUAL and room.paced is not None:
            assert before < room.paced
        before += job.calls


@given(waiting, rooms, age_limits)
def test_nobody_is_passed_over(jobs: list[Candidate], room: Room, age_limit: int) -> None:
    """The picked are exactly the first of the order: standing, then age."""
    picked = pick(jobs, room, NOW, age_limit)
    left = [job for job in jobs if job not in picked]

    def order(job: Candidate) -> tuple[int, int]:
        return -standing(job, NOW, age_limit), job.created_at

    assert [order(job) for job in picked] == sorted(order(job) for job in picked)
    if picked and left:
        assert order(picked[-1]) <= min(order(job) for job in left)


@given(waiting, age_limits)
def test_without_limits_everybody_is_picked(jobs: list[Candidate], age_limit: int) -> None:
    assert set(pick(jobs, Room(None, None, None), NOW, age_limit)) == set(jobs)


@given(waiting, age_limits, st.integers(4, 60), st.integers(1, 60))
def test_after_twice_the_age_limit_a_job_stands_before_whoever_came_later(
    jobs: list[Candidate], age_limit: int, calls: int, paced: int
) -> None:
    old = candidate(-1, BACKGROUND, 2 * age_limit, 1)
    before = [job for job in jobs if job.created_at <= old.created_at]
    picked = pick([*jobs, old], Room(calls, 0, paced), NOW, age_limit)
    # Whoever is younger comes after it, whatever its priority; so it is next when the older ones are gone.
    assert old in picked or all(job in before for job in picked)


@given(st.sampled_from([BACKGROUND, HOT, MANUAL]), st.integers(-DAY, 3 * DAY), st.integers(0, DAY), age_limits)
def test_age_only_ever_raises_a_standing(priority: int, age: int, more: int, age_limit: int) -> None:
    younger, older = candidate(1, priority, age, 1), candidate(1, priority, age + more, 1)
    assert priority <= standing(younger, NOW, age_limit) <= standing(older, NOW, age_limit) <= MANUAL
