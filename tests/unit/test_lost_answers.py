"""An answer of DynamoDB is lost, and botocore sends the request again: whoever wrote hears what really happened."""

import ast
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools.event_handler import Response
from pynamodb.expressions.operand import Path as Attribute

import sluice
from sluice.feed import table as feed
from sluice.feed.bus_events import Event
from sluice.inventory import table as items
from sluice.inventory.rules import Edit
from sluice.jobs.budgets import handed_out, ledger, seats
from sluice.jobs.budgets.slots import reserve_slots
from sluice.jobs.budgets.windows import Window
from sluice.jobs.model import dead_letters, keys
from sluice.jobs.model.dead_letters import DeadLetter
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import Failure, Waiting
from sluice.jobs.queue import cancel, claim, finish, lanes, nudge, replay, starts
from sluice.jobs.queue.enqueue import enqueue
from sluice.jobs.run import records
from sluice.jobs.run.records import RunRecord
from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.accounts.table import Status
from sluice.notifications import table as mail
from sluice.platform import aws, tables
from sluice.platform.clock import DAY, MINUTE
from sluice.platform.http import idempotency
from sluice.platform.imports import chunks
from sluice.prices import table as prices
from sluice.prices.table import Price
from sluice.webhooks import deliveries, endpoints, messages, turns
from sluice.webhooks.endpoints import WantedEndpoint
from sluice.webhooks.messages import Turn
from tests.support import lost_answers, process, work
from tests.support.lost_answers import CONFIG, DRAFT, LIMITS, NOON, Case, connected, marked
from tests.support.network import LOST, Network, no_pauses, open_network
from tests.support.work import spec

MODELS = process.models()
TOLD = Event("e", "listing.sold", NOON, ("acme",), {"id": "e"})
TOLD_AGAIN = TOLD._replace(at=NOON + MINUTE)
WANTED = WantedEndpoint("https://receiver.test", ("job.dead",), enabled=True)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    monkeypatch.setattr(aws, "encrypt", lambda text, context: text.encode())
    monkeypatch.setattr(aws, "decrypt", lambda secret, context: secret.decode())
    monkeypatch.setattr(chunks, "send", lambda messages, tenant: None)
    monkeypatch.setattr(messages, "announce", lambda turn, now: ANNOUNCED.append(turn))
    with work.kind(), no_pauses(), open_network() as network:
        yield network


def claimed() -> Job:
    enqueue(spec(), NOON)
    [candidate], _ = claim.due("stockx:acme#100#0", NOON, 10)
    job = claim.claim(candidate, NOON, MINUTE)
    assert job
    return job


def begun() -> nudge.RunPlace:
    place = nudge.begin(NOON)
    assert place
    assert nudge.ask(NOON)
    return place


def given_up(place: nudge.RunPlace) -> nudge.RunPlace | None:
    nudge.give_up(place)
    return nudge.begin(NOON)


def letter() -> DeadLetter:
    finish.bury(claimed(), Failure("no"), NOON, CONFIG)
    [found] = DeadLetter.scan()
    return found


def delivery() -> deliveries.Delivery:
    name = deliveries.create("acme/1", NOON, "m", "job.dead", "{}", NOON)
    found = deliveries.find("acme/1", name)
    assert found
    return found


def wants_mail() -> mail.Row:
    return mail.change(None, "acme", mail.Wanted(("ops@acme.example", "arn:topic"), ["job.dead"]), NOON)


def mail_claimed() -> mail.Row:
    wants_mail()
    mail.call_for_mail("acme", NOON)
    [found] = mail.everybody()
    taken = mail.claim(found, NOON + MINUTE)
    assert taken
    return taken


def mail_called() -> mail.Row:
    wants_mail()
    mail.call_for_mail("acme", NOON)
    [found] = mail.everybody()
    return found


def price() -> Price:
    return Price(
        "DD1391-100",
        "stockx:us-10:USD",
        marketplace="stockx",
        size="10",
        size_system="us",
        sizes={"us": "10", "eu": "44"},
        currency="USD",
        ask="152.00",
        more={},
        observed_at=NOON,
    )


def claimed_request() -> idempotency.Claim:
    claim = idempotency.claim(ASKED, NOON)
    assert isinstance(claim, idempotency.Claim)
    return claim


def noted() -> list[str | None]:
    mail.note("acme", ("job.dead", "e1"), NOON, "text", NOON)
    return [one.text for one in mail.waiting("acme", 10)]


