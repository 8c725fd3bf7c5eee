"""What `make up` leaves for other terminals, and what `make invoke` says when it cannot ask."""

import socket
import stat
import subprocess
from pathlib import Path

import pytest

from local import env_file, invoke
from local.cloud.cloud import ROOT, free_port
from sluice_command import stages

EVENT = str(ROOT / "events" / "scheduler_each_minute.json")


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    folder = tmp_path / ".local"
    for name, path in (("FOLDER", folder), ("ENV", folder / "env"), ("SAM_TEMPLATE", folder / "sam.json")):
        monkeypatch.setattr(env_file, name, path)
    return folder


SETTINGS = {"API": "http://127.0.0.1:4566/x/%24default", "TOKEN": "it's a token", "AWS_REGION": "us-east-1"}


def test_a_shell_and_the_command_read_the_same(folder: Path, tmp_path: Path) -> None:
    env_file.write(SETTINGS, {})
    assert env_file.read(folder / "env") == SETTINGS
    said = subprocess.run(
        ["sh", "-c", '. ./.local/env && printf "%s\\n%s" "$API" "$TOKEN"'], cwd=tmp_path, capture_output=True, text=True
    )
    assert said.stdout.splitlines() == [SETTINGS["API"], SETTINGS["TOKEN"]]
    found = stages.of_this_machine(tmp_path)
    assert found
    assert (found.url, found.token) == (SETTINGS["API"], SETTINGS["TOKEN"])
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    env_file.remove()
    assert list(folder.iterdir()) == []


def test_a_port_that_is_taken_gives_way_to_the_next() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) > port


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["scheduller", EVENT], "FUNCTION=scheduller is none; there are accounts, api, authorizer"),
        (["", ""], "FUNCTION= is none"),
        (["scheduler", "nowhere.json"], "EVENT=nowhere.json is no file: name one, such as events/scheduler_"),
        (["scheduler", str(ROOT / "README.md")], "holds no JSON"),
        (["scheduler", str(ROOT)], "is no file"),
    ],
)
def test_what_cannot_be_invoked_is_told(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke.main(arguments) == 2
    assert words in capsys.readouterr().err


def test_without_a_local_cloud_it_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(env_file.NoLocalStage, match="start it in another terminal with `make up`"):
        env_file.read(tmp_path / "env")
