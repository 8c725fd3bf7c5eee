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
    _now.about = [one for item in items for one in _named(item.get("Key") or item.get("Item") or {})]
    if "MessageBody" in params:
        _now.about = _in_message(params["MessageBody"])
    if "Entries" in params and "Detail" in params["Entries"][0]:
        _now.about = [json.loads(one["Detail"]).get("jobId", "") for one in params["Entries"]]
    _now.delay = params.get("DelaySeconds", 0)
    _now.on = params.get("TableName") or params.get("FunctionName") or params.get("QueueUrl", "").rpartition("/")[2]
    _now.began, _now.waited, _now.cpu = time.time_ns(), _waited(), time.thread_time_ns()


def _named(item: dict[str, Any]) -> list[str]:
    """The job, or the delivery with its webhook. A webhook's line is `webhook#due`, a place in it `time#delivery`."""
    if "delivery" in item:
        return [f"{item['webhook']['S'].partition('#')[0]} {item['delivery']['S'].rpartition('#')[2]}"]
    return [item["job_id"]["S"]] if "job_id" in item else []


def _in_message(body: str) -> list[str]:
    """The jobs that are handed to a worker, or the tenant whose turn it is."""
    found = json.loads(body) if body.startswith("{") else {}
    if "at" in found and "tenant" in found:
        return [f"turn:{found['tenant']}"]
    return [job["job_id"]["S"] for job in found.get("jobs", ())]


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
        "about": _now.about,
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
