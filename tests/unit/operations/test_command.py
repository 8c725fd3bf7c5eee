"""`sluice list stockx`, against the real handlers and the sandbox's StockX."""

import json
from pathlib import Path

import pytest

from local.sandbox.outcomes import FailOperation
from sluice.platform.clock import MINUTE
from sluice.platform.http import routing
from tests.support.command import Shell, in_environment
from tests.support.desk import Desk
from tests.support.wire import api_of


@pytest.fixture
def shell(desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shell:
    """In whose waiting a minute passes at the stage."""
    in_environment(monkeypatch, tmp_path)
    monkeypatch.setattr(routing, "clock", desk.clock)

    def rest(_: float) -> None:
        desk.clock.time += MINUTE
        desk.tick()
        desk.poll()

    return Shell(api_of("acme"), rest)


def test_a_listing_is_changed_and_followed_to_its_end(desk: Desk, shell: Shell) -> None:
    listing = desk.active()
    ran = shell.run("list", "stockx", "change", listing, "--amount", "175", "--watch")
    assert (ran.code, "status\tCOMPLETED" in ran.out) == (0, True), ran
    assert desk.live()[0].amount == "175"
    [row] = shell.run("list", "stockx", "show").rows
    assert (row[0], row[1], row[4]) == (listing, "ACTIVE", "175 USD")
    shown = shell.run("list", "stockx", "show", listing, "--json")
    assert [entry["action"] for entry in json.loads(shown.out)["history"]] == ["CREATE", "UPDATE"]


@pytest.mark.parametrize(("word", "status"), [("deactivate", "INACTIVE"), ("delete", "DELETED")])
def test_a_listing_is_taken_off(desk: Desk, shell: Shell, word: str, status: str) -> None:
    listing = desk.active()
    asked = shell.run("list", "stockx", word, listing)
    assert asked.code == 0
    [job] = [line.split("\t")[1] for line in asked.out.splitlines() if line.startswith("job")]
    assert shell.run("list", "stockx", "follow", job).code == 0
    assert desk.listing(listing).status == status


def test_a_change_that_fails_is_exit_code_1_with_what_the_marketplace_said(desk: Desk, shell: Shell) -> None:
    listing = desk.active()
    desk.sandbox.faults.set(FailOperation(operation="UPDATE", reason="Price too low"))
    ran = shell.run("list", "stockx", "change", listing, "--amount", "20", "--watch")
    assert ran.code == 1
    assert "status\tFAILED" in ran.out
    assert "Price too low" in ran.out


def test_a_new_listing_of_an_unknown_sku_is_refused_and_names_the_field(shell: Shell) -> None:
    ran = shell.run("list", "stockx", "create", "NO-SUCH-1", "10", "150")
    assert (ran.code, ran.out) == (4, "")
    assert ran.err.startswith("sluice: the request is not valid: sku ")


def test_a_change_of_nothing_is_a_wrong_use(shell: Shell) -> None:
    ran = shell.run("list", "stockx", "change", "some-listing")
    assert ran.code == 2
    assert "say what to change" in ran.err


def test_a_listing_of_nobody(shell: Shell) -> None:
    ran = shell.run("list", "stockx", "delete", "some-listing")
    said = "sluice: there is no such listing; `sluice list stockx show` lists those that there are\n"
    assert (ran.code, ran.err) == (4, said)


def test_stopped_it_says_what_goes_on(desk: Desk, shell: Shell) -> None:
    listing = desk.active()

    def stop(_: float) -> None:
        raise KeyboardInterrupt

    shell.rest = stop
    ran = shell.run("list", "stockx", "deactivate", listing, "--watch")
    assert ran.code == 130
    assert "stopped; the change goes on; `sluice list stockx follow " in ran.err
