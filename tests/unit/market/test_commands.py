"""`sluice golden`, `enrich`, `price` and `status`, against the real handlers."""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from local.sandbox.faults import ServerError
from sluice.platform.clock import MINUTE
from tests.support.command import SECRET, Ran, Shell, in_environment
from tests.support.wire import api_of
from tests.unit.market.world import World, item


@pytest.fixture(autouse=True)
def stage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    in_environment(monkeypatch, tmp_path)


def minute(world: World) -> None:
    world.run()
    world.clock.time += MINUTE


def shell_of(world: World, tenant: str = "acme") -> Shell:
    """A shell in whose waiting the world goes on by a minute."""
    began = world.clock.now()
    return Shell(api_of(tenant), lambda _: minute(world), lambda: (world.clock.now() - began) / 1000)


@pytest.fixture
def shell(everywhere: World) -> Shell:
    return shell_of(everywhere)


# --- golden ---


def test_the_golden_set_passes_on_every_connected_marketplace(shell: Shell) -> None:
    ran = shell.run("golden", "--seconds", "1200")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "OK: all 30 have a price"), ran.out
    assert {row[3] for row in ran.rows} == {"stockx", "alias", "ebay"}
    assert all(row[5] or row[6] for row in ran.rows)
    [row] = [row for row in ran.rows if row[1] == "CP9654" and row[3] == "stockx"]
    assert row[:5] == ["pass", "CP9654", "eu 44", "stockx", "succeeded"]
    assert ran.err.splitlines()[-1] == "30 of 30", "in a pipe, progress is lines beside the answer"


def test_prices_that_were_fetched_minutes_ago_are_not_fetched_again_and_golden_says_so(shell: Shell) -> None:
    shell.run("golden", "stockx", "--seconds", "1200")
    ran = shell.run("golden", "stockx", "--seconds", "1200")
    told = "OK: all 10 have a price; there was nothing to fetch: each was fetched minutes ago"
    assert (ran.code, ran.out.splitlines()[-1]) == (0, told)
    ran = shell.run("golden", "stockx", "ebay", "--seconds", "1200")
    told = "OK: all 20 have a price; 10 of them were fetched minutes ago, and not again"
    assert (ran.code, ran.out.splitlines()[-1]) == (0, told)


def test_a_job_that_dies_fails_its_row_alone(everywhere: World, shell: Shell) -> None:
    everywhere.sandbox.faults.set(ServerError(path="/v2/*", last=1_000))
    ran = shell.run("golden", "stockx", "ebay", "--seconds", "360000", "--json")
    checks = json.loads(ran.out)["checks"]
    assert (ran.code, [one["passed"] for one in checks]) == (1, [False] * 10 + [True] * 10)
    assert {one["state"] for one in checks if not one["passed"]} == {"dead"}
    assert "stockx GET /catalog/search" in checks[0]["why"]


def test_what_is_not_done_in_time_fails_and_says_what_it_waits_for(everywhere: World, shell: Shell) -> None:
    everywhere.pause("stockx")
    ran = shell.run("golden", "stockx", "--seconds", "120")
    assert (ran.code, {row[8] for row in ran.rows}) == (1, {"not done in time: an operator has paused stockx"})
    assert ran.out.endswith("FAILED: 10 of 10\n")


def test_a_price_that_waits_says_why_and_of_no_end_before_it_has_come(everywhere: World, shell: Shell) -> None:
    everywhere.pause("stockx")
    ran = shell.run("price", "DD1391-100", "10", "--marketplace", "stockx", "--seconds", "120")
    assert ran.err.splitlines()[0] == "0 of 1 an operator has paused stockx"


def test_refused_items_are_rows_too(world: World) -> None:
    world.connect("acme")
    ran = shell_of(world).run("golden", "alias")
    assert (ran.code, {row[4] for row in ran.rows}) == (1, {"refused"})
    assert "no alias account is connected" in ran.rows[0][8]


def test_without_an_account_it_says_what_to_do(world: World) -> None:
    ran = shell_of(world, "nobody").run("golden")
    assert ran == Ran(
        4, "", "sluice: no working marketplace account is connected: `sluice connect stockx|alias|ebay`\n"
    )


# --- price ---


def test_a_price_is_fetched_and_shown_with_the_size_as_which_it_was_taken(shell: Shell) -> None:
    ran = shell.run("price", "DD1391-100", "10", "--marketplace", "stockx")
    [[marketplace, size, ask, bid, currency, _, why]] = ran.rows
    assert (ran.code, marketplace, size, currency, why) == (0, "stockx", "us 10", "USD", "")
    assert float(ask) > float(bid) > 0
    stored = shell.run("price", "DD1391-100", "10", "--stored", "--json")
    assert (stored.code, [one["ask"] for one in json.loads(stored.out)["prices"]]) == (0, [ask])


def test_a_size_that_there_is_not_fails_with_the_reason(everywhere: World, shell: Shell) -> None:
    everywhere.finish(item())
    ran = shell.run("price", "DD1391-100", "99", "--marketplace", "stockx", "--system", "us")
    assert (ran.code, ran.rows[0][2]) == (1, "")
    assert "has no size 99" in ran.rows[0][6]


def test_nothing_stored_is_said(shell: Shell) -> None:
    assert shell.run("price", "DD1391-100", "10", "--stored") == Ran(
        1, "", "no price is stored: leave --stored out to fetch it\n"
    )


