"""`make invoke FUNCTION=worker EVENT=events/worker_messages.json`: one function of the local cloud, with one event.

Prints what it answers; exit code 1 when it fails, 2 when it cannot be asked.
"""

import json
import sys
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.cloud.cloud import ROOT
from local.env_file import NoLocalStage, read
from local.laptop import STACK

# Longer than any function may run.
TIMEOUT_SECONDS = 910


class CannotInvoke(Exception):  # noqa: N818 - what is wrong
    """The function cannot be asked; says why, and what to do."""


def main(arguments: list[str]) -> int:
    """Invoke, print, and say how it went; returns the exit code."""
    try:
        [function, event] = arguments if len(arguments) == 2 else ["", ""]
        answer, failed = invoke(function, event)
    except (CannotInvoke, NoLocalStage) as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(answer, indent=2, ensure_ascii=False))
    return 1 if failed else 0


def invoke(function: str, event: str) -> tuple[Any, bool]:
    """What the function in functions/`function` answers to the event in the file `event`; and whether it failed.

    Raises:
        CannotInvoke: there is no such function or event, or nothing answers.
        NoLocalStage: `make up` does not run.
    """
    known = sorted(path.parent.name for path in ROOT.glob("functions/*/handler.py"))
    if function not in known:
        raise CannotInvoke(f"FUNCTION={function} is none; there are {', '.join(known)}")
    try:
        payload = json.loads(Path(event).read_text(encoding="utf-8"))
    except (FileNotFoundError, IsADirectoryError):
        raise CannotInvoke(f"EVENT={event} is no file: name one, such as events/{function}_….json") from None
    except ValueError as error:
        raise CannotInvoke(f"EVENT={event} holds no JSON: {error}") from None
    settings = read()
    client = boto3.client(
        "lambda",
        endpoint_url=settings["AWS_ENDPOINT_URL"],
        region_name=settings["AWS_REGION"],
        aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 1}, read_timeout=TIMEOUT_SECONDS),
    )
    try:
        answer = client.invoke(
            FunctionName=f"{STACK}-{function.replace('_', '-')}", Payload=json.dumps(payload).encode()
        )
    except (BotoCoreError, ClientError) as error:
        raise CannotInvoke(f"the local cloud does not answer ({error}): is `make up` still running?") from None
    finally:
        client.close()
    return json.loads(answer["Payload"].read()), "FunctionError" in answer


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