def of_mail(found: mail.Row | None) -> object:
    return found and (found.address, found.due_at)


# Where in a call of `tables` the condition stands.
CONDITION_AT = {"update": 3, "put": 1, "delete": 2, "transact": 0}
SOURCE = Path(sluice.__file__).parent
ASKED = idempotency.Repeatable("acme", "POST /v1/stockx/listings k", "f")
ANNOUNCED: list[Turn] = []
TRIED: deliveries.Try = {"at": NOON, "status": 500, "code": "refused", "message": "no", "ms": 1}


def admitted(_: object) -> None:
    for _ in range(3):
        handed_out.admit("stockx:acme", LIMITS, 2, NOON)


def two_seats() -> list[str]:
    return list(seats.take("ads", 2, ["ebay:a", "ebay:b"], NOON, NOON + 5).values())


def left(names: list[str]) -> list[str]:
    seats.leave("ads", names, NOON + 5)
    return two_seats()


def state(job: Job | None) -> object:
    return job and (job.state, job.lease, job.attempts)


def of_delivery(found: deliveries.Delivery | None) -> object:
    return found and (found.state, found.attempts, found.due_at, len(found.tries))


CASES: dict[str, Case] = {
    "mail: wanted": Case(lambda _: wants_mail(), told=lambda found: found.address),
    "mail: changed": Case(
        lambda before: mail.change(before, "acme", mail.Wanted(), NOON), before=wants_mail, told=of_mail
    ),
    "mail: a line": Case(lambda _: noted(), before=wants_mail),
    "mail: called for": Case(lambda _: mail.call_for_mail("acme", NOON), before=wants_mail),
    "mail: claimed": Case(lambda found: mail.claim(found, NOON + MINUTE), before=mail_called, told=of_mail),
    "mail: failing": Case(lambda found: mail.note_failing(found, failing=True, now=NOON), before=wants_mail),
    "mail: standing": Case(lambda found: mail.note_standing(found, "CONFIRMED", NOON), before=wants_mail),
    "mail: left": Case(lambda claimed: mail.leave(claimed, None, NOON), before=mail_claimed),
    "enqueue": Case(lambda _: enqueue(spec(), NOON)),
    "join": Case(lambda _: enqueue(spec(priority=keys.MANUAL), NOON), before=lambda: enqueue(spec(), NOON)),
    "rerun": Case(lambda _: enqueue(spec(), NOON), before=claimed),
    "claim": Case(lambda _: claimed(), state),
    "start": Case(lambda job: starts.start(job, NOON), before=claimed),
    "withdraw": Case(lambda job: starts.withdraw(job, NOON), before=claimed),
    "begin": Case(lambda job: finish.begin(job, {}, NOON), state, claimed),
    "wait": Case(lambda job: finish.wait(job, Waiting(NOON), NOON, CONFIG), state, claimed),
    "complete": Case(lambda job: finish.complete(job, {}, NOON, CONFIG), state, claimed),
    "retry": Case(lambda job: finish.fail(job, Failure("no"), NOON, CONFIG, chance=0), state, claimed),
    "snooze": Case(lambda job: finish.snooze(job, Failure("no"), NOON, NOON, CONFIG), state, claimed),
    "rescue": Case(lambda job: finish.rescue(job, NOON + MINUTE, CONFIG), state, claimed),
    "bury": Case(lambda job: finish.bury(job, Failure("no"), NOON, CONFIG), state, claimed),
    "cancel": Case(lambda _: cancel.cancel(spec().job_id, "acme", NOON, CONFIG), before=lambda: enqueue(spec(), NOON)),
    "nudge": Case(lambda _: nudge.ask(NOON)),
    "begin a run": Case(lambda _: [nudge.begin(NOON) for _ in range(5)]),
    "leave a run": Case(lambda place: (nudge.leave(place), nudge.begin(NOON)), before=begun),
    "give up a run": Case(given_up, before=begun),
    "remove a lane": Case(
        lambda lane: lanes.remove(lane, NOON + 11 * MINUTE),
        before=marked,
    ),
    "count": Case(
        lambda _: records.record("worker", {}, {"calls": 3}, NOON, CONFIG),
        lambda _: [item.to_dynamodb_dict()["scope"] for item in RunRecord.query("hours#worker")],
    ),
    "acknowledge": Case(lambda found: dead_letters.acknowledge(found, "me", NOON), bool, letter),
    "replay": Case(lambda found: replay.replay([found], "me", NOON, CONFIG), before=letter),
    "deliver": Case(lambda found: deliveries.deliver(found, TRIED, NOON), of_delivery, delivery),
    "fail": Case(lambda found: deliveries.fail(found, TRIED, NOON, for_good=False), of_delivery, delivery),
    "drop": Case(lambda found: deliveries.drop(found, NOON), of_delivery, delivery),
    "resend": Case(lambda found: deliveries.resend(found, NOON), of_delivery, delivery),
    "create an endpoint": Case(lambda _: endpoints.create("acme", "1", WANTED, NOON), lambda made: made[0].url),
    "renew a secret": Case(
        lambda made: (endpoints.renew_secret(made[0], NOON)[0].earlier_secret, made[1]),
        lambda both: both[0].decode() == both[1],
        lambda: endpoints.create("acme", "1", WANTED, NOON),
    ),
    "an endpoint's standing": Case(
        lambda made: endpoints.keep(made[0], made[0].standing._replace(failures=1), "it is gone", NOON),
        before=lambda: endpoints.create("acme", "1", WANTED, NOON),
    ),
    "an event's first time": Case(lambda _: [feed.as_first_told(one, NOON, DAY).at for one in (TOLD, TOLD_AGAIN)]),
    "announce a turn": Case(lambda _: turns.wake("acme", NOON, NOON), lambda _: len(ANNOUNCED), ANNOUNCED.clear),
    "take a turn": Case(lambda _: turns.take(Turn("acme", NOON), NOON), before=lambda: turns.wake("acme", NOON, NOON)),
    "leave a turn": Case(lambda _: turns.leave("acme", NOON + 1, NOON), lambda _: len(ANNOUNCED), ANNOUNCED.clear),
    "change an item": Case(
        lambda found: items.change(found, Edit(None, "120.00", None, None), NOON + 1),
        lambda found: found.cost,
        lambda: items.put("acme", DRAFT, NOON),
    ),
    "delete an item": Case(
        lambda found: items.delete("acme", found.item), before=lambda: items.put("acme", DRAFT, NOON)
    ),
    "connect": Case(lambda _: connected().token_version),
    "mark an account": Case(
        lambda found: accounts.mark("stockx:acme", Status.BROKEN, "no", NOON, found.token_version), before=connected
    ),
    "claim a refresh": Case(
        lambda found: accounts.claim_refresh("stockx:acme", found.token_version, NOON, NOON + 1), before=connected
    ),
    "reserve calls": Case(
        lambda _: [ledger.reserve_calls("stockx:acme", LIMITS, Window.at(NOON), 4) for _ in range(3)],
        lambda answers: (answers, ledger.read("stockx:acme", NOON).hour),
    ),
    "reserve slots": Case(
        lambda _: [reserve_slots("stockx:acme", LIMITS, 2, NOON).starts for _ in range(3)],
        lambda answers: (answers, ledger.read("stockx:acme", NOON).next_at),
    ),
    "admit": Case(admitted, lambda _: ledger.read("stockx:acme", NOON).admitted_until),
    "close": Case(
        lambda _: ledger.close("stockx:acme", NOON + 5, "429", NOON),
        lambda _: ledger.read("stockx:acme", NOON),
    ),
    "correct": Case(
        lambda _: ledger.correct("stockx:acme", LIMITS, Window.at(NOON), 3),
        lambda _: ledger.read("stockx:acme", NOON),
    ),
    "take seats": Case(lambda _: [seats.take("ads", 4, ["ebay:a", "ebay:b"], NOON, NOON + MINUTE) for _ in range(3)]),
    "leave seats": Case(left, before=two_seats),
    "claim a request": Case(lambda _: isinstance(idempotency.claim(ASKED, NOON), idempotency.Claim)),
    "keep an answer": Case(
        lambda claim: idempotency.keep(claim, Response(200, "text/plain", "yes"), NOON).body, before=claimed_request
    ),
    "give a request back": Case(
        idempotency.release,
        lambda _: isinstance(idempotency.claim(ASKED, NOON), idempotency.Claim),
        claimed_request,
    ),
    "store a price": Case(lambda _: prices.store(price())),
    **lost_answers.CASES,
}


