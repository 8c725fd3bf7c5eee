"""One addition to ministack's Lambda: a function's process begins with its libraries loaded.

By itself ministack starts an interpreter for each, which loads the same libraries anew: a fifth of a second of a core,
for each of thirty functions and each further process of one. Here they are forked from one process that has loaded
them (`local.cloud.starter`). What a function sees is the same: its own script, environment, folder and modules of
Sluice. It runs inside the ministack process, and hangs on one name of the ministack release that the lock pins. Linux
alone has what it needs; elsewhere ministack starts processes as before.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ministack.core import lambda_runtime

_STARTER = Path(__file__).with_name("starter.py")
# As ministack names the script of a Python function.
SCRIPT = "_worker.py"
# More than an answer holds.
MOST_BYTES = 100


def can_start() -> bool:
    """Whether this system has what processes are watched and ended with: Linux since 5.3."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return True


def install() -> None:
    """Have this process's ministack start the processes of Python functions so."""
    if not can_start():
        return
    starter = Starter()

    def start(command: Sequence[str], **more: Any) -> Any:
        if Path(command[-1]).name != SCRIPT:
            return subprocess.Popen(command, **more)
        return starter.start(command[-1], more["cwd"], more["env"])

    lambda_runtime.subprocess = SimpleNamespace(**vars(subprocess) | {"Popen": start})


class Process:
    """A process that was started. Has as much of `subprocess.Popen` as ministack uses."""

    def __init__(self, pid: int, ended: int, stdin: int, stdout: int, stderr: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = ended
        weakref.finalize(self, os.close, ended)
        self.stdin = os.fdopen(stdin, "w", buffering=1, encoding="utf-8")
        self.stdout = os.fdopen(stdout, encoding="utf-8")
        self.stderr = os.fdopen(stderr, encoding="utf-8")

    def poll(self) -> int | None:
        """None while it runs; how it ended nobody asks."""
        return self._look(0)

    def wait(self, timeout: float) -> int:
        """Wait until it has ended.

        Raises:
            TimeoutExpired: it did not within `timeout` seconds.
        """
        if self._look(timeout) is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout)
        return 0

    def terminate(self) -> None:
        """Ask it to end."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self._send(signal.SIGKILL)

    def _look(self, seconds: float) -> int | None:
        if self.returncode is None:
            looked = select.poll()
            looked.register(self._ended, select.POLLIN)
            self.returncode = 0 if looked.poll(seconds * 1_000) else None
        return self.returncode

    def _send(self, number: int) -> None:
        if self.poll() is None:
            signal.pidfd_send_signal(self._ended, number)


class Starter:
    """Has processes started by one that has the libraries loaded. That one starts when it is needed, and anew when it
    has ended; those that it has started go on without it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, script: str, folder: str, environment: Mapping[str, str]) -> Process:
        """`python SCRIPT` in `folder`, with `environment`, and pipes for its standard files.

        Raises:
            OSError: it could not be started.
        """
        request = {"script": script, "folder": folder, "environment": dict(environment)}
        (own_in, stdin), (stdout, own_out), (stderr, own_err) = (os.pipe() for _ in range(3))
        given = [own_in, own_out, own_err]
        try:
            with self._lock:
                pid, ended = self._ask(json.dumps(request).encode(), given)
        except BaseException:
            for file in (stdin, stdout, stderr):
                os.close(file)
            raise
        finally:
            for file in given:
                os.close(file)
        return Process(pid, ended, stdin, stdout, stderr)

    def close(self) -> None:
        """Start no more. Those that were started go on."""
        if self._asked and self._process:
            self._asked.close()
            self._process.wait()
            self._asked = None

    def _ask(self, request: bytes, files: Sequence[int]) -> tuple[int, int]:
        """The id of the process that was started, and what can be read once it has ended."""
        if self._process and self._process.poll() is not None:
            self.close()
        asked = self._asked = self._asked or self._begin()
        socket.send_fds(asked, [request], files)
        answer, ended, *_ = socket.recv_fds(asked, MOST_BYTES, 1)
        if not answer:
            raise OSError("the process that starts those of functions has ended")
        return int(answer), ended[0]

    def _begin(self) -> socket.socket:
        """Start the process that starts others; returns where it is asked. It ends when nobody can ask any more."""
        own, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its:
            command = [sys.executable, "-P", str(_STARTER), str(its.fileno())]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[its.fileno()])
        return own
