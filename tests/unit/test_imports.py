"""What each function loads: nothing that its own work does not need."""

import ast
import subprocess
import sys
from functools import cache

import pytest

from local.cloud.cloud import ROOT

FUNCTIONS = sorted(path.parent.name for path in ROOT.glob("functions/*/handler.py"))
ROUTER = "aws_lambda_powertools.event_handler"
# Heavy libraries, and the functions that have them from their start. Others load them with the work that needs them.
HEAVY: dict[str, set[str]] = {
    "boto3": set(),
    "httpx": {"webhook_sender"},
    "jwt": {"authorizer"},
    "markupsafe": {"dashboard"},
    "nh3": set(),
    "protego": set(),
    "rfc8785": {"ebay_listings", "reconciler"},
    "selectolax": set(),
    "standardwebhooks": {"webhook_sender", "webhooks"},
}


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
    never = {library for library, functions in HEAVY.items() if function not in functions}
    if "sluice.platform.http.routing" not in modules:
        never.add("pydantic")
        # The dashboard answers pages, not the API's routes.
        never |= {ROUTER} if function != "dashboard" else set()
    if function == "authorizer":
        never |= {"pynamodb", "botocore.session"}
    assert modules & never == set()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_compiles_no_pattern_before_it_needs_it(function: str) -> None:
    """A module keeps its patterns as text: `re` compiles each when it is first used, and keeps it."""
    modules, patterns = loaded(function)
    assert any(name.startswith("sluice.") for name in modules)
    assert patterns == set()


# Records that could be NamedTuples by what they say, and may not be by how they are used.
DATACLASSES = {
    ("listings.stockx.changes", "Doubt"): "stored by `asdict`, inside others",
    ("listings.stockx.changes", "Submission"): "stored by `asdict`",
    ("listings.stockx.changes", "Sent"): "stored by `asdict`, inside others",
    ("listings.stockx.request", "ListingDraft"): "compared by `asdict`",
    ("marketplaces.selling", "Terms"): "stored by `asdict`, inside others",
    ("platform.http.paging", "Filter"): "a base",
    ("prices.ask", "RefreshItem"): "its defaults are read from the class",
}


# How a field is described that is more than a name, a type and a constant.
DESCRIBES = ("field", "number", "read_by")


def _may_be_a_named_tuple(record: ast.ClassDef) -> bool:
    """Whether it is a frozen dataclass without anything that a NamedTuple lacks (ADRs 021 and 096)."""
    told = " ".join(map(ast.unparse, record.decorator_list))
    fields = [one for one in record.body if isinstance(one, ast.AnnAssign)]
    special = [
        one
        for one in record.body
        if isinstance(one, ast.FunctionDef)
        and (one.name.startswith("__") or "cached_property" in map(ast.unparse, one.decorator_list))
    ]
    described = [one for one in fields if isinstance(one.value, ast.Call) and ast.unparse(one.value.func) in DESCRIBES]
    named = [one for one in fields if ast.unparse(one.target) in ("count", "index")]
    return "dataclass(frozen=True)" in told and not (record.bases or special or described or named)


def test_records_are_not_compiled_at_each_start() -> None:
    """Python writes and compiles the methods of a dataclass whenever a process starts; bytecode does not help."""
    found = {
        (".".join(path.relative_to(ROOT / "shared/sluice").with_suffix("").parts), record.name)
        for path in (ROOT / "shared/sluice").rglob("*.py")
        for record in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(record, ast.ClassDef) and _may_be_a_named_tuple(record)
    }
    assert found == set(DATACLASSES), "make it a NamedTuple, or say here why it is none"
