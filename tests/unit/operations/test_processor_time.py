"""The parts of which `bench poller` tells the processor time are those that an operation goes through."""

from dataclasses import replace

from bench.parts import POLLING, timed
from sluice.listings.stockx import poll_run, request
from sluice.listings.stockx.request import ListingDraft
from sluice.platform.clock import SECOND
from sluice.platform.context import Context
from tests.support.desk import USD_150, Desk

# Below the client, which this store stands in for.
BELOW = {"signing", "sending"}


def test_an_operation_goes_through_each_part(desk: Desk) -> None:
    for amount in ("150", "151"):
        request.create(ListingDraft(desk.variants[0], replace(USD_150, amount=amount)), desk.asker("acme"))
    while desk.tick():
        pass
    desk.later(30)
    with timed(POLLING) as spent:
        answer = poll_run.run(Context(desk.clock, desk.config), desk.clock.time + 90 * SECOND)
    assert answer["stats"]["completed"] == 2
    assert {name for name in POLLING if spent.parts[name] > 0} == POLLING.keys() - BELOW
