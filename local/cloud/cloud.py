"""One ministack on a free loopback port: start, talk to it, read its logs, stop it for certain."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.request import urlopen

import boto3
from botocore.config import Config

from local.cloud.calls import Call
from local.cloud.calls import read as read_calls
from local.cloud.memory import Memory, functions, peak_memory

ROOT = Path(__file__).parents[2]
HOST = "127.0.0.1"
REGION = "us-east-1"
START_SECONDS = 240  # only what never starts takes as long, however busy this machine is
# Whether it answers is asked again after this time: somebody else may listen there, and say nothing.
LOOK_SECONDS = 10
# In the log of a cloud whose port somebody else took just before it did, and how often another one is tried then.
TAKEN, OTHER_PORTS = "already in use", 3
# Within which a cloud that keeps its state writes it down.
STOP_SECONDS = 60


class CloudError(Exception):
    """The local cloud did not do what was asked of it."""


def free_port(wanted: int = 0) -> int:
    """A loopback port that nobody listens on now: `wanted`, else the next one above it; 0 for any."""
    for port in range(wanted, wanted + 50):
        with socket.socket() as listener, suppress(OSError):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one that was closed a moment ago is free
            listener.bind((HOST, port))
            found: int = listener.getsockname()[1]
            return found
    raise CloudError(f"no port from {wanted} to {wanted + 49} is free on this machine")


class LocalCloud:
    """A context manager. Everything that it writes lies in a temporary folder of its own.

    Every call that a function makes must pass the policies of the function's role, as in AWS.
    port: where it listens; 0 for any. keep: a folder in which it finds again what is in it when it stops, stack and
    tables and all; a stop that is none (a kill, a crash) leaves the one before. probed: it keeps a record of where the
    time goes (`probe`). windows: who reads a stream gathers records for as long as the template says; without it, each
    is handled at once.
    """

    def __init__(self, port: int = 0, keep: Path | None = None, *, probed: bool = False, windows: bool = False) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._clients: dict[str, Any] = {}
        self.folder = Path(tempfile.mkdtemp(prefix="sluice-cloud-"))
        self.port = port
        self._keep, self._probed, self._windows = keep, probed, windows

    @property
    def endpoint_url(self) -> str:
        """Where it answers, once it was started."""
        return f"http://{HOST}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs so that its AWS SDK talks to this cloud."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
        }

    @property
    def log_file(self) -> Path:
        """Where ministack writes its own log."""
        return self.folder / "ministack.log"

    @property
    def probe_file(self) -> Path:
        """Where a probed cloud keeps its record."""
        return self.folder / "probe.jsonl"

    def start(self) -> Self:
        """Start, and return when the cloud answers. A cloud that was stopped listens where it did before.

        Raises:
            CloudError: it ended or did not answer in time; carries the end of its log.
        """
        if self.port:
            return self._start()
        for _ in range(OTHER_PORTS):
            self.port = free_port()
            try:
                return self._start()
            except CloudError as error:
                if TAKEN not in str(error):
                    raise
        self.port = free_port()
        return self._start()

    def _start(self) -> Self:
        scratch = self.folder / "tmp"
        scratch.mkdir(parents=True)  # a stop has removed all of it
        # Nothing of this process's own environment: a function sees what the template gives it, as in AWS.
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.folder),
            "TMPDIR": str(scratch),
            "BIND_HOST": HOST,
            "MINISTACK_HOST": HOST,
            "GATEWAY_PORT": str(self.port),
            "IOT_MTLS_ENABLED": "0",
            "AUTH": "true",
        }
        if self._probed:
            environment["PROBE_RECORD"] = str(self.probe_file)
        if self._windows:
            environment["BATCHING_WINDOWS"] = "1"
        if self._keep:
            self._keep.mkdir(parents=True, exist_ok=True)
            environment |= {"PERSIST_STATE": "1", "STATE_DIR": str(self._keep)}
        with self.log_file.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "local.cloud.server", str(self.folder)],
                cwd=ROOT,
                env=environment | self.environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_until_ready(self._process)
        except BaseException:
            self.stop()
            raise
        return self

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            try:
                urlopen(f"{self.endpoint_url}/_ministack/health", timeout=LOOK_SECONDS).close()
            except (OSError, HTTPException):
                time.sleep(0.05)
            else:
                return
        end = self.log_file.read_text(errors="replace")[-2000:]
        raise CloudError(f"ministack did not start on {self.endpoint_url}. The end of its log:\n{end}")

    def client(self, service: str) -> Any:
        """A boto3 client for `service` on this cloud. There is one for each service."""
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,
                endpoint_url=self.endpoint_url,
                region_name=REGION,
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=Config(retries={"total_max_attempts": 1}, read_timeout=300),
            )
        return self._clients[service]

    def invoke(self, function: str, event: object) -> Any:
        """Invoke `function` (its physical name) with `event`, and return its answer.

        Raises:
            CloudError: the function failed; carries its error.
        """
        answer = self.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
        payload = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise CloudError(f"{function} failed: {payload}")
        return payload

    def logs(self, function: str) -> list[str]:
        """The log lines of `function` (its physical name), oldest first."""
        pages = self.client("logs").get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{function}")
        events = [event for page in pages for event in page["events"]]
        return [event["message"] for event in sorted(events, key=lambda event: event["timestamp"])]

    def calls(self) -> set[Call]:
        """Each kind of call that a function has made, allowed or not."""
        return read_calls(self.folder)

    def processes(self) -> dict[int, str]:
        """The function processes that are alive: the (physical) name of each one's function."""
        return functions(self._process.pid) if self._process else {}

    def peak_memory(self) -> Memory:
        """The peaks of ministack and of each function up to now."""
        return peak_memory(self._process.pid) if self._process else Memory(0, {})

    def stop(self) -> None:
        """End ministack and all its functions, and remove what they wrote. Does nothing the second time."""
        for client in list(self._clients.values()):
            client.close()
        self._clients.clear()
        if self._process:
            if self._keep and self._process.poll() is None:
                self._process.terminate()  # it writes down what it has
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(STOP_SECONDS)
            with suppress(ProcessLookupError):  # it may have ended by itself
                os.killpg(self._process.pid, signal.SIGKILL)
            if self._process.stdin:
                self._process.stdin.close()
            self._process.wait()
            self._process = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.stop()
