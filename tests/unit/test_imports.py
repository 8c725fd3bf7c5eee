"""What each function loads: nothing that its own work does not need."""

import subprocess
import sys
from functools import cache

import pytest

from local.cloud.cloud import ROOT

FUNCTIONS = sorted(path.parent.name for path in ROOT.glob("functions/*/handler.py"))
ROUTER = "aws_lambda_powertools.event_handler"
CALLS_NO_MARKETPLACE = {"authorizer", "job_events", "scheduler"}


# What the process prints: the modules that it has, and the compiled patterns that stand in Sluice's own.
TELL = """
import re, sys
print(*sys.modules)
for name, module in sys.modules.items():
    if name.startswith("sluice."):
        print(*(f"{name}.{key}" for key, value in vars(module).items() if isinstance(value, re.Pattern)))
"""


@cache
def loaded(function: str) -> tuple[set[str], set[str]]:
    """What a process has once it has imported the function's handler: modules, and compiled patterns."""
    code = f"import functions.{function}.handler{TELL}"
    environment = {"PYTHONPATH": f"{ROOT / 'shared'}:{ROOT}", "AWS_DEFAULT_REGION": "us-east-1"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd=ROOT)
    modules, _, patterns = done.stdout.partition("\n")
    return set(modules.split()), set(patterns.split())


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_loads_only_what_it_needs(function: str) -> None:
    modules, _ = loaded(function)
    never = {"boto3"}
    if "sluice.platform.http.routing" in modules:
        never |= {"httpx", "jwt"}
    else:
        never.add("pydantic")
        # The dashboard answers pages, not the API's routes.
        never |= {ROUTER} if function != "dashboard" else set()
    if function in CALLS_NO_MARKETPLACE:
        never.add("httpx")
    if function == "authorizer":
        never |= {"pynamodb", "botocore.session"}
    else:
        never.add("jwt")
    assert modules & never == set()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_compiles_no_pattern_before_it_needs_it(function: str) -> None:
    """A module keeps its patterns as text: `re` compiles each when it is first used, and keeps it."""
    modules, patterns = loaded(function)
    assert any(name.startswith("sluice.") for name in modules)
    assert patterns == set()
