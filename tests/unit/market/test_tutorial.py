"""The code of the tutorial "Add a job kind" does what the page says: its job is asked for, run, and done."""

import re
import sys
from types import ModuleType
from typing import Any

import pytest

from local.cloud.cloud import ROOT
from sluice.catalog import kinds as catalog_kinds
from sluice.jobs.model import keys, kinds
from sluice.platform.config.document import Config
from tests.unit.market.world import World

PAGE = ROOT / "docs" / "tutorials" / "add_a_job_kind.md"
Names = dict[str, Any]


def run(code: str, **known: Any) -> Names:
    """The names that a block of the page makes, given those that its reader has by then."""
    names: Names = dict(known)
    exec(compile(code, str(PAGE), "exec"), names)
    return names


@pytest.mark.parametrize(("sku", "found"), [("DD1391-100", True), ("NO-SUCH-STYLE", False)])
def test_what_the_page_adds_is_a_job_kind(acme: World, monkeypatch: pytest.MonkeyPatch, sku: str, found: bool) -> None:
    declared, handler, asked = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    kind = run(declared, **vars(catalog_kinds))["RETAIL_PRICE"]
    monkeypatch.setitem(kinds._KINDS, kind.name, kind)
    module = ModuleType("sluice.catalog.retail_price")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    vars(module).update(run(handler))

    now = acme.clock.now()
    reader = {"RETAIL_PRICE": kind, "keys": keys, "tenant": "acme", "sku": sku, "now": now, "config": Config()}
    assert run(asked, **reader)["done"].result == "created"
    assert run(asked, **reader)["done"].result == "merged"
    acme.run()
    job = acme.job(keys.job_id(kind.name, "stockx", sku))
    assert (job["state"], job["result"]) == ("succeeded", {"found": found}), job
    assert [entry.path.rpartition("/")[2] for entry in acme.calls()] == ["search"]
