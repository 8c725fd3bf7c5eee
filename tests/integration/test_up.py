"""`make up` as a person runs it, with the command, an invoked function, and what is kept for the next time."""

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.cloud.cloud import ROOT
from tests.support.stack import PROGRAM_SECONDS, until

SKU = ("price", "DD1391-100", "10", "--marketplace", "stockx")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Of a shell in which no stage is chosen, and the local one's files lie in a folder of the test."""
    own = {"SLUICE_LOCAL": str(tmp_path / ".local"), "SLUICE_CONFIG_FOLDER": str(tmp_path), "PYTHONPATH": str(ROOT)}
    return {name: value for name, value in os.environ.items() if name not in ("API", "TOKEN", "SANDBOX")} | own


@contextmanager
def up(environment: dict[str, str], folder: Path) -> Iterator[None]:
    """While `make up KEEP=1` runs; it is ended by Ctrl-C."""
    program = subprocess.Popen(
        [sys.executable, "-m", "local.up"],
        cwd=ROOT,
        env={**environment, "KEEP": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        until(lambda: (folder / ".local" / "env").exists() or program.poll() is not None, "make up")
        assert program.poll() is None, program.communicate()[0]
        yield
        program.send_signal(signal.SIGINT)
        said = program.communicate(timeout=PROGRAM_SECONDS)[0]
        assert (program.returncode, "nothing is left running" in said) == (0, True), said
    finally:
        program.kill()
        program.communicate()


def test_the_command_finds_what_make_up_has_started_and_what_it_keeps(
    environment: dict[str, str], tmp_path: Path
) -> None:
    def run(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PROGRAM_SECONDS,
        )

    with up(environment, tmp_path):
        assert stat.S_IMODE((tmp_path / ".local" / "env").stat().st_mode) == 0o600
        fetched = run("sluice_command", *SKU)
        assert fetched.returncode == 0, fetched.stdout + fetched.stderr
        event = str(ROOT / "events" / "scheduler_each_minute.json")
        invoked = run("local.invoke", "scheduler", event)
        assert (invoked.returncode, type(json.loads(invoked.stdout))) == (0, dict), invoked.stderr
        assert run("local.invoke", "scheduller", event).returncode == 2
        resources = json.loads((tmp_path / ".local" / "sam.json").read_text())["Resources"]
        worker = resources["WorkerFunction"]["Properties"]
        assert worker["Environment"]["Variables"]["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
        assert worker["Runtime"] == "python3.13"
        assert all(isinstance(value, str) for value in worker["Environment"]["Variables"].values())
    assert not (tmp_path / ".local" / "env").exists()
    assert "`make up`" in run("sluice_command", "jobs").stderr
    assert run("local.invoke", "scheduler", event).returncode == 2
    with up(environment, tmp_path):
        kept = run("sluice_command", *SKU, "--stored", "--json")
        assert [one["sku"] for one in json.loads(kept.stdout)["prices"]] == ["DD1391-100"]
        again = run("sluice_command", *SKU, "--force")
        assert again.returncode == 0, again.stdout + again.stderr
