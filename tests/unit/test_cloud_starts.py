"""On the local cloud a function's process begins with its libraries loaded, and is otherwise one of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ministack.core import lambda_runtime

from local.cloud import starter, starts
from local.cloud.starts import Process, Starter, can_start, install
from local.cloud.template import load, resources
from tests.support.patience import SECONDS

pytestmark = pytest.mark.skipif(not can_start(), reason="here ministack starts processes by itself")

# Tells what a process sees of itself, then answers each line with the same.
TELL = """
import json, os, sys
print(json.dumps({
    "environment": dict(os.environ), "folder": os.getcwd(), "arguments": sys.argv, "path": sys.path,
    "name": __name__, "modules": sorted(sys.modules), "files": sorted(map(int, os.listdir("/proc/self/fd"))),
}), flush=True)
for line in sys.stdin:
    print(line.strip(), "log", file=sys.stderr, flush=True)
    print(line.strip(), flush=True)
"""


@pytest.fixture(scope="module")
def ready() -> Iterator[Starter]:
    """One that has started nothing yet."""
    found = Starter()
    yield found
    found.close()


@pytest.fixture
def script(tmp_path: Path) -> str:
    path = tmp_path / "_worker.py"
    path.write_text(TELL)
    return str(path)


def closed(process: Process) -> None:
    for file in (process.stdin, process.stdout, process.stderr):
        file.close()
    process.wait(SECONDS)


def test_a_process_has_what_it_was_given_and_the_libraries(ready: Starter, script: str, tmp_path: Path) -> None:
    folder = tmp_path / "code"
    folder.mkdir()
    process = ready.start(script, str(folder), {"GIVEN": "ä"})
    told = json.loads(process.stdout.readline())
    assert told["environment"] == {"GIVEN": "ä"}
    assert (told["folder"], told["arguments"], told["name"]) == (str(folder), [script], "__main__")
    assert told["path"][0] == str(tmp_path)
    assert set(starter.LIBRARIES) <= set(told["modules"])
    # Not of Sluice, which reads the environment while it is loaded, and nothing of the local cloud.
    assert [name for name in told["modules"] if name.partition(".")[0] in ("sluice", "local", "ministack")] == []
    assert told["files"] in ([0, 1, 2, 3], [0, 1, 2, 3, 4]), "and the folder that it looks at"
    closed(process)


def test_processes_talk_each_through_files_of_its_own(ready: Starter, script: str, tmp_path: Path) -> None:
    processes = [ready.start(script, str(tmp_path), {}) for _ in range(3)]
    for process in processes:
        process.stdout.readline()
    for number, process in enumerate(processes):
        process.stdin.write(f"{number}\n")
    assert [process.stdout.readline() for process in processes] == ["0\n", "1\n", "2\n"]
    assert [process.stderr.readline() for process in processes] == ["0 log\n", "1 log\n", "2 log\n"]
    assert len({process.pid for process in processes}) == 3
    assert [process.poll() for process in processes] == [None] * 3
    processes[0].stdin.close()  # nobody else holds its end
    assert processes[0].wait(SECONDS) == 0
    assert [process.poll() for process in processes[1:]] == [None] * 2
    for process in processes:
        closed(process)


@pytest.mark.parametrize("end", [Process.terminate, Process.kill])
def test_a_process_can_be_ended_and_waited_for(ready: Starter, script: str, tmp_path: Path, end: object) -> None:
    process = ready.start(script, str(tmp_path), {})
    process.stdout.readline()
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.01)
    assert callable(end)
    end(process)
    assert process.wait(SECONDS) == process.poll() == 0
    end(process)  # once more does nothing
    assert process.stdout.read() == ""
    closed(process)


def test_who_was_killed_by_somebody_else_has_ended(ready: Starter, script: str, tmp_path: Path) -> None:
    process = ready.start(script, str(tmp_path), {})
    os.kill(process.pid, signal.SIGKILL)
    process.wait(SECONDS)
    other = ready.start(script, str(tmp_path), {})
    assert (process.poll(), other.poll()) == (0, None)
    closed(process)
    closed(other)


def test_a_script_that_fails_says_why(ready: Starter, tmp_path: Path) -> None:
    path = tmp_path / "_worker.py"
    path.write_text("raise ValueError('no such thing')")
    process = ready.start(str(path), str(tmp_path), {})
    assert "ValueError: no such thing" in process.stderr.read()
    closed(process)


def test_processes_draw_different_chances(ready: Starter, tmp_path: Path) -> None:
    path = tmp_path / "_worker.py"
    path.write_text("import random, uuid\nprint(random.random(), uuid.uuid4())")
    processes = [ready.start(str(path), str(tmp_path), {}) for _ in range(2)]
    assert len({part for process in processes for part in process.stdout.read().split()}) == 4
    for process in processes:
        closed(process)


def test_who_forks_has_one_thread(ready: Starter, script: str, tmp_path: Path) -> None:
    closed(ready.start(script, str(tmp_path), {}))
    assert ready._process
    assert len(os.listdir(f"/proc/{ready._process.pid}/task")) == 1


def test_where_the_starter_was_killed_the_next_start_has_another(script: str, tmp_path: Path) -> None:
    starter_ = Starter()
    before = starter_.start(script, str(tmp_path), {})
    assert starter_._process
    starter_._process.kill()
    starter_._process.wait()
    after = starter_.start(script, str(tmp_path), {})
    for process in (before, after):
        assert json.loads(process.stdout.readline())["environment"] == {}
        assert process.poll() is None
    starter_.close()
    for process in (before, after):
        closed(process)
    assert before.poll() == after.poll() == 0, "they end with what they read, though nobody is left who has begun them"


def test_a_starter_that_cannot_load_a_library_says_so(
    monkeypatch: pytest.MonkeyPatch, script: str, tmp_path: Path
) -> None:
    broken = tmp_path / "starter.py"
    broken.write_text("raise SystemExit('no such library')")
    monkeypatch.setattr(starts, "_STARTER", broken)
    starter_ = Starter()
    for _ in range(2):
        with pytest.raises(OSError, match=r"has ended|Broken pipe|reset by peer"):
            starter_.start(script, str(tmp_path), {})
    starter_.close()


def test_what_the_libraries_look_at_while_they_are_loaded_no_function_has_its_own_of() -> None:
    spy = f"""
