"""A record of where the time of a local cloud goes: each run of a function, and each call that functions make of AWS.

```
 a call   began ─ sent ───── answered ─ ended     sent to answered: at ministack, which serves in one thread
          └ waited[0]                └ waited[1]  how long the thread had been without a core by then
```
It runs inside the ministack process, and hangs on three names of the ministack release that the lock pins; what notes
the calls is put before the script that runs each function. Lines of the record are JSON; times are epoch ns.

- A run: `what` is "run"; `function`, `process`, whether it was `nudged`, the `source` of its messages or records (a
  queue, or the table of a stream), what those are `about`, `began`, `ended`.
- A call: `what` is the operation, `on` its table, queue or function; what it is `about`; `delay`, for how many seconds
  SQS holds its message back; `thread`; `served`, the CPU time of ministack for it; `cpu` of its thread when it began
  and ended.

What something is about: a job's id, a webhook and the id of its delivery, or `turn:` and the tenant whose turn it is.
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
            "source": _source(event),
            "function": worker.func_name,
            "process": worker._proc.pid if worker._proc else 0,
            "what": "run",
            "about": [one for record in _records(event) for one in _about(record)],
            "began": began,
            "ended": time.time_ns(),
        }
        file.write(json.dumps(line) + "\n")
        return answer

    lambda_runtime.Worker.invoke = noting


def _records(event: Any) -> list[dict[str, Any]]:
    return event.get("Records", []) if isinstance(event, dict) else []


def _source(event: Any) -> str:
    """The queue, or the table whose stream it is."""
    found = next((str(one["eventSourceARN"]) for one in _records(event) if "eventSourceARN" in one), "")
    return found.rpartition("/stream/")[0].rpartition("/")[2] or found.rpartition(":")[2]


def _about(record: dict[str, Any]) -> list[str]:
    """What a message or a record of a stream is about, where that is of interest."""
    try:
        if "dynamodb" in record:
            return [record["dynamodb"]["Keys"]["job_id"]["S"]]
        found = json.loads(record["body"])
        if "detail" in found:  # an event
            return [found["detail"]["jobId"]]
        if "at" in found:
            return [f"turn:{found['tenant']}"]
        return [job["job_id"]["S"] for job in found["jobs"]]  # a batch that is handed to a worker
    except (ValueError, KeyError, TypeError):
        return []
