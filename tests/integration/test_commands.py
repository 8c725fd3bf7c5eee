"""The commands that work against any stage, run as a person runs them."""

import os
import subprocess
import sys

from local.cloud.cloud import ROOT
from local.laptop import Laptop
from tests.support.stack import PROGRAM_SECONDS


def test_the_golden_set_passes_on_a_deployed_stack_and_its_catalog_has_no_gap_afterwards(laptop: Laptop) -> None:
    laptop.sandbox.faults.clear()
    laptop.connect("golden")
    environment = os.environ | {
        "API": laptop.stack.api_url,
        "TOKEN": laptop.token("golden", "operator"),
        "COLUMNS": "200",
    }

    def run(*command: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "sluice_command", *command],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PROGRAM_SECONDS,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert environment["TOKEN"] not in done.stdout + done.stderr
        return done.stdout

    assert "OK: all 30 have a price" in run("golden", "--seconds", "300").splitlines()[-1]
    assert "OK: " in run("enrich")
