"""Promotions on real conditional writes: two runs of the promotion worker at the same time."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from sluice.jobs.model.job import Job
from sluice.platform.clock import SECOND, SystemClock
from sluice.platform.config.document import Config
from sluice.platform.config.engine import Engine
from sluice.platform.config.promotions import Promotions
from sluice.platform.context import Context
from sluice.promotions import work_run
from sluice.promotions.kinds import CREATE
from tests.support.ad_sandbox import SandboxSeller, open_sandbox_seller
from tests.support.patience import SECONDS

pytestmark = pytest.mark.usefixtures("dynamodb")

DRAFTS = [str(110_551_000_000 + number) for number in range(40)]


@pytest.fixture
def ebay() -> Iterator[SandboxSeller]:
    """`acme`, connected, on the tables of a real DynamoDB."""
    with open_sandbox_seller() as seller:
        yield seller


def test_two_workers_at_the_same_time_place_each_ad_once(ebay: SandboxSeller) -> None:
    """In real time: who finds no seat waits until another worker's jobs are done."""
    ebay.clock.time = SystemClock().now()
    ebay.config = Config(promotions=Promotions(stagger_ms=0), engine=Engine(timetables={CREATE.name: (0,) * 5}))
    for draft in DRAFTS:
        ebay.publish(draft, known_after_s=0)
    campaign = ebay.sandbox.ads.add_campaign("acme", "Winter", ebay.clock.time)
    ebay.ask(*DRAFTS, campaign_id=campaign.campaign_id)
    line, clock = threading.Barrier(2), SystemClock()

    def work(_: int) -> work_run.WorkAnswer:
        line.wait()
        return work_run.run(Context(clock, ebay.config), clock.now() + int(SECONDS) * SECOND)

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(work, range(2)))
    assert all(answer["success"] for answer in answers)
    assert sum(answer["stats"]["processed"] for answer in answers) == len(DRAFTS)
    assert {job.state for job in Job.scan()} == {"succeeded"}
    assert sorted(ebay.rates()) == DRAFTS
    assert not ebay.sandbox.ads.repeated, "no ad was asked for twice"
