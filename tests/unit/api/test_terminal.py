"""`sluice` as a process of its own: in a real terminal, in a pipe, and stopped by Ctrl-C."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cloud.cloud import ROOT
from tests.support.served import serve
from tests.support.stack import SECONDS
from tests.unit.api.test_feed import happens
from tests.unit.api.test_operator import Work, work  # noqa: F401 - the fixture
from tests.unit.webhooks.conftest import ended

COMMAND = (sys.executable, "-m", "sluice_command")


@pytest.fixture
def environment(work: Work, tmp_path: Path) -> Iterator[dict[str, str]]:  # noqa: F811
    """Of a shell that has chosen the stage."""
    with serve() as url:
        yield {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "API": url,
            "TOKEN": "the-token",
            "SLUICE_CONFIG_FOLDER": str(tmp_path),
            "TERM": "xterm-256color",
            "COLUMNS": "100",
        }


class Terminal:
    """A program in a terminal of its own."""

    def __init__(self, environment: dict[str, str], *arguments: str) -> None:
        self._own, theirs = pty.openpty()
        self.shown = ""
        self._program = subprocess.Popen(
            [*COMMAND, *arguments], env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)

    def until(self, word: str) -> None:
        """Read until `word` is shown."""
        while word not in self.shown:
            assert self._read(), f"it ended without {word!r}: {self.shown}"

    def type(self, text: str) -> None:
        os.write(self._own, text.encode())

    def interrupt(self) -> None:
        """Ctrl-C."""
        self._program.send_signal(signal.SIGINT)

    def end(self) -> int:
        """Its exit code, when all that it shows was read."""
        while self._read():
            pass
        os.close(self._own)
        return self._program.wait(SECONDS)

    def _read(self) -> bool:
        try:
            found = os.read(self._own, 65_536)
        except OSError:  # the program has closed its side
            return False
        self.shown += found.decode(errors="replace")
        return bool(found)


def plain(shown: str) -> list[str]:
    """What a person reads: without colours, by line."""
    return [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line).rstrip() for line in shown.splitlines()]


def piped(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )


def test_a_terminal_gets_a_table_and_a_pipe_gets_tabs(work: Work, environment: dict[str, str]) -> None:  # noqa: F811
    [job_id] = work.cloud.enqueue("acme", "A-1")
    terminal = Terminal(environment, "jobs")
    assert terminal.end() == 0
    heading, row = plain(terminal.shown)[:2]
    assert heading.split()[:3] == ["job", "state", "priority"]
    assert row.split()[:2] == [job_id, "queued"]
    assert "\t" not in terminal.shown
    pipe = piped(environment, "jobs")
    assert pipe.stdout.splitlines()[1].split("\t")[:2] == [job_id, "queued"]
    assert "\x1b" not in pipe.stdout + pipe.stderr
    assert [job["jobId"] for job in json.loads(piped(environment, "jobs", "--json").stdout)["jobs"]] == [job_id]


def test_a_person_is_asked_before_much_is_done(work: Work, environment: dict[str, str]) -> None:  # noqa: F811
    work.cloud.enqueue("acme", "A-1", "A-2")
    terminal = Terminal(environment, "cancel", "--sku", "A-")
    terminal.until("cancel 2? [y/N]:")
    terminal.type("n\n")
    assert terminal.end() == 0
    assert "finished" not in terminal.shown
    assert piped(environment, "cancel", "--sku", "A-").returncode == 2, "nobody can be asked in a pipe"
    assert piped(environment, "jobs", "--state", "cancelled").stdout == ""


def test_ctrl_c_ends_cleanly_and_says_what_goes_on(work: Work, environment: dict[str, str]) -> None:  # noqa: F811
    happens(ended("dead"))
    terminal = Terminal(environment, "events", "--follow")
    terminal.until("job.dead")
    terminal.interrupt()
    assert terminal.end() == 130
    assert plain(terminal.shown)[-1] == "stopped; your work goes on"
    assert "Traceback" not in terminal.shown


def test_a_reader_who_has_enough_is_no_failure(work: Work, environment: dict[str, str]) -> None:  # noqa: F811
    work.cloud.enqueue("acme", "A-1")
    reader, writer = os.pipe()
    os.close(reader)
    program = subprocess.run([*COMMAND, "jobs"], env=environment, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (program.returncode, program.stderr) == (0, b"")


def test_a_secret_is_not_shown_while_it_is_typed(environment: dict[str, str]) -> None:
    without = {name: value for name, value in environment.items() if name not in ("API", "TOKEN")}
    assert piped(without, "use", "here", "--api", environment["API"]).returncode == 0
    terminal = Terminal(without, "login")
    terminal.until("Token: ")
    terminal.type("a-typed-secret\n")
    assert terminal.end() == 0
    assert "signed in to here" in terminal.shown
    assert "a-typed-secret" not in terminal.shown


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_get_their_completion(environment: dict[str, str], shell: str) -> None:
    done = piped(environment, "completion", shell)
    assert done.returncode == 0
    assert "_SLUICE_COMPLETE" in done.stdout
    words = {"COMP_WORDS": "sluice jobs --state ", "COMP_CWORD": "3", "_SLUICE_COMPLETE": "bash_complete"}
    assert "plain,queued" in piped({**environment, **words}).stdout
