"""`sluice import` and `inventory`, against the real handlers and the import's worker."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.command import Shell, in_environment
from tests.support.wire import api_of
from tests.unit.inventory.conftest import Seller

HEADER = "sku,size,sizeSystem\n"


@pytest.fixture
def shell(seller: Seller, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shell:
    """In whose waiting the worker takes what lies in its queue."""
    in_environment(monkeypatch, tmp_path)
    return Shell(api_of("acme"), lambda _: _all(seller.deliver))


def _all(deliver: Callable[[], list[str]]) -> None:
    assert deliver() == []


def test_a_file_is_followed_until_every_row_is_stored(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "stock.csv"
    file.write_text(HEADER + "DD1391-100,10,us\nCP9654,9,us\n")
    ran = shell.run("import", str(file), "--watch")
    assert (ran.code, "stored\t2 new, 0 known, 0 left as they are" in ran.out) == (0, True), ran
    assert ran.err.splitlines()[-1] == "2 of 2"
    assert {row[1] for row in shell.run("inventory").rows} == {"DD1391-100", "CP9654"}


def test_refused_rows_are_named_and_the_others_stored(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "stock.csv"
    file.write_text(HEADER + "DD1391-100,10,us\n,9,us\n")
    ran = shell.run("import", str(file), "--watch", "--json")
    assert (ran.code, json.loads(ran.out)["created"]) == (1, 1)
    assert "line 3 refused: sku " in ran.err


def test_a_file_of_which_nothing_is_good_is_refused_with_its_rows(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "stock.json"
    file.write_text(json.dumps({"items": [{"sku": "", "size": "10"}]}))
    ran = shell.run("import", str(file))
    assert ran.code == 4
    assert "refused" in ran.err


def test_a_file_that_is_not_there(shell: Shell) -> None:
    ran = shell.run("import", "nowhere.csv")
    assert ran.code == 2
    assert "'nowhere.csv' does not exist" in ran.err
