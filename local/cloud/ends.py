"""One addition to ministack's Lambda: a run of a function is over as soon as it has answered.

By itself ministack looks into the log after each answer, every millisecond, until no line has come for 5 ms, and for
50 ms where a run logs nothing. Until then the API's answer is held back, and the worker, the sender or the stream's
reader takes nothing new. Here the function's process marks the end of its log before it answers.
It runs inside the ministack process, and hangs on two names of the ministack release that the lock pins.
"""

import queue
from typing import Any

from ministack.core import lambda_runtime

# No line of a log ends so.
OVER = "\x00over"
# Only a process that has died leaves its log without an end. One that lives has written it, and may be read late.
DEAD_SECONDS, ALIVE_SECONDS = 0.25, 10.0
# Put before the script that runs each function, which keeps standard output for its answers.
_IN_FUNCTION = f"""
import sys

class _Answers:
    def __init__(self, real):
        self._real, self.flush = real, real.flush

    def write(self, text):
        if not text.startswith('{{"status": "ready"'):
            print({OVER!r}, file=sys.stderr, flush=True)
        return self._real.write(text)

sys.stdout = _Answers(sys.stdout)
"""


def install() -> None:
    """Make this process's ministack take a run for over when its process says so."""
    lambda_runtime._PYTHON_WORKER_SCRIPT = _IN_FUNCTION + lambda_runtime._PYTHON_WORKER_SCRIPT
    lambda_runtime.Worker._drain_stderr_bounded = log_of_a_run


def log_of_a_run(worker: Any) -> str:
    """What the run that has just answered wrote to its log; waits until all of it has come."""
    lines = list[str]()
    patience = DEAD_SECONDS if worker._proc is None else ALIVE_SECONDS
    while True:
        try:
            line: str = worker._stderr_queue.get(timeout=patience)
        except queue.Empty:
            return "\n".join(lines)
        if line.endswith(OVER):
            return "\n".join([*lines, line.removesuffix(OVER)] if line != OVER else lines)
        lines.append(line)
