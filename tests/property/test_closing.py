"""How long a budget is closed by a marketplace that names no time: longer each time that it refuses again soon."""

from hypothesis import given
from hypothesis import strategies as st

from sluice.jobs.budgets.windows import Usage
from sluice.platform.clock import HOUR, MINUTE

NOW = 1_795_348_800_000
LENGTHS = st.integers(1, 2 * HOUR)


@given(LENGTHS, st.integers(0, 3 * HOUR), LENGTHS)
def test_twice_as_long_soon_after_and_as_meant_later(length: int, ago: int, meant: int) -> None:
    usage = Usage(closed_at=NOW - ago - length, closed_until=NOW - ago)
    until = usage.reclosed(NOW, NOW + meant, HOUR)
    if ago <= length:
        assert until == NOW + max(meant, min(2 * length, HOUR))
    else:
        assert until == NOW + meant


@given(LENGTHS, st.integers(1, HOUR))
def test_while_it_is_closed_a_refusal_is_the_same_one(length: int, left: int) -> None:
    usage = Usage(closed_at=NOW - length, closed_until=NOW + left)
    assert usage.reclosed(NOW, NOW + MINUTE, HOUR) == NOW + MINUTE


def test_a_budget_that_was_never_closed_is_closed_as_meant() -> None:
    assert Usage().reclosed(NOW, NOW + MINUTE, HOUR) == NOW + MINUTE
    # Closed by a version that did not write when.
    assert Usage(closed_until=NOW - 1).reclosed(NOW, NOW + MINUTE, HOUR) == NOW + MINUTE


def test_one_refusal_after_the_other_ends_at_the_longest() -> None:
    usage, now, lengths = Usage(), NOW, []
    for _ in range(9):
        until = usage.reclosed(now, now + MINUTE, HOUR)
        lengths.append((until - now) // MINUTE)
        usage, now = Usage(closed_at=now, closed_until=until), until + 1
    assert lengths == [1, 2, 4, 8, 16, 32, 60, 60, 60]
