"""`sluice promote` and `promotions`, against the real handlers."""

import json
from pathlib import Path

import pytest

from sluice.platform.clock import MINUTE
from sluice.platform.http import routing
from tests.support.ads import LISTING, Seller
from tests.support.command import Shell, in_environment
from tests.support.wire import api_of


@pytest.fixture
def shell(seller: Seller, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shell:
    """In whose waiting a minute passes at the stage."""
    in_environment(monkeypatch, tmp_path)
    monkeypatch.setattr(routing, "clock", seller.clock)
    return Shell(api_of("acme"), lambda _: seller.minutes(1))


def test_an_ad_is_followed_until_it_is_there(seller: Seller, shell: Shell) -> None:
    seller.market.known_at[LISTING] = seller.clock.time + 4 * MINUTE
    ran = shell.run("promote", LISTING, "--rate", "5.5", "--watch")
    [[listing, status, rate, tries, _, ad, _]] = ran.rows
    assert (ran.code, listing, status, rate) == (0, LISTING, "succeeded", "5.5 %")
    assert int(tries.split()[0]) > 1
    assert ad
    assert seller.market.rates() == {LISTING: "5.5"}
    assert "try 1 of 5 of " in ran.err


def test_it_is_answered_at_once_and_listed(shell: Shell) -> None:
    ran = shell.run("promote", LISTING, "--rate", "5.5")
    assert ran.code == 0
    assert ran.rows == [[LISTING, f"promotion.create:ebay:acme:{LISTING}"]]
    assert [row[:2] for row in shell.run("promotions", "--status", "pending").rows] == [[LISTING, "pending"]]
    assert json.loads(shell.run("promotions", "--json").out)["promotions"][0]["adRate"] == 5.5


def test_a_rate_that_is_none_is_refused_and_names_the_row(shell: Shell) -> None:
    ran = shell.run("promote", LISTING, "--rate", "much")
    assert ran.code == 4
    assert "batch[0].adRate" in ran.err
