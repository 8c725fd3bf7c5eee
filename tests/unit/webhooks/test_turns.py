"""Tenants have turns: receivers that never answer, and floods of events, delay nobody else's."""

import heapq
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

import pytest

from sluice.platform import aws
from sluice.platform.clock import DAY, HOUR, MINUTE, SECOND
from sluice.webhooks import deliveries, endpoints, turns
from sluice.webhooks.endpoints import TURN, Endpoint, WantedEndpoint
from sluice.webhooks.messages import Turn
from tests.support.clock import VirtualClock
from tests.support.store import Answer, Request, Store
from tests.unit.webhooks.conftest import NOON, TIMED_OUT, URL, Post, Receivers, ended, endpoint, states

ENDPOINTS = 10
SENDERS = 2
HANDLED_MS = 50
LATE_MS = 10 * SECOND


class Hanging(Receivers):
    """Those under `hang.` never answer; the others do at once."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock)
        self.hung = 0

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        status = super().post(url, headers, body)
        if "hang." in url:
            self.hung += 1
            raise TIMED_OUT
        return status


class Queue:
    """The queue with its senders, each of which handles ten messages at once and is busy until the slowest is done."""

    def __init__(self, post: Post) -> None:
        self.post, self.receivers = post, Hanging(post.clock)
        post.receivers = self.receivers
        self.busy = [NOON] * SENDERS
        self.most: Counter[str] = Counter()

    def until(self, end: int) -> None:
        """Let the senders work until `end`, or until nothing is left."""
        post = self.post
        while post.queue:
            post.queue.sort(key=lambda entry: entry[0])
            start = max(post.queue[0][0], self.busy[0])
            if start > end:
                return
            post.clock.time = start
            ready = [entry for entry in post.queue if entry[0] <= start][:10]
            self.note()
            for entry in ready:
                post.queue.remove(entry)
            hung, before = self.receivers.hung, len(post.queue)
            assert post.handle(*(body for _, body in ready)) == []
            took = LATE_MS if self.receivers.hung > hung else HANDLED_MS
            post.queue[before:] = [(at + took, body) for at, body in post.queue[before:]]
            heapq.heapreplace(self.busy, start + took)

    def note(self) -> None:
        """How many messages wait for a turn of each tenant."""
        waiting = Counter(
            turn["tenant"] for _, body in self.post.queue if "at" in (turn := json.loads(body)) and "tenant" in turn
        )
        self.most |= waiting


def good_delays(post: Post, *, hostile: bool) -> tuple[list[int], Queue]:
    """How long 60 events of a good tenant take, one each second, while another's receivers hang."""
    queue = Queue(post)
    endpoint("good", url=f"{URL}/good")
    if hostile:
        for number in range(ENDPOINTS):
            endpoint("hostile", f"h{number}", url=f"https://hang.example.com/{number}")
    for second in range(60):
        now = NOON + second * SECOND
        queue.until(now)
        post.clock.time = max(post.clock.time, now)
        if hostile:
            for number in range(10):
                event = json.dumps(ended("succeeded", "hostile", id=f"h{second}-{number}"))
                post.queue.append((now + SECOND // 2, event))
        post.queue.append((now, json.dumps(ended("succeeded", "good", id=f"g{second}"))))
    queue.until(NOON + 10 * MINUTE)
    arrived = {sent.headers["webhook-id"]: sent.at for sent in queue.receivers.sent if sent.url == f"{URL}/good"}
    return [arrived[f"g{second}"] - (NOON + second * SECOND) for second in range(60)], queue


def test_ten_receivers_that_never_answer_delay_nobody_else(post: Post, tables: Store) -> None:
    alone, _ = good_delays(post, hostile=False)
    tables.clear()
    post.clock.time = NOON
    beside, queue = good_delays(post, hostile=True)
    p95 = [sorted(delays)[int(len(delays) * 0.95)] for delays in (alone, beside)]
    assert p95[1] <= 1.2 * p95[0], f"p95 in virtual ms: {p95[0]} alone, {p95[1]} beside {ENDPOINTS} that hang"
    assert queue.most["hostile"] <= 2  # its turn, and one that was announced when it had gone


def test_a_receiver_that_does_not_answer_is_asked_less_and_less(post: Post) -> None:
    queue = Queue(post)
    endpoint(url="https://hang.example.com/")
    for number in range(1_000):
        post.queue.append((NOON, json.dumps(ended(id=f"e{number}"))))
    queue.until(NOON + HOUR)
    assert 5 <= queue.receivers.hung <= 15
    assert Endpoint.get("acme", "main").rests_until


def test_what_waits_for_an_endpoint_that_rests_uses_up_no_attempt(post: Post) -> None:
    found, _ = endpoint()
    post.receivers.answers = [TIMED_OUT]
    post.publish(ended(id="first"))
    post.step()
    post.step()
    post.publish(ended(id="second"))
    post.step()
    assert [one.attempts for one in deliveries.Delivery.query(found.key)] == [1, 0]
    post.run()
    assert states() == ["delivered", "delivered"]
    assert [sent.at - NOON for sent in post.receivers.sent] == [0, 30 * SECOND, 30 * SECOND]


def test_a_turn_reads_its_tenants_endpoints_once_and_knows_which_of_them_rests_from_now_on(
    post: Post, tables: Store
) -> None:
    read = Counter[str]()

    def around(request: Request, send: Callable[[], Answer]) -> Answer:
        read[f"{request.operation} {request.parameters.get('TableName', '').rpartition('-')[2]}"] += 1
        return send()

    endpoint()
    post.receivers.answers = [TIMED_OUT]
    post.publish(ended())
    post.step()
    tables.around = around
    post.step()
    assert read["Query webhooks"] == 1
    [(at, _)] = post.queue
    assert at == NOON + 30 * SECOND, "its next attempt is due earlier, and would find it at rest"


def test_an_endpoint_that_is_put_again_is_tried_at_once(post: Post) -> None:
    found, _ = endpoint()
    post.receivers.answers = [TIMED_OUT]
    post.publish(ended())
    post.step()
    post.step()
    post.clock.time += 6 * SECOND
    endpoints.change(found, WantedEndpoint(URL, ["job.succeeded"], enabled=True), post.clock.time)
    turns.wake("acme", post.clock.time, post.clock.time)
    post.run()
    assert [sent.at - NOON for sent in post.receivers.sent] == [0, 6 * SECOND]


def test_an_endpoint_that_hangs_is_switched_off_after_a_day(post: Post) -> None:
    queue = Queue(post)
    endpoint(url="https://hang.example.com/")
    for hour in range(26):
        post.queue.append((NOON + hour * HOUR, json.dumps(ended(id=f"e{hour}"))))
    queue.until(NOON + 2 * DAY)
    assert Endpoint.get("acme", "main").status == "DISABLED"
    [(kind, _)] = post.events
    assert kind == "webhook.disabled"
    assert "pending" not in states()


def test_a_flood_of_one_tenant_is_one_message_in_the_queue(post: Post) -> None:
    endpoint("flood")
    endpoint("good", url=f"{URL}/good")
    for number in range(200):
        assert post.handle(json.dumps(ended("succeeded", "flood", id=f"f{number}"))) == []
    assert post.handle(json.dumps(ended("succeeded", "good", id="g"))) == []
    assert [json.loads(body)["tenant"] for _, body in post.queue] == ["flood", "good"]
    post.run()
    assert states("flood/main") == ["delivered"] * 200
    assert states("good/main") == ["delivered"]


def test_a_turn_ends_after_its_time_whatever_is_left(post: Post) -> None:
    endpoint()
    for number in range(50):
        assert post.handle(json.dumps(ended(id=f"e{number}"))) == []
    post.receivers.meanwhile = [lambda: _pass(post, SECOND)] * 50
    post.step()
    sent = len(post.receivers.sent)
    assert 0 < sent < 50
    assert {json.loads(body)["tenant"] for _, body in post.queue} == {"acme"}
    assert len(post.queue) == 2  # before the turn was left and after it: the second one is dropped
    post.run()
    assert states() == ["delivered"] * 50


def _pass(post: Post, ms: int) -> None:
    post.clock.time += ms


def kill(at: int) -> Callable[[Request, Callable[[], Answer]], Answer]:
    """Die before write number `at`, and at everything after it."""
    written = [0]

    def around(request: Request, send: Callable[[], Answer]) -> Answer:
        if request.operation in ("UpdateItem", "PutItem", "DeleteItem"):
            written[0] += 1
            if written[0] >= at:
                raise RuntimeError("killed")
        return send()

    return around


def later(post: Post) -> Iterator[str]:
    """The messages that wait; then the time at which SQS shows those of a dead sender again."""
    messages = [body for _, body in post.queue]
    post.queue.clear()
    yield from messages
    post.clock.time += 3 * MINUTE


@pytest.mark.parametrize("writes", range(1, 12))
@pytest.mark.parametrize("answer", [204, 500])
def test_a_sender_that_dies_at_any_write_loses_nothing(post: Post, tables: Store, writes: int, answer: int) -> None:
    endpoint()
    post.receivers.answers = [answer, answer]
    events = [json.dumps(ended(id="e1")), json.dumps(ended(id="e2"))]
    tables.around = kill(writes)
    failed = [body for body in events if post.handle(body)]
    for body in later(post):
        failed += [body] if post.handle(body) else []
    tables.around = None
    post.queue += [(post.clock.time, body) for body in failed]
    post.run()
    assert states() == ["delivered", "delivered"]
    assert Endpoint.get("acme", TURN).turn_until is None


def test_a_message_of_a_turn_that_lasts_is_sent_again_when_it_ends(post: Post) -> None:
    endpoint()
    post.publish(ended(id="e1"))
    post.step()
    messages: list[str] = []

    def meanwhile() -> None:
        assert post.handle(json.dumps(ended(id="e2"))) == []
        [(_, body)] = post.queue
        post.queue.clear()
        messages.append(body)
        assert post.handle(body) == []  # it finds the turn taken

    post.receivers.meanwhile = [meanwhile]
    post.run()
    assert messages
    assert states() == ["delivered", "delivered"]


def test_a_message_that_somebody_has_before_the_turn_is_left_holds_nothing_up(post: Post, tables: Store) -> None:
    """It was put off until the turn's time would be over: for 30 s none of the tenant's events was sent."""
    endpoint()
    post.publish(ended(id="e1"))
    post.step()
    post.receivers.meanwhile = [lambda: post.handle(json.dumps(ended(id="e2")))]
    at_once = 0

    def around(request: Request, send: Callable[[], Answer]) -> Answer:
        """Before each update another sender has handled what lies in the queue."""
        nonlocal at_once
        due = [entry for entry in post.queue if entry[0] <= post.clock.time]
        if request.operation == "UpdateItem" and at_once < 3:
            post.queue = [entry for entry in post.queue if entry not in due]
            at_once += len(due)
            assert post.handle(*(body for _, body in due)) == []
        return send()

    tables.around = around
    post.run()
    assert at_once == 3  # the one that e2 announced, and two that were sent when the turn was to be left
    assert states() == ["delivered", "delivered"]
    assert [sent.at for sent in post.receivers.sent] == [NOON, NOON]


def test_what_comes_while_a_dead_sender_has_the_turn_waits_for_the_end_of_its_time(post: Post, tables: Store) -> None:
    """And not for SQS to show the dead sender's message again, which is of an older turn by then."""
    endpoint()
    post.publish(ended(id="e1"))
    post.step()
    [(_, turn)] = post.queue
    post.queue.clear()
    tables.around = kill(2)  # it has the turn, and dies before it has written what became of the first delivery
    assert post.handle(turn) == ["0"]
    tables.around = None
    post.publish(ended(id="e2"))
    post.run()
    assert states() == ["delivered", "delivered"]
    assert post.clock.time == NOON + turns.TURN_MS


def test_an_old_message_is_dropped(post: Post) -> None:
    turns.wake("acme", NOON + HOUR, NOON)
    turns.wake("acme", NOON, NOON)
    assert [json.loads(body)["at"] for _, body in post.queue] == [NOON + HOUR, NOON]
    assert not turns.take(Turn("acme", NOON + HOUR), NOON + HOUR)
    assert turns.take(Turn("acme", NOON), NOON)


def test_an_announcement_whose_message_was_lost_holds_nothing_up_for_long(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(aws, "send_message", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            turns.wake("acme", NOON, NOON)
    turns.wake("acme", NOON + SECOND, NOON + SECOND)
    assert post.queue == []
    turns.wake("acme", NOON + MINUTE, NOON + MINUTE)
    assert len(post.queue) == 1
