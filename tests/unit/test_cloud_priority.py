"""On the local cloud functions for which nobody waits give way to the others, which share this machine's cores."""

import os
import subprocess
import sys

import pytest
from ministack.core import lambda_runtime

from local.cloud import priority, template

FUNCTIONS = [one["Name"] for one in template.load()["Mappings"]["Functions"].values()]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> str:
    """What runs a function: here one that answers with its priority."""
    monkeypatch.setattr(lambda_runtime, "_PYTHON_WORKER_SCRIPT", "print(os.nice(0))")
    priority.install()
    return str(lambda_runtime._PYTHON_WORKER_SCRIPT)


@pytest.mark.parametrize(
    ("name", "gives_way"),
    [
        ("worker", False),
        ("operator", False),
        ("webhook-sender", False),
        *((name, True) for name in priority.NOBODY_WAITS),
    ],
)
def test_a_function_gives_way_if_nobody_waits_for_it(script: str, name: str, gives_way: bool) -> None:
    assert name in FUNCTIONS
    found = {**os.environ, "AWS_LAMBDA_FUNCTION_NAME": f"sluice-local-{name}"}
    told = subprocess.run([sys.executable, "-c", script], env=found, capture_output=True, text=True, check=True)
    assert int(told.stdout) == min(19, os.nice(0) + priority.GIVES_WAY * gives_way)
