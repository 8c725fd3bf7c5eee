"""One word for one thing: what the glossary forbids is in no name of the package (docs/glossary.md)."""

import ast
import re
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from tests.support.source import nodes, tree

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "shared" / "sluice"

# A word in the name of a function, method or class, and what to write instead.
FORBIDDEN = {
    "look": "check, for one read of an operation, listing or page; `look_up` finds something in a catalog or directory",
    "looking": "check",
    "kick": "nudge",
    "subscription": "tracker",
    "notification": "alert, or event",
}
# Names that the glossary gives to something else, and what this should be called.
CLASSES = {
    "Refusal": "Refused, for what is refused when asked; Failure, for what failed when it ran",
    "Problem": "Refused, or FieldError",
    "Request": "HttpRequest, AskRecord or Call",
    "Write": "Update, for a write of PynamoDB",
    "Letter": "DeadLetter",
}
# What a marketplace shows has names of its own, apart from our own Listing, Product, Variant and batches of jobs.
OURS = {"Listing", "Product", "Variant", "Batch"}
# Modules whose name says too little, and their names in the glossary.
MODULES = {
    "timely": "punctual",
    "order": "fair_order, change_order",
    "ready": "find_ready",
    "shown": "redaction",
    "tokens": "jwt for our callers' tokens, access_tokens for marketplaces'",
    "task": "handler",
    "place": "handler",
}

# Public classes whose name stands in several modules, and why nobody takes one for the other.
SHARED_NAMES = {
    **dict.fromkeys(
        ("Action", "Asker", "Change", "Done", "Draft", "Record", "Result", "Snapshot", "Stats"),
        "each capability has its own of the same meaning, and none imports another's",
    ),
    **dict.fromkeys(("Price", "Product", "Status"), "what a marketplace or capability itself calls so"),
    **dict.fromkeys(
        ("Forbidden", "NotFound", "Unavailable"),
        "what we answer, and what a marketplace answers us: two trees of errors",
    ),
    **dict.fromkeys(("Backend", "Transport"), "what httpx and httpcore call so"),
    **dict.fromkeys(
        ("Page", "Place", "Session", "Table"), "the dashboard's, which imports nothing of those with the name"
    ),
    "Budget": "the row that is stored, and the same with what it means, which is read with `budgets.Budget`",
    "Sheet": "what a file of rows says: the base, and one in each capability that takes files",
    "Filter": "the base of filters, and one in each module that has a list",
    "NotSent": "a message of ours, and a call: both were certainly not sent",
    "WorkAnswer": "what a run answers, in each module that has one",
    "WrongVersion": "the answer 409, and its cause",
}


def words(name: str) -> list[str]:
    """The words of a name, in either spelling: `checkAgain`, `CheckAgain`, `check_again`."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]


@cache
def named() -> Sequence[tuple[str, ast.FunctionDef | ast.ClassDef]]:
    """Every function, method and class of the package, with its place."""
    return [
        (f"{path.relative_to(PACKAGE)}:{node.lineno} {node.name}", node)
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    ]


@pytest.mark.parametrize(("word", "instead"), FORBIDDEN.items())
def test_no_function_or_class_is_called_by_a_word_that_the_glossary_forbids(word: str, instead: str) -> None:
    wrong = [
        place
        for place, node in named()
        if word in (found := words(node.name)) and "look_up" not in "_".join(found) and found != ["look", "ups"]
    ]
    assert not wrong, f"write {instead}"


def test_a_letter_is_a_dead_letter() -> None:
    wrong = [
        place
        for place, node in named()
        for found in [words(node.name)]
        for at, word in enumerate(found)
        if word in ("letter", "letters") and found[at - 1 : at] != ["dead"]
    ]
    assert not wrong


@pytest.mark.parametrize(("name", "instead"), CLASSES.items())
def test_no_class_takes_a_name_that_means_something_else(name: str, instead: str) -> None:
    wrong = [place for place, node in named() if isinstance(node, ast.ClassDef) and node.name.strip("_") == name]
    assert not wrong, f"write {instead}"


def test_what_a_marketplace_shows_is_not_called_as_ours() -> None:
    wrong = [
        place
        for place, node in named()
        if place.startswith("marketplaces/") and isinstance(node, ast.ClassDef) and node.name in OURS
    ]
    assert not wrong, "write MarketListing, FoundProduct, FoundVariant, MarketBatch"


@pytest.mark.parametrize(("name", "instead"), MODULES.items())
def test_modules_are_called_by_what_a_person_looks_for(name: str, instead: str) -> None:
    assert not list(PACKAGE.rglob(f"{name}.py")), f"write {instead}"


def test_a_public_class_has_a_name_of_its_own() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in tree(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(str(path.relative_to(PACKAGE)))
    several = {name: found for name, found in places.items() if len(found) > 1}
    assert {name: found for name, found in several.items() if name not in SHARED_NAMES} == {}
    assert set(SHARED_NAMES) - set(several) == set(), "no longer shared: take it from the list"


def test_the_words_of_a_name_are_found_in_either_spelling() -> None:
    assert words("look_again") == ["look", "again"]
    assert words("_LookAgain2") == ["look", "again", "2"]
    assert words("HTTPLook") == ["http", "look"]
