"""`sluice list ebay`, against the real handlers and the sandbox's eBay."""

import json
from pathlib import Path

import pytest

from sluice.platform.http import routing
from tests.support.command import Shell, in_environment
from tests.support.ebay_records import SKU, document
from tests.support.ebay_seller import EbaySeller
from tests.support.ebay_wanted import IDS
from tests.support.wire import api_of


@pytest.fixture
def shell(seller: EbaySeller, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shell:
    """In whose waiting half a minute passes at the stage."""
    in_environment(monkeypatch, tmp_path)
    monkeypatch.setattr(routing, "clock", seller.clock)

    def rest(_: float) -> None:
        seller.later(31)
        seller.tick()

    return Shell(api_of("acme"), rest)


ASPECTS = {"Color": ["Red"], "Department": ["Men"], "US Shoe Size": ["10"]}


def record(**changes: object) -> str:
    """A good record of what the sandbox's seller can publish, as JSON."""
    policies = {name: {"id": one} for name, one in zip(("fulfillment", "payment", "return"), IDS, strict=True)}
    return json.dumps(document(**{"policies": policies, "location": "home", "aspects": ASPECTS, **changes}))


def test_a_record_is_published_changed_and_ended(seller: EbaySeller, shell: Shell) -> None:
    made = shell.run("list", "ebay", "create", SKU, "-", "--watch", typed=record())
    assert made.code == 0, made
    assert "state\tlive" in made.out
    [row] = shell.run("list", "ebay", "show").rows
    assert row[:4] == [SKU, "live", "1", "1"]
    changed = shell.run("list", "ebay", "change", SKU, "-", "--version", "1", "--watch", typed='{"quantity": 2}')
    assert (changed.code, "version\t2, eBay has 2" in changed.out) == (0, True)
    late = shell.run("list", "ebay", "change", SKU, "-", "--version", "1", typed='{"quantity": 1}')
    assert (late.code, late.err) == (
        4,
        "sluice: the record is at version 2; look at it again\n",
    )
    ended = shell.run("list", "ebay", "end", SKU, "--yes", "--watch")
    assert (ended.code, len(seller.live())) == (0, 0)


def test_a_record_over_a_limit_is_refused_by_its_field(shell: Shell) -> None:
    ran = shell.run("list", "ebay", "create", SKU, "-", typed=record(title="x" * 200))
    assert ran.code == 4
    assert "title " in ran.err


def test_what_is_no_json_is_a_wrong_use(shell: Shell) -> None:
    ran = shell.run("list", "ebay", "create", SKU, "-", typed="{")
    assert ran.code == 2
    assert "holds no JSON" in ran.err


def test_what_ebay_refuses_is_exit_code_1_with_its_words(shell: Shell) -> None:
    ran = shell.run("list", "ebay", "create", SKU, "-", "--watch", typed=json.dumps(document()))
    assert ran.code == 1
    assert "state\tfailed" in ran.out
    assert "why\t" in ran.out
