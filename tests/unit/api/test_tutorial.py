"""The code of the tutorial "Add a table and a route" does what the page says: a note is taken and stored."""

import re
import sys
from types import ModuleType
from typing import Any

import pytest
import yaml

from local.cloud.cloud import ROOT
from sluice.platform import aws, tables
from sluice.platform.http import routing
from tests.support import http
from tests.support.http import Context
from tests.support.store import Store
from tests.unit.api.conftest import Cloud

PAGE = ROOT / "docs" / "tutorials" / "add_a_table_and_a_route.md"
ROUTE = "PUT /v1/notes/{sku}"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def module(monkeypatch: pytest.MonkeyPatch, name: str, code: str) -> Any:
    """A module of the page, as if its file was there."""
    made = ModuleType(name)
    monkeypatch.setitem(sys.modules, name, made)
    exec(compile(code, name, "exec"), vars(made))
    return made


@pytest.fixture
def notes(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module `notes.api` of the page, its table made as the page's line of the template says."""
    table_code, api_code = blocks("python")
    [[keys]] = [yaml.safe_load(line).values() for line in blocks("yaml")]
    module(monkeypatch, "sluice.notes", "")
    model = module(monkeypatch, "sluice.notes.table", table_code).Note
    assert (model.Meta.table_name, model._hash_keyname) == (tables.name(keys["Name"]), keys["Hash"])
    aws.client("dynamodb").create_table(
        TableName=model.Meta.table_name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": keys[one], "AttributeType": "S"} for one in ("Hash", "Range")],
        KeySchema=[{"AttributeName": keys[one], "KeyType": one.upper()} for one in ("Hash", "Range")],
    )
    return module(monkeypatch, "sluice.notes.api", api_code)


@pytest.mark.parametrize(
    ("sku", "text", "status", "stored"),
    [("DD1391-100", "good box", 200, 1), ("DD1391-100", "", 400, 0), ("a.b", "good box", 400, 0)],
)
def test_what_the_page_adds_is_a_route(
    notes: Any, tables: Store, monkeypatch: pytest.MonkeyPatch, sku: str, text: str, status: int, stored: int
) -> None:
    monkeypatch.setattr(http, "route_functions", lambda: {ROUTE: "functions/notes"})
    event = http.event("PUT", f"/v1/notes/{sku}", body={"text": text})
    answer = routing.resolve(routing.app(notes.ROUTES), event, Context())  # type: ignore[arg-type]
    assert answer["statusCode"] == status, answer
    found = [(one["tenant"]["S"], one["sku"]["S"], one["text"]["S"]) for one in tables.items("notes")]
    assert found == [("acme", sku, text)] * stored
