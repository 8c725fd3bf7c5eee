"""Starts the processes of functions: it has loaded the libraries that they use, and forks itself for each.

Run by `local.cloud.starts`, which asks over a socket; its descriptor is the first argument. A request has the script,
folder and environment of a process as JSON, and the three files that are to be its standard input, output and error.
The answer has the process's id, and a file that can be read once the process has ended.
"""

import gc
import importlib
import json
import os
import runpy
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress

# What functions load besides Sluice. While it is loaded it looks at no variable that a function has of its own; Sluice
# does.
LIBRARIES = (
    "aws_lambda_powertools.event_handler",
    "aws_lambda_powertools.logging",
    "aws_lambda_powertools.metrics",
    "botocore.session",
    "concurrent.futures",
    "pynamodb.models",
)
# More than a request holds.
MOST_BYTES = 1_000_000


def main() -> None:
    """Start what is asked for until nobody can ask any more. Also returns in each process that was started."""
    with socket.socket(fileno=int(sys.argv[1])) as asked:
        for name in LIBRARIES:
            importlib.import_module(name)
        gc.collect()
        gc.freeze()  # pages that are not looked through for garbage stay shared
        while True:
            request, files, *_ = socket.recv_fds(asked, MOST_BYTES, 3)
            if not request:
                return
            _bury()
            process = os.fork()
            if process == 0:
                break
            ended = os.pidfd_open(process)
            socket.send_fds(asked, [str(process).encode()], [ended])
            for file in (ended, *files):
                os.close(file)
    run(**json.loads(request), files=files)


def run(script: str, folder: str, environment: dict[str, str], files: Sequence[int]) -> None:
    """Be a process that was started as `python SCRIPT`."""
    for own, given in enumerate(files):
        os.dup2(given, own)
        os.close(given)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv[:] = [script]
    sys.path.insert(0, os.path.dirname(script))
    runpy.run_path(script, run_name="__main__")


def _bury() -> None:
    """Take note of those that have ended. Until then nobody else gets the id of one."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


if __name__ == "__main__":
    main()
