"""`sluice config`, against the real handlers."""

import json
from pathlib import Path

import pytest

from tests.support.command import Shell, in_environment
from tests.support.wire import api_of
from tests.unit.api.conftest import Cloud
from tests.unit.api.test_operator_configuration import clock  # noqa: F401 - the fixture

LIMITED = '{"limits": {"stockx": {"interval_ms": 600}}}'


@pytest.fixture
def shell(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shell:
    in_environment(monkeypatch, tmp_path)
    return Shell(api_of("ops", roles="platform"))


def test_a_document_is_checked_set_shown_and_taken_back(shell: Shell) -> None:
    assert json.loads(shell.run("config", "show").out) == {}
    checked = shell.run("config", "check", "-", typed=LIMITED)
    assert (checked.code, checked.rows[0][0]) == (0, "limits")
    done = shell.run("config", "set", "-", "--version", "1", "--reason", "StockX allows more", typed=LIMITED)
    assert (done.code, done.out.splitlines()[-1]) == (0, "version 2 holds within half a minute")
    shown = shell.run("config", "show")
    assert json.loads(shown.out) == json.loads(LIMITED)
    assert shown.err.startswith("version 2, by someone@ops at 2026-11-22")
    assert json.loads(shell.run("config", "show", "--all").out)["limits"]["stockx"]["interval_ms"] == 600
    late = shell.run("config", "set", "-", "--version", "1", typed='{"engine": {"batch": 5}}')
    assert late.code == 4
    assert "version 1 is not the newest, 2 is" in late.err
    assert "changes nothing" in shell.run("config", "check", "-", typed=LIMITED).err
    assert shell.run("config", "revert", "1").out.splitlines()[-1] == "version 3 holds within half a minute"
    assert json.loads(shell.run("config", "show").out) == {}
    assert json.loads(shell.run("config", "show", "2").out) == json.loads(LIMITED)
    assert [row[0] for row in shell.run("config", "history").rows] == ["3", "2", "1"]
    assert shell.run("config", "history").rows[1][3] == "StockX allows more"


def test_a_wrong_number_is_refused_by_its_place(shell: Shell) -> None:
    ran = shell.run("config", "set", "-", typed='{"engine": {"batch": 0}}')
    assert ran.code == 4
    assert "engine.batch" in ran.err


def test_limits_are_played(shell: Shell) -> None:
    ran = shell.run("config", "what-if", "stockx:acme", "windows=50/hour,200/10s", "--days", "2")
    assert (ran.code, [row[0].partition(":")[0] for row in ran.rows]) == (0, ["now", "proposed"])
    assert "windows 50/hour,200/10s" in ran.rows[1][0]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (
            ("what-if", "stockx:acme", "interval_ms"),
            2,
            "'interval_ms' is no limit: write it as windows=50/hour,200/10s or interval_ms=600",
        ),
        (("what-if", "stockx:acme", "per_year=1"), 4, "limits "),
        (("set", "-"), 2, "holds no JSON"),
        (("revert", "9"), 4, "there is no such version"),
    ],
)
def test_what_cannot_be_is_told(shell: Shell, arguments: tuple[str, ...], code: int, words: str) -> None:
    ran = shell.run("config", *arguments, typed="{")
    assert (ran.code, words in ran.err) == (code, True), ran


def test_an_operator_of_a_tenant_may_not(shell: Shell) -> None:
    ran = Shell(api_of("acme")).run("config", "show")
    assert (ran.code, "not allowed" in ran.err) == (4, True)
