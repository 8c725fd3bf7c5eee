"""The README's promises name tests that exist, and its links lead somewhere."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TESTS = sorted(set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", README)))
LINKS = sorted(set(re.findall(r"\]\(([^)#:]+)\)", README)))


@pytest.mark.parametrize(("file", "name"), TESTS)
def test_each_promise_names_a_test(file: str, name: str) -> None:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert name in functions if name else any(word.startswith("test_") for word in functions)


@pytest.mark.parametrize("link", LINKS)
def test_each_link_leads_somewhere(link: str) -> None:
    assert (ROOT / link).exists()


def test_every_promise_is_shown() -> None:
    rows = [
        line for line in README.split("## What it promises")[1].split("##")[0].splitlines() if line.startswith("| ")
    ]
    assert len(rows) > 2
    assert not [row for row in rows[1:] if "`tests/" not in row]
