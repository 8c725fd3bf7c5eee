"""Runs inside each function's process on a local cloud that is probed: notes each call that it makes of AWS.

Its source is put before the script that runs the function, so it knows nothing but the standard library and botocore.
A line of the record: see `local.cloud.probe`.
"""

import json
import os
import threading
import time
from typing import Any

import botocore.handlers

_record = open(os.environ["PROBE_RECORD"], "a", buffering=1, encoding="utf-8")  # noqa: SIM115 - as long as the process
_now = threading.local()


def _waited() -> int:
    """For how long this thread could have run and had no core, ns since it began."""
    with open("/proc/thread-self/schedstat", encoding="ascii") as counters:
        return int(counters.read().split()[1])


def _begin(params: dict[str, Any], **_: Any) -> None:
    items = [params, *(one for write in params.get("TransactItems", ()) for one in write.values())]
    found = [(one.get("Key") or one.get("Item") or {}).get("job_id", {}) for one in items]
    _now.jobs = [one["S"] for one in found if "S" in one]
    if "MessageBody" in params and params["MessageBody"].startswith("{"):
        _now.jobs = [job["job_id"]["S"] for job in json.loads(params["MessageBody"]).get("jobs", ())]
    _now.delay = params.get("DelaySeconds", 0)
    _now.on = params.get("TableName") or params.get("FunctionName") or params.get("QueueUrl", "").rpartition("/")[2]
    _now.began, _now.waited, _now.cpu = time.time_ns(), _waited(), time.thread_time_ns()


def _sent(**_: Any) -> None:
    _now.sent = time.time_ns()


def _end(http_response: Any, model: Any, **_: Any) -> None:
    served, _, answered = http_response.headers.get("x-probe", "0:0").partition(":")
    line = {
        "function": os.environ["AWS_LAMBDA_FUNCTION_NAME"],
        "process": os.getpid(),
        "thread": threading.get_native_id(),
        "what": model.name,
        "on": _now.on,
        "jobs": _now.jobs,
        "delay": _now.delay,
        "began": _now.began,
        "sent": _now.sent,
        "answered": int(answered),
        "ended": time.time_ns(),
        "served": int(served),
        "cpu": [_now.cpu, time.thread_time_ns()],
        "waited": [_now.waited, _waited()],
    }
    _record.write(json.dumps(line) + "\n")


botocore.handlers.BUILTIN_HANDLERS += [
    ("before-parameter-build", _begin),
    ("before-send", _sent),
    ("after-call", _end),
]
