"""`make demo` as a person runs it: a program whose output is read and whose exit code counts."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from local.cloud.cloud import ROOT
from sluice_command.golden_set import items
from tests.support.stack import PROGRAM_SECONDS, SECONDS

# The demo, twice on one stack, with a marketplace that behaves differently each time. Everything else is as it is.
WITH_FAULTS = """
import json
from contextlib import nullcontext
from local import demo
from local.sandbox.faults import NotFound, RefuseRefresh

with demo.Laptop(configuration=json.dumps(demo.SHORT), say=print) as laptop:
    demo.Laptop = lambda **_: nullcontext(laptop)
    for fault in (RefuseRefresh(), NotFound(path="*/search")):
        laptop.sandbox.faults.set(fault)
        print("its exit code is", demo.main(), flush=True)
"""
REASONS = (
    r"stockx does not accept these credentials",
    r"market\.refresh:stockx:DD1391-100:us-10:USD is dead: .*404 Not Found",
)


class Demo:
    """The running program, in a process group of its own."""

    def __init__(self, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self.lines)

    def read_until(self, what: str) -> None:
        """Read lines until one has `what`."""
        assert self._process.stdout
        for line in self._process.stdout:
            self.lines.append(line)
            if what in line:
                return
        pytest.fail(f"ended without {what!r}:\n{self.text}")

    def interrupt(self) -> None:
        """Ctrl-C, as a terminal sends it: to the whole group."""
        os.killpg(self._process.pid, signal.SIGINT)

    def end(self) -> int:
        """The exit code, when all is read."""
        rest, _ = self._process.communicate(timeout=PROGRAM_SECONDS)
        self.lines.append(rest)
        return self._process.returncode

    def left_running(self) -> list[str]:
        """What of the program is still there: its group, and whatever answers at an address that it printed."""
        ports = {int(port) for port in re.findall(r"http://127\.0\.0\.1:(\d+)", self.text)}
        assert len(ports) >= 3, self.text
        left = [f"port {port}" for port in sorted(ports) if _answers(port)]
        try:
            os.killpg(self._process.pid, 0)
        except ProcessLookupError:
            return left
        return [*left, "a process"]

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait(timeout=SECONDS)
        if self._process.stdout:
            self._process.stdout.close()


def _answers(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def started() -> Iterator[list[Demo]]:
    demos: list[Demo] = []
    yield demos
    for demo in demos:
        demo.stop()


def test_it_stores_ten_prices_and_leaves_nothing_running(started: list[Demo]) -> None:
    demo = Demo("-m", "local.demo")
    started.append(demo)
    assert demo.end() == 0, demo.text
    assert "OK: ten prices stored" in demo.text
    assert "\x1b" not in demo.text, "plain lines when piped"
    for item in items():
        assert re.search(rf"market\.refresh:stockx:{item['sku']}:\S+ +succeeded", demo.text), demo.text
        assert re.search(rf"│ {item['sku']} +│ [\w-]+ [\d.]+ +│ \d+ +│ \d+ +│ USD +│ \d{{4}}-", demo.text), demo.text
    calls = re.search(r"counted: (\d+) of 100 an hour; over a limit: (\d+)", demo.text)
    assert calls, demo.text
    # One for the credentials and three for each SKU. On a busy machine a call may come so late that the next one comes
    # too close behind it: the marketplace refuses that one, and it is made once more.
    assert int(calls[1]) == 31 + int(calls[2]), demo.text
    sold = re.findall(r"│ [0-9a-f]{8} +│ \d+ +│ (\w+) +│ (\d+) USD +│ ([\w, ]+?) +│", demo.text)
    assert sold == [
        ("ACTIVE", "175", "CREATE ACTIVE, UPDATE ACTIVE"),
        ("ACTIVE", "180", "CREATE ACTIVE, UPDATE FAILED"),
        ("DELETED", "180", "CREATE ACTIVE, DELETE DELETED"),
    ], demo.text
    assert re.search(r"UPDATE +[0-9a-f]{8}… +FAILED: Price too low", demo.text), demo.text
    promoted = re.findall(r"│ (\d{12}) +│ succeeded +│ (\d) +│ 5\.5 % +│ \d+ +│ \d+ +│", demo.text)
    # Workers that begin at once may each find that the campaign is not shown yet, and try once more.
    assert [(listing, int(tries) >= 3) for listing, tries in sorted(promoted)] == [
        ("110551000001", True),
        ("110551000002", False),
        ("110551000003", False),
    ], demo.text
    assert "PATCH …/AJ1-CHICAGO-10 → five edits" in demo.text
    assert "  1 publish: item, offer; it published version 6" in demo.text
    assert "  /price/amount: 245 → 225" in demo.text
    assert re.search(
        r"│ AJ1-CHICAGO-11 +│ ended +│ ended +│ \d{4}-\S+ +│ AJ1-CHICAGO-11\.[0-9a-f]{12} +│", demo.text
    ), demo.text
    assert "  /status: active → ended" in demo.text
    assert demo.left_running() == []


def test_it_fails_with_the_reason_when_the_marketplace_refuses(started: list[Demo]) -> None:
    demo = Demo("-c", WITH_FAULTS)
    started.append(demo)
    assert demo.end() == 0, demo.text
    assert demo.text.count("its exit code is 1\n") == len(REASONS), demo.text
    for reason, told in zip(REASONS, re.findall("FAILED: .*", demo.text), strict=True):
        assert re.search(reason, told), demo.text
    assert "Traceback" not in demo.text
    assert demo.left_running() == []


def test_an_interrupt_leaves_nothing_running(started: list[Demo]) -> None:
    demo = Demo("-m", "local.demo")
    started.append(demo)
    demo.read_until("POST /v1/market/refresh")
    demo.interrupt()
    assert demo.end() == 130, demo.text
    assert "stopped; nothing is left running" in demo.text
    assert demo.left_running() == []
