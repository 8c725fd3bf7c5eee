"""What each function loads: nothing that its own work does not need."""

import subprocess
import sys

import pytest

from local.cloud.cloud import ROOT

NEVER = {
    "enqueue": {"httpx", "boto3", "jwt"},
    "api": {"httpx", "boto3", "jwt"},
    "accounts": {"httpx", "boto3", "jwt"},
    "authorizer": {"httpx", "boto3", "pydantic", "pynamodb", "botocore.session", "aws_lambda_powertools.event_handler"},
    "scheduler": {"httpx", "boto3", "pydantic", "jwt", "aws_lambda_powertools.event_handler"},
    "worker": {"boto3", "pydantic", "jwt", "aws_lambda_powertools.event_handler"},
}


def test_every_function_is_looked_at() -> None:
    assert {path.parent.name for path in ROOT.glob("functions/*/handler.py")} == set(NEVER)


@pytest.mark.parametrize("function", NEVER)
def test_a_function_loads_only_what_it_needs(function: str) -> None:
    code = f"import sys, functions.{function}.handler; print(*sys.modules)"
    environment = {"PYTHONPATH": f"{ROOT / 'shared'}:{ROOT}", "AWS_DEFAULT_REGION": "us-east-1"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert NEVER[function] & set(done.stdout.split()) == set()