import importlib, os
seen, real = set(), type(os.environ).__getitem__
type(os.environ).__getitem__ = lambda self, name: seen.add(name) or real(self, name)
for name in {starter.LIBRARIES!r}:
    importlib.import_module(name)
print(*seen)
"""
    seen = subprocess.run([sys.executable, "-c", spy], capture_output=True, text=True, check=True).stdout.split()
    assert "PYNAMODB_CONFIG" in seen
    given = load()["Globals"]["Function"]["Environment"]["Variables"].keys()
    for _, function in resources(load(), "AWS::Serverless::Function"):
        given |= function.get("Environment", {}).get("Variables", {}).keys()
    assert given & set(seen) == set()


def test_where_the_system_has_no_such_files_ministack_starts_processes_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(os, "pidfd_open")
    monkeypatch.setattr(lambda_runtime, "subprocess", subprocess)
    install()
    assert lambda_runtime.subprocess is subprocess


def test_ministack_starts_python_functions_so_and_nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = list[tuple[str, str, dict[str, str]]]()
    monkeypatch.setattr(Starter, "start", lambda _, *given: asked.append(given))
    monkeypatch.setattr(lambda_runtime, "subprocess", subprocess)
    install()
    lambda_runtime.subprocess.Popen([sys.executable, "/f/_worker.py"], cwd="/f", env={"A": "1"}, stdin=-1)
    assert asked == [("/f/_worker.py", "/f", {"A": "1"})]
    with lambda_runtime.subprocess.Popen(["true"], cwd=tmp_path) as other:
        assert other.wait() == 0
    assert len(asked) == 1
