"""A webhook is followed from the end of its job to its receiver by the record of a probed cloud."""

import pytest

from bench import webhook_hops
from bench.record import Hop, Way
from bench.webhook_hops import HOPS, OF_THE_CLOUD
from tests.support.hops import T0, Story

JOB, WEBHOOK, EVENT, TURN = "market.refresh:stockx:DD1391-100:us-10:USD", "acme/main", "c4ca42", "turn:acme"
DELIVERY = f"{WEBHOOK} {T0:013d}-{EVENT}"
WORKER, TELLER, FANNING, SENDING = 11, 12, 13, 14
QUEUE, STREAM = "sluice-local-webhooks", "sluice-local-jobs"
ARRIVED = 118


def followed(story: Story) -> Way:
    way = webhook_hops.way(story.record(), JOB, WEBHOOK, EVENT, T0, T0 + ARRIVED)
    assert way
    return way


def stalled(way: Way) -> dict[str, float]:
    """In the functions, and on the way to the receiver."""
    return {name: hop.stalled for name, hop in way.items() if hop.stalled and name not in OF_THE_CLOUD}


@pytest.fixture
def story() -> Story:
    """Ended at 0; written at 8, told at 30, on the bus at 36, its message taken at 50, a delivery at 62, its turn
    announced at 70 and begun at 85, signed at 100, there at 118.
    """
    made = Story()
    made.call("enqueue", 10, "UpdateItem", "jobs", (-50, -45), JOB)
    made.call("worker", WORKER, "UpdateItem", "jobs", (1, 8), JOB)
    made.run("job-events", TELLER, 20, 45, JOB, source=STREAM)
    made.call("job-events", TELLER, "PutEvents", "", (30, 36), JOB)
    made.run("webhook-sender", FANNING, 50, 75, JOB, source=QUEUE)
    made.call("webhook-sender", FANNING, "PutItem", "events", (52, 56))
    made.call("webhook-sender", FANNING, "PutItem", "deliveries", (58, 62), DELIVERY)
    made.call("webhook-sender", FANNING, "UpdateItem", "deliveries", (62, 65), DELIVERY)
    made.call("webhook-sender", FANNING, "SendMessage", "webhooks", (67, 70), TURN)
    made.run("webhook-sender", SENDING, 85, 130, TURN, source=QUEUE)
    made.call("webhook-sender", SENDING, "UpdateItem", "webhooks", (86, 90))
    made.call("webhook-sender", SENDING, "Decrypt", "", (95, 100), thread=2)
    made.call("webhook-sender", SENDING, "UpdateItem", "deliveries", (120, 125), DELIVERY, thread=2)
    return made


def test_each_hop_ends_where_the_next_begins(story: Story) -> None:
    way = followed(story)
    assert list(way) == list(HOPS)
    assert {name: round(hop.took) for name, hop in way.items()} == {
        "end": 8,
        "stream": 12,
        "tell": 16,
        "event": 14,
        "fan out": 20,
        "turn": 15,
        "send": 15,
        "arrival": 18,
    }
    assert sum(hop.took for hop in way.values()) == pytest.approx(ARRIVED)
    assert stalled(way) == {}


def test_a_record_that_waits_for_the_run_before_it_does_not_stand(story: Story) -> None:
    """One run of a stream's reader goes on at a time, on AWS too. This one handled others' records until 17."""
    assert followed(story)["stream"] == Hop(12, stalled=12)
    story.run("job-events", TELLER, 2, 17, "another's", source=STREAM)
    assert followed(story)["stream"] == Hop(12, stalled=3)


def test_another_function_that_reads_the_same_stream_is_in_nobodys_way(story: Story) -> None:
    story.run("job-counts", 20, 2, 17, JOB, source=STREAM)
    assert followed(story)["stream"] == Hop(12, stalled=12)


def test_a_message_that_waits_for_a_sender_does_not_stand(story: Story) -> None:
    """All four were busy until 46, and with turns until 80."""
    for number in range(4):
        story.run("webhook-sender", 20 + number, 10, 46, "another's", source=QUEUE)
    for number in range(3):
        story.run("webhook-sender", 30 + number, 60, 80, "turn:globex", source=QUEUE)
    way = followed(story)
    assert (way["event"], way["turn"]) == (Hop(14, stalled=4), Hop(15, stalled=10))


def test_others_work_in_the_same_run_is_on_its_way_and_does_not_stand(story: Story) -> None:
    """A sender that handles ten messages at once is slower for each of them, on AWS too."""
    for number in range(9):
        story.call(
            "webhook-sender", FANNING, "PutItem", "deliveries", (57, 60), f"mallory/h{number} x", thread=number + 5
        )
    assert stalled(followed(story)) == {}
    story.call("webhook-sender", FANNING, "PutItem", "deliveries", (60, 66), "mallory/h9 x", thread=4, served=1)
    assert stalled(followed(story)) == {"fan out": 5}, "but that call waited for the local cloud's one thread"


def test_a_sender_that_waits_for_a_core_on_the_way_to_the_receiver_has_been_stalled(story: Story) -> None:
    story.lines.pop()
    story.call("webhook-sender", SENDING, "UpdateItem", "deliveries", (120, 125), DELIVERY, thread=2, stalled=(6, 6))
    assert stalled(followed(story)) == {"arrival": 6}


def test_a_turn_that_goes_on_already_sends_it_without_another_message(story: Story) -> None:
    story.lines = [line for line in story.lines if line["what"] != "SendMessage"]
    for line in story.lines:
        if line["what"] == "run" and line["process"] == SENDING:
            line["began"] -= 40 * 1_000_000
    way = followed(story)
    assert (round(way["fan out"].took), way["turn"].took, round(way["send"].took)) == (15, 0, 35)


def test_what_was_never_sent_is_not_followed(story: Story) -> None:
    story.lines.pop()
    assert webhook_hops.way(story.record(), JOB, WEBHOOK, EVENT, T0, T0 + ARRIVED) is None
