"""On the local cloud a run of a function is over when it has answered: nobody waits whether its log goes on."""

import json
import queue
import subprocess
import sys
from types import SimpleNamespace

import pytest
from ministack.core import lambda_runtime

from local.cloud import ends

# As ministack's script does it: a handler that leaves the last line of its log open, and two answers.
SCRIPT = """
def run():
    answers, sys.stdout = sys.stdout, sys.stderr
    for status in ("ready", "ok", "error"):
        print("log of", status, end="")
        answers.write(json.dumps({"status": status}) + "\\n")
        answers.flush()
run()
"""


def a_worker(*lines: str) -> SimpleNamespace:
    log = queue.Queue[str]()
    for line in lines:
        log.put(line)
    return SimpleNamespace(_stderr_queue=log, _proc=None)


def test_a_runs_log_is_all_up_to_its_end_and_nothing_of_the_next_run() -> None:
    worker = a_worker("a", "", "b", ends.OVER, "of the next run", f"its open line{ends.OVER}", ends.OVER)
    assert [ends.log_of_a_run(worker) for _ in range(3)] == ["a\n\nb", "of the next run\nits open line", ""]


def test_the_log_of_a_process_that_has_died_has_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ends, "DEAD_SECONDS", 0)
    assert ends.log_of_a_run(a_worker("a", "b")) == "a\nb"


def test_the_log_of_a_process_that_lives_is_waited_for() -> None:
    """What is read late would otherwise be told as the next run's."""
    patience = list[float]()

    def read(timeout: float) -> str:
        patience.append(timeout)
        return ends.OVER

    for proc in ("lives", None):
        ends.log_of_a_run(SimpleNamespace(_stderr_queue=SimpleNamespace(get=read), _proc=proc))
    assert patience == [ends.ALIVE_SECONDS, ends.DEAD_SECONDS]


def test_a_process_says_that_its_log_is_complete_before_each_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lambda_runtime, "_PYTHON_WORKER_SCRIPT", f"import json{SCRIPT}")
    monkeypatch.setattr(lambda_runtime.Worker, "_drain_stderr_bounded", None)
    ends.install()
    command = [sys.executable, "-c", lambda_runtime._PYTHON_WORKER_SCRIPT]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert [json.loads(line)["status"] for line in told.stdout.splitlines()] == ["ready", "ok", "error"]
    log = [f"log of readylog of ok{ends.OVER}", f"log of error{ends.OVER}"]
    assert told.stderr.splitlines() == log


def test_ministack_still_answers_as_the_script_expects() -> None:
    """A release with another answer would leave each run waiting for an end of its log that nobody tells."""
    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    assert "_real_stdout = sys.stdout" in script
    assert script.count('_real_stdout.write(json.dumps({"status": "') == 4
