"""What an ordinary job costs to keep: below one kilobyte at every step, which is one write unit for each write."""

from sluice.jobs.model import keys
from sluice.jobs.model.job import Job, Spec
from sluice.jobs.model.outcomes import BudgetClosed, Failure
from sluice.jobs.queue import claim, finish, starts
from sluice.jobs.queue.enqueue import enqueue
from sluice.platform.clock import HOUR, MINUTE
from sluice.platform.config.document import Config
from sluice.prices.kinds import REFRESH
from tests.support.clock import VirtualClock
from tests.support.store import Answer, Item, Request, Send, Store

KILOBYTE = 1024


def size(item: Item) -> int:
    """DynamoDB's own count: names and texts in bytes of UTF-8, numbers by half of their digits and one."""
    total = 0
    for name, value in item.items():
        [(kind, content)] = value.items()
        total += len(name.encode())
        match kind:
            case "N":
                total += (len(str(content)) + 1) // 2 + 1
            case "SS":
                total += sum(len(text.encode()) for text in content)
            case "BOOL":
                total += 1
            case _:
                total += len(content.encode())
    return total


def market_job() -> Spec:
    """A refresh as the API asks for it, with an account's real length of name and a variant that is known."""
    tenant = "north-side-sneakers-and-collectibles"
    account = keys.account("stockx", tenant)
    return Spec(
        job_id=keys.job_id(REFRESH.name, "stockx", "DD1391-100", "us-10.5", "USD"),
        kind=REFRESH.name,
        tenant=tenant,
        account=account,
        budget=account,
        priority=keys.HOT,
        payload={
            "sku": "DD1391-100",
            "size": "10.5",
            "size_system": "us",
            "currency": "USD",
            "product_id": "5e6a1e57-1c7d-435a-82bd-5666a13560fe",
            "variant_id": "b8de8b5b-0d4f-4b7e-9b8f-0f3a7f4c5d1e",
            "sizes": {"us": "10.5", "uk": "9.5", "eu": "44.5", "cm": "28.5", "kr": "285"},
        },
        shared=True,
    )


def test_an_ordinary_job_stays_below_a_kilobyte_all_its_life(store: Store, clock: VirtualClock, config: Config) -> None:
    sizes: list[int] = []

    def around(request: Request, send: Send) -> Answer:
        answer = send()
        if request.operation in ("UpdateItem", "TransactWriteItems"):
            sizes.extend(size(item) for item in store.items("jobs"))
        return answer

    store.around = around
    asked = market_job()

    def run() -> Job:
        lane = Job.get(asked.job_id).lane
        [candidate], _ = claim.due(lane, clock.time, 10)
        job = claim.claim(candidate, clock.time, 5 * MINUTE)
        assert job
        assert starts.start(job, clock.time)
        return job

    enqueue(asked, clock.time)
    finish.fail(run(), BudgetClosed("stockx took no calls until noon: 429", retry_at=0), clock.time, config, chance=0)
    finish.fail(run(), Failure("stockx answered 503", code="503"), clock.time, config, chance=0)
    clock.time += HOUR
    result = {
        "price": "stockx#us-10.5#USD",
        "ask": "152.00",
        "bid": "139.00",
        "observed_at": "2026-11-22T12:00:00.000Z",
    }
    job = finish.complete(run(), result, clock.time, config)
    assert job.state == "succeeded"
    assert len(sizes) >= 7
    assert max(sizes) < KILOBYTE, f"{max(sizes)} bytes"


def test_the_most_eventful_job_stays_far_below_the_limit_of_an_item(
    store: Store, clock: VirtualClock, config: Config
) -> None:
    """Every end at its longest, more often than the timeline holds, and as many askers as are remembered."""
    asked = market_job()
    for number in range(60):
        enqueue(Spec(**{**vars(asked), "tenant": f"{'t' * 60}{number}"}), clock.time)
    for number in range(60):
        lane = Job.get(asked.job_id).lane
        [candidate], _ = claim.due(lane, clock.time, 10)
        job = claim.claim(candidate, clock.time, 5 * MINUTE)
        assert job
        enqueue(asked, clock.time)
        finish.complete(job, {"ask": "1"}, clock.time, config) if number % 3 else finish.snooze(
            job, Failure("é" * 1_000, code=f"code-{number}"), clock.time, clock.time, config
        )
    [item] = store.items("jobs")
    assert size(item) < 40 * KILOBYTE
