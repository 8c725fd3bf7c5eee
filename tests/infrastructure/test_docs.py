"""The documentation leads where it says: links, and the files and modules that the tutorials name."""

import re
from pathlib import Path

import pytest

from tests.support.http import route_functions

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"])
LINKS = [(page, link) for page in PAGES for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))]
# What the tutorials let the reader make is not there yet.
EXAMPLES = ("notes", "retail_price")
NAMED = [
    (page, path)
    for page in sorted((ROOT / "docs" / "tutorials").glob("*.md"))
    for path in re.findall(r"`((?:[\w.]+/)+[\w.]+\.(?:py|json|yaml|md))`", page.read_text("utf-8"))
    if not any(example in path for example in EXAMPLES)
]


def name(value: object) -> str:
    return value.name if isinstance(value, Path) else str(value)


@pytest.mark.parametrize(("page", "link"), LINKS, ids=name)
def test_each_link_leads_somewhere(page: Path, link: str) -> None:
    assert (page.parent / link).exists()


@pytest.mark.parametrize(("page", "path"), NAMED, ids=name)
def test_each_file_that_a_tutorial_names_is_there(page: Path, path: str) -> None:
    assert (ROOT / path).exists() or (ROOT / "shared" / "sluice" / path).exists()


def test_the_index_names_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")} - {"README.md"}
    assert not sorted(page for page in pages if f"]({page})" not in index and not page.startswith("adr/"))


# A route as the pages write it, such as `GET /v1/jobs/{jobId}`, and as a command asks for it.
WRITTEN = re.compile(r"\b(GET|POST|PUT|PATCH|DELETE) (/v1(?:/[\w{}.-]+)+)(?![\w/]*…)")
COMMAND = re.compile(r"curl [^\n]*?-X (?P<method>[A-Z]+)[^\n]*?\$API(?P<path>/[\w/.{}-]+)")
SERVED = [re.compile(re.sub(r"\{\w+\}", "[^/]+", key)) for key in route_functions()]
# What these pages let the reader make is not there yet.
FOR_THE_READER = ("add_a_table_and_a_route.md", "add_a_job_kind.md")


@pytest.mark.parametrize("page", [page for page in PAGES if page.name not in FOR_THE_READER], ids=name)
def test_each_route_that_a_page_names_is_served(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = {" ".join(found) for found in [*WRITTEN.findall(text), *COMMAND.findall(text)]}
    assert not sorted(key for key in named if not any(route.fullmatch(key) for route in SERVED))
