"""checkov's findings are mended, or named in one file with a reason; CI runs it."""

from pathlib import Path
from typing import Any

import yaml

from local.cloud.cloud import ROOT

FILE = ROOT / ".checkov.yaml"


def configuration() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return found


def test_each_finding_that_is_left_has_a_reason_of_its_own() -> None:
    lines = FILE.read_text(encoding="utf-8").splitlines()
    named = [number for number, line in enumerate(lines) if line.startswith("  - CKV")]
    assert len(named) == len(set(configuration()["skip-check"])) == len(configuration()["skip-check"])
    assert all(lines[number - 1].startswith("  # ") and len(lines[number - 1]) > 40 for number in named)


def test_a_reason_names_files_that_there_are() -> None:
    named = [word.strip("().,") for word in FILE.read_text(encoding="utf-8").split() if word.startswith("tests/")]
    assert named
    assert [path for path in named if not Path(ROOT / path).exists()] == []


def test_nobodys_file_or_finding_is_left_out_besides() -> None:
    """checkov can be told in the template itself to look away; here there is one place for that."""
    assert configuration().keys() == {"file", "framework", "skip-download", "compact", "quiet", "skip-check"}
    assert "checkov:skip" not in (ROOT / "template.yaml").read_text(encoding="utf-8")


def test_it_runs_without_a_network_and_before_the_tests_in_ci() -> None:
    assert configuration()["skip-download"] is True
    assert "checkov --config-file .checkov.yaml" in (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "make validate scan build" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
