"""A job's timeline is short, and what it leaves out is what tells least."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.jobs.model.history import MOST_ENTRIES, Entry, add

entries = st.lists(
    st.tuples(st.sampled_from(["snooze", "snooze", "retry", "rescue"]), st.sampled_from(["closed", "empty"])),
    min_size=MOST_ENTRIES,
    max_size=3 * MOST_ENTRIES,
)


def told(history: list[Entry]) -> list[int]:
    return [entry["at"] for entry in history]


@given(entries)
def test_the_oldest_snooze_makes_room_else_the_oldest_entry_and_the_newest_is_always_told(
    happened: list[tuple[str, str]],
) -> None:
    history = list[Entry]()
    for at, (event, code) in enumerate(happened):
        before, entry = history, {"at": at, "event": event, "attempt": 1, "code": code}
        history = add(before, entry)
        assert len(history) <= MOST_ENTRIES
        if before and (event, code) == ("snooze", before[-1]["code"]) and before[-1]["event"] == "snooze":
            assert history == [*before[:-1], {**before[-1], "times": before[-1].get("times", 1) + 1, "last": at}]
            continue
        assert history[-1] == entry
        gone = [one for one in before if one["at"] not in told(history)]
        if len(before) < MOST_ENTRIES:
            assert gone == []
        else:
            snoozes = [one for one in before if one["event"] == "snooze"]
            assert gone == [(snoozes or before)[0]]


@pytest.mark.parametrize("place", [0, 1, MOST_ENTRIES // 2, MOST_ENTRIES - 1])
def test_a_snooze_makes_room_wherever_it_stands(place: int) -> None:
    full = [{"at": at, "event": "retry", "attempt": at} for at in range(MOST_ENTRIES)]
    full[place]["event"] = "snooze"
    newest = {"at": MOST_ENTRIES, "event": "retry", "attempt": MOST_ENTRIES}
    assert told(add(full, newest)) == [at for at in range(MOST_ENTRIES + 1) if at != place]
    assert told(add(full, {**newest, "event": "snooze", "code": "closed"}))[-1] == MOST_ENTRIES