def empty() -> None:
    """Nothing is stored, nor remembered."""
    for model in MODELS:
        with model.batch_write() as batch:
            for stored in model.scan():
                batch.delete(stored)
    lanes.forget()


@pytest.mark.parametrize("name", CASES)
def test_whoever_writes_hears_the_same_when_an_answer_is_lost(name: str, network: Network) -> None:
    case = CASES[name]

    def told(answers: list[Any]) -> tuple[object, int]:
        empty()
        given = case.before()
        network.sent.clear()
        network.answers = list(answers)
        answer = case.write(given)
        network.answers = []
        return case.told(answer), len(network.sent)

    calm, requests = told([])
    for lost in range(requests):
        assert told([*[None] * lost, LOST])[0] == calm, f"the answer of request {lost + 1} of {requests} was lost"


def test_a_write_is_done_once_though_others_write_before_it_is_repeated(network: Network) -> None:
    """What others write has its own token, so that ours still says that it was done."""
    enqueue(spec(), NOON)
    [candidate], _ = claim.due("stockx:acme#100#0", NOON, 10)

    network.answers = [lambda: enqueue(spec(priority=keys.MANUAL), NOON)]
    job = claim.claim(candidate, NOON, MINUTE)
    assert job
    assert (job.lease, job.state, job.rerun) == (1, "leased", keys.MANUAL)


