"""A record of where the time of a local cloud goes: each run of a function, and each call that functions make of AWS.

```
 a call   began ─ sent ───── answered ─ ended     sent to answered: at ministack, which serves in one thread
          └ waited[0]                └ waited[1]  how long the thread had been without a core by then
```
It runs inside the ministack process, and hangs on three names of the ministack release that the lock pins; what notes
the calls is put before the script that runs each function. Lines of the record are JSON; times are epoch ns.

- A run: `what` is "run"; `function`, `process`, whether it was `nudged`, the `queue` of its messages and the `jobs` in
  them, `began`, `ended`.
- A call: `what` is the operation, `on` its table, queue or function; `jobs` that it is about; `delay`, for how many
  seconds SQS holds its message back; `thread`; `served`, the CPU time of ministack for it; `cpu` of its thread when it
  began and ended.
"""

import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from ministack import app as ministack
from ministack.core import lambda_runtime

HEADER = b"x-probe"
_IN_FUNCTION = Path(__file__).with_name("probe_function.py")

Send = Callable[[dict[str, Any]], Awaitable[None]]


def install(record: Path) -> None:
    """Make this process's ministack write to `record`. The functions that it runs know the path by `PROBE_RECORD`."""
    lambda_runtime._PYTHON_WORKER_SCRIPT = _IN_FUNCTION.read_text("utf-8") + lambda_runtime._PYTHON_WORKER_SCRIPT
    _tell_what_serving_took()
    _note_runs(record)


def _tell_what_serving_took() -> None:
    serve = ministack.app

    async def app(scope: dict[str, Any], receive: Any, send: Send) -> None:
        began = time.thread_time_ns()

        async def telling(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                told = f"{time.thread_time_ns() - began}:{time.time_ns()}".encode()
                message = {**message, "headers": [*message.get("headers", []), (HEADER, told)]}
            await send(message)

        await serve(scope, receive, telling)

    ministack.app = app


def _note_runs(record: Path) -> None:
    invoke = lambda_runtime.Worker.invoke
    file = record.open("a", buffering=1, encoding="utf-8")

    def noting(worker: Any, event: Any, *arguments: Any, **named: Any) -> Any:
        began = time.time_ns()
        answer = invoke(worker, event, *arguments, **named)
        line = {
            "nudged": isinstance(event, dict) and event.get("source") == "nudge",
            "queue": _queue(event),
            "function": worker.func_name,
            "process": worker._proc.pid if worker._proc else 0,
            "what": "run",
            "jobs": [job for message in _messages(event) for job in _jobs(message)],
            "began": began,
            "ended": time.time_ns(),
        }
        file.write(json.dumps(line) + "\n")
        return answer

    lambda_runtime.Worker.invoke = noting


def _records(event: Any) -> list[dict[str, Any]]:
    return event.get("Records", []) if isinstance(event, dict) else []


def _queue(event: Any) -> str:
    sources = [one.get("eventSourceARN", "") for one in _records(event) if one.get("eventSource") == "aws:sqs"]
    return str(sources[0]).rpartition(":")[2] if sources else ""


def _messages(event: Any) -> list[str]:
    return [one["body"] for one in _records(event) if isinstance(one.get("body"), str)]


def _jobs(message: str) -> list[str]:
    """The jobs of a batch that is handed to a worker; other messages have none."""
    try:
        return [job["job_id"]["S"] for job in json.loads(message)["jobs"]]
    except (ValueError, KeyError, TypeError):
        return []
