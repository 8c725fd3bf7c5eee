"""What each function loads: nothing that its own work does not need."""

import subprocess
import sys

import pytest

from local.cloud.cloud import ROOT

FUNCTIONS = sorted(path.parent.name for path in ROOT.glob("functions/*/handler.py"))
ROUTER = "aws_lambda_powertools.event_handler"
CALLS_NO_MARKETPLACE = {"authorizer", "job_events", "scheduler"}


def loaded(function: str) -> set[str]:
    """The modules that a process has once it has imported the function's handler."""
    code = f"import sys, functions.{function}.handler; print(*sys.modules)"
    environment = {"PYTHONPATH": f"{ROOT / 'shared'}:{ROOT}", "AWS_DEFAULT_REGION": "us-east-1"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_loads_only_what_it_needs(function: str) -> None:
    modules = loaded(function)
    never = {"boto3"}
    if "sluice.platform.http" in modules:
        never |= {"httpx", "jwt"}
    else:
        never |= {"pydantic", ROUTER}
    if function in CALLS_NO_MARKETPLACE:
        never.add("httpx")
    if function == "authorizer":
        never |= {"pynamodb", "botocore.session"}
    else:
        never.add("jwt")
    assert modules & never == set()