def test_a_job_that_was_done_before_its_asker_heard_of_it_is_not_queued_again(network: Network) -> None:
    """The condition of the write holds again by then; only its token says that it was done."""
    lanes.mark("stockx:acme#100#0", NOON)

    def others() -> None:
        [candidate], _ = claim.due("stockx:acme#100#0", NOON, 10)
        job = claim.claim(candidate, NOON, MINUTE)
        assert job
        finish.complete(job, {}, NOON, CONFIG)

    network.answers = [others]
    assert enqueue(spec(), NOON).result == "created"
    assert [job.state for job in Job.scan()] == ["succeeded"]


def test_what_is_added_is_added_once_though_others_add_before_it_is_repeated(network: Network) -> None:
    """The tokens of an item that many write at once are drawn by lot, so that theirs do not hide ours."""

    def add(number: int, place: str) -> None:
        add_one = [Attribute("n_calls").add(number)]
        tables.update(RunRecord, ("hours#worker", "2026"), add_one, token=Attribute(place))

    add(1, "w0")
    network.answers = [lambda: add(10, "w1")]
    add(100, "w2")
    [found] = network.items("runs")
    assert found["n_calls"] == {"N": "111"}


def test_places_of_tokens_are_drawn_among_many() -> None:
    drawn = {tables.one_of_many("w").path[0] for _ in range(1_000)}
    assert len(drawn) == 16


# Those that other tests lose the answers of: each request of the stories of `tests/crash`, and of the records' own.
ELSEWHERE = ("listings/",)


def conditional_writes() -> set[str]:
    """Every function that makes a conditional write, `pages/told.py _step`, as its source shows."""
    found = set[str]()

    def visit(node: ast.AST, names: tuple[str, ...]) -> None:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names = (*names, node.name)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and is_conditional(node, node.func):
            found.add(f"{path.relative_to(SOURCE)} {'.'.join(names)}")
        for child in ast.iter_child_nodes(node):
            visit(child, names)

    for path in SOURCE.rglob("*.py"):
        visit(ast.parse(path.read_text("utf-8")), ())
    return found


def is_conditional(call: ast.Call, function: ast.Attribute) -> bool:
    if not (isinstance(function.value, ast.Name) and function.value.id == "tables" and function.attr in CONDITION_AT):
        return False
    given = len(call.args) > CONDITION_AT[function.attr] or "condition" in {word.arg for word in call.keywords}
    return function.attr == "transact" or given


def test_the_answer_of_every_conditional_write_is_lost_by_some_case(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new conditional write adds its case here, and says in docs/adr/027 what it relies on."""
    seen = set[str]()

    def watched(write: Callable[..., Any]) -> Callable[..., Any]:
        def made(*values: Any, **named: Any) -> Any:
            code = sys._getframe(1).f_code
            place = Path(code.co_filename)
            if place.is_relative_to(SOURCE):
                seen.add(f"{place.relative_to(SOURCE)} {code.co_qualname.replace('<locals>.', '')}")
            return write(*values, **named)

        return made

    for name in CONDITION_AT:
        monkeypatch.setattr(tables, name, watched(getattr(tables, name)))
    for case in CASES.values():
        empty()
        case.write(case.before())
    missing = sorted(one for one in conditional_writes() - seen if not one.startswith(ELSEWHERE))
    assert not missing, missing
