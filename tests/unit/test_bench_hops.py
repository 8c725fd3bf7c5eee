"""A price is followed through the functions by the record of a probed cloud."""

import pytest

from bench import hops
from bench.hops import HOPS, OF_THE_CLOUD
from bench.record import Hop, Way, less_the_quickest
from tests.support.hops import T0, Story

JOB = "market.refresh:stockx:DD1391-100:us-10:USD"
ASK, SCHEDULER, WORKER = 11, 12, 13


def followed(story: Story, ended: int = 200) -> Way:
    """The hops of the story's price, which must be one that can be followed."""
    way = hops.way(story.record(), JOB, T0, T0 + ended)
    assert way
    return way


def stalled(way: Way) -> dict[str, float]:
    """In the functions."""
    return {name: hop.stalled for name, hop in way.items() if hop.stalled and name not in OF_THE_CLOUD}


@pytest.fixture
def story() -> Story:
    """Asked at 0; written at 20, nudged at 25, tick at 40, claimed at 60, sent at 65, taken at 80, ended at 130."""
    made = Story()
    made.run("enqueue", ASK, 5, 28)
    made.call("enqueue", ASK, "UpdateItem", "jobs", (10, 20), JOB)
    made.call("enqueue", ASK, "Invoke", "scheduler", (21, 25))
    made.run("scheduler", SCHEDULER, 30, 70)
    made.call("scheduler", SCHEDULER, "UpdateItem", "lanes", (32, 36))
    made.call("scheduler", SCHEDULER, "Scan", "lanes", (40, 41))
    made.call("scheduler", SCHEDULER, "UpdateItem", "jobs", (55, 60), JOB, thread=2)
    made.call("scheduler", SCHEDULER, "SendMessage", "manual", (61, 65), JOB)
    made.run("worker", WORKER, 80, 135, JOB, source="manual")
    made.call("worker", WORKER, "PutItem", "runs", (85, 90))
    made.call("worker", WORKER, "UpdateItem", "prices", (115, 120))
    made.call("worker", WORKER, "UpdateItem", "jobs", (122, 130), JOB)
    return made


def test_each_hop_ends_where_the_next_begins(story: Story) -> None:
    way = followed(story)
    assert list(way) == list(HOPS)
    took = {name: round(hop.took) for name, hop in way.items()}
    assert took == {
        "gateway": 5,
        "request": 15,
        "nudge": 5,
        "called": 5,
        "scheduler": 10,
        "tick": 20,
        "send": 5,
        "queue": 15,
        "start": 10,
        "work": 30,
        "finish": 10,
    }
    assert sum(took.values()) == 130
    assert sum(hop.stalled for name, hop in way.items() if name not in OF_THE_CLOUD) == 0


def test_what_a_call_waits_for_at_the_local_cloud_has_been_stalled(story: Story) -> None:
    story.lines = [line for line in story.lines if line["what"] != "SendMessage"]
    story.call("scheduler", SCHEDULER, "SendMessage", "manual", (61, 65), JOB, served=1)
    assert stalled(followed(story)) == {"send": 3}


def test_what_a_thread_waits_for_a_core_between_its_calls_has_been_stalled(story: Story) -> None:
    """The worker's thread waited 6 ms for a core before it stored the price, and 2 ms before it ended the job."""
    story.lines = [line for line in story.lines if line["process"] != WORKER or line["what"] == "run"]
    story.call("worker", WORKER, "PutItem", "runs", (85, 90), stalled=(1, 1))
    story.call("worker", WORKER, "UpdateItem", "prices", (115, 120), stalled=(7, 7))
    story.call("worker", WORKER, "UpdateItem", "jobs", (122, 130), JOB, stalled=(9, 9))
    assert stalled(followed(story)) == {"start": 1, "work": 6, "finish": 2}


def test_a_thread_cannot_have_waited_longer_than_there_was_time(story: Story) -> None:
    story.lines = [line for line in story.lines if line["what"] != "SendMessage"]
    story.call("scheduler", SCHEDULER, "SendMessage", "manual", (61, 65), JOB, stalled=(50, 50))
    assert followed(story)["send"].stalled == 1


def test_work_of_others_in_the_same_tick_is_on_its_way_and_does_not_stand(story: Story) -> None:
    """That is what the engine does: another's claim before its own makes the tick longer on AWS too."""
    story.call("scheduler", SCHEDULER, "UpdateItem", "jobs", (46, 54), "another's", thread=2)
    assert followed(story)["tick"].stalled == 0


def test_a_message_that_waits_for_a_worker_does_not_stand_and_one_that_is_held_back_neither(story: Story) -> None:
    """Five workers were busy from 60 to 70; so it lay there for 10 ms while one was free."""
    for number in range(5):
        story.run("worker", 20 + number, 60, 70 + number, f"other-{number}", source="manual")
    assert followed(story)["queue"] == Hop(15, stalled=10)
    story.lines = [line for line in story.lines if line["what"] != "SendMessage"]
    story.call("scheduler", SCHEDULER, "SendMessage", "manual", (61, 65), JOB, delay=1)
    assert followed(story)["queue"] == Hop(15, stalled=0)


def test_who_relies_on_a_run_that_another_calls_waits_for_that_call_too(story: Story) -> None:
    """It did not call by itself; somebody else did at 26, and the run began at 30."""
    story.lines = [line for line in story.lines if line["what"] != "Invoke"]
    story.call("listings", 19, "Invoke", "scheduler", (26, 29))
    assert (followed(story)["nudge"], followed(story)["called"]) == (Hop(0), Hop(10, stalled=4))
    for line in story.lines:
        line["nudged"] = False
    assert followed(story)["called"] == Hop(10, stalled=0), "the minute's run was called by nobody"


def test_what_the_local_cloud_does_itself_is_as_long_as_the_quickest(story: Story) -> None:
    slow, quick = followed(story), followed(story)
    quick["gateway"], quick["queue"] = Hop(2, stalled=2), Hop(12, stalled=12)
    less_the_quickest([slow, quick], OF_THE_CLOUD)
    assert (slow["gateway"].stalled, slow["queue"].stalled) == (3, 3)
    assert (quick["gateway"].stalled, quick["queue"].stalled) == (0, 0)


def test_a_price_that_was_handed_out_twice_or_for_another_is_not_followed(story: Story) -> None:
    def is_followed(ended: int = 200) -> bool:
        return hops.way(story.record(), JOB, T0, T0 + ended) is not None

    kept = list(story.lines)
    story.call("scheduler", SCHEDULER, "SendMessage", "manual", (150, 151), JOB)
    assert not is_followed()
    assert is_followed(ended=140), "the second one is a later run's"
    story.lines = [line for line in kept if line["what"] != "SendMessage"]
    story.call("scheduler", SCHEDULER, "SendMessage", "manual", (2, 3), JOB)
    assert not is_followed()
    story.lines = []
    assert not is_followed()