def test_watched_it_shows_the_price_each_time_that_it_changes(everywhere: World, shell: Shell) -> None:
    """A day of the sandbox's prices; the person stops it after that."""
    until = everywhere.clock.now() + 24 * 60 * MINUTE

    def rest(_: float) -> None:
        if everywhere.clock.now() > until:
            raise KeyboardInterrupt
        everywhere.run()
        everywhere.clock.time += 10 * MINUTE

    shell.rest = rest
    ran = shell.run("price", "DD1391-100", "10", "--marketplace", "stockx", "--watch", "--force", "--json")
    prices = [json.loads(line)["prices"][0]["ask"] for line in ran.out.splitlines()]
    assert ran.code == 130
    assert "stopped; " in ran.err
    assert len(prices) > 1
    assert all(before != after for before, after in pairwise(prices))


# --- status ---


def test_status_shows_the_problems_first_and_says_so_to_the_shell(everywhere: World, shell: Shell) -> None:
    assert shell.run("status").out.splitlines()[1] == "health\tdown", "its scheduler has never run"
    everywhere.run()
    ran = shell.run("status", "--json")
    found = json.loads(ran.out)
    assert (ran.code, found["health"]["status"]) == (0, "ok")
    assert [one["account"] for one in found["accounts"]] == ["stockx:acme", "alias:acme", "ebay:acme"]


def test_a_broken_account_is_a_problem(everywhere: World, shell: Shell) -> None:
    everywhere.sandbox.world.accounts.revoke("acme")
    everywhere.enqueue(item())
    minute(everywhere)
    ran = shell.run("status")
    assert ran.code == 1
    [row] = [line for line in ran.out.splitlines() if line.startswith("stockx:acme")]
    assert "EXPIRED" in row or "REVOKED" in row or "BROKEN" in row


# --- enrich ---


def test_enrich_shows_how_far_it_is_and_ends(everywhere: World, shell: Shell) -> None:
    everywhere.finish(item(), item("CP9654"))
    ran = shell.run("enrich")
    assert (ran.code, ran.out) == (0, "OK: 2 products dealt with\n")
    assert (ran.err.splitlines()[0], ran.err.splitlines()[-1]) == ("0 of 2 products", "2 of 2 products")


def test_enrich_with_nothing_to_do_says_so(shell: Shell) -> None:
    ran = shell.run("enrich")
    assert (ran.code, ran.out) == (0, "OK: nothing to do: no product is old, and none lacks a name or a picture\n")


def test_ended_in_the_middle_it_goes_on(everywhere: World, shell: Shell) -> None:
    everywhere.finish(item(), item("CP9654"))

    def stop(_: float) -> None:
        raise KeyboardInterrupt

    stopped = Shell(api_of("acme"), stop).run("enrich")
    assert stopped.code == 130
    assert stopped.err.endswith("stopped; the look-ups that wait go on; `sluice enrich` goes on with the rest\n")
    minute(everywhere)
    before = len(everywhere.calls())
    assert shell.run("enrich").out == "OK: 2 products dealt with\n"
    assert len(everywhere.calls()) == before, "the jobs went on by themselves"


def test_it_says_what_nobody_could_be_asked_for(acme: World) -> None:
    acme.finish(item())
    ran = shell_of(acme).run("enrich")
    assert ran.out.splitlines()[0] == (
        "products that nobody could be asked for: 1; connect a working alias account (`sluice connect alias`)"
    )


def test_look_ups_that_die_are_a_failure(everywhere: World, shell: Shell) -> None:
    everywhere.finish(item())
    everywhere.sandbox.faults.set(ServerError(path="/api/v1/*", last=1_000))
    ran = shell.run("enrich")
    assert (ran.code, ran.out) == (
        1,
        "FAILED: look-ups that failed: 1; `sluice dead --kind catalog.enrich` says why\n",
    )
    [row] = shell.run("dead", "--kind", "catalog.enrich").rows
    assert row[2].startswith("catalog.enrich:")


# --- a stage that is down for a while, or for good ---


@pytest.fixture
def flaky(everywhere: World) -> Callable[[int], Shell]:
    """A shell whose stage gives no answer for so many requests after the first two."""

    def made(missed: int) -> Shell:
        numbers, handlers = iter(range(1_000)), api_of("acme")

        def answer(request: httpx.Request) -> httpx.Response:
            if 2 <= next(numbers) < 2 + missed:
                raise httpx.ConnectError("[Errno 111] Connection refused", request=request)
            return handlers.handle_request(request)

        shell = shell_of(everywhere)
        shell.wire = httpx.MockTransport(answer)
        return shell

    return made


def test_watching_outlasts_a_stage_that_does_not_answer_for_a_while(flaky: Callable[[int], Shell]) -> None:
    ran = flaky(3).run("price", "DD1391-100", "10", "--marketplace", "stockx")
    assert ran.code == 0
    assert ran.err.count("this goes on watching") == 3


def test_watching_a_stage_that_is_gone_ends_with_the_reason(flaky: Callable[[int], Shell]) -> None:
    ran = flaky(1_000).run("price", "DD1391-100", "10", "--marketplace", "stockx")
    assert ran.code == 5
    assert "nothing answers at https://api.example" in ran.err
    assert SECRET not in ran.err
