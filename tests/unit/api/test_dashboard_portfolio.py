"""The dashboard's pages of what a seller owns. Without a browser."""

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sluice.dashboard import drawings
from sluice.dashboard.pages import portfolio, portfolio_prices
from sluice.dashboard.parts import NONE
from sluice.inventory import rules, worker
from sluice.inventory.table import Item
from sluice.jobs.model.job import Job
from sluice.platform import aws
from sluice.platform.config.document import Config
from sluice.platform.context import Context
from tests.support import dashboard, dashboard_page, dashboard_shop
from tests.support.clock import VirtualClock
from tests.support.dashboard import Shown
from tests.support.dashboard_page import form_of, look, send, signed_in
from tests.support.http import call
from tests.unit.api.conftest import Cloud

LIST = "/dashboard/portfolio"
GOOD = {"sku": "DZ5485-612", "size": "9.5", "sizeSystem": "us", "cost": "90.00", "currency": "USD"}


@pytest.fixture
def item(acme: Cloud, monkeypatch: pytest.MonkeyPatch) -> str:
    """The page of an item that `acme` owns, priced at StockX and Alias."""
    monkeypatch.setattr(aws, "invoke", dashboard.api)
    things = acme.filled("a shop", lambda: dashboard_shop.fill(acme))
    return next(one for one in things if one.startswith(f"{LIST}/item?"))


def row(shown: Shown, name: str) -> list[str]:
    """What stands in the cells of the first row that has `name`."""
    rows = re.findall(r"<tr>(.*?)</tr>", shown.text, re.DOTALL)
    found = next(one for one in rows if f">{name}<" in one and "<td" in one)
    cells = re.findall(r"<td[^>]*>(.*?)</td>", found, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]*>", " ", unescape(one)).split()) for one in cells]


def test_what_is_owned_stands_with_its_prices_side_by_side(item: str) -> None:
    *cells, age = row(look(LIST, signed_in("user")), "Harbour Runner")
    assert cells == [
        "Harbour Runner", "DD1391-100", "US 10", "3", "2 at 110 USD, 1 at 95.50 USD",
        "150 USD bid 120.50", "148.25 USD bid 131", NONE, "17.25 USD",
    ]  # fmt: skip
    assert age.endswith(" min")


def test_an_item_has_its_prices_drawn_its_spread_and_its_lots(item: str) -> None:
    shown = look(item, signed_in("user"))
    assert row(shown, "StockX")[:5] == ["StockX", "150 USD", "120.50 USD", "29.50 USD", "USD"]
    assert row(shown, "eBay")[1:] == [NONE, NONE, NONE, "USD", NONE, NONE, "not known yet; it is being asked for"]
    assert "Lowest ask less highest bid: 17.25 USD." in shown.text
    assert shown.text.count("<circle") == 4
    assert row(shown, "2") == ["2", "110 USD"]
    assert row(shown, "1") == ["1", "95.50 USD"]


def test_a_user_of_another_tenant_sees_nothing_of_it(item: str) -> None:
    theirs = signed_in("user", tenant="globex")
    assert "Harbour Runner" not in look(LIST, theirs).text
    assert look(item, theirs).status == 404


@pytest.mark.parametrize(
    ("query", "is_shown"),
    [("sku=DD1391", True), ("sku=XX", False), ("size=10&sizeSystem=us", True), ("size=9", False),
     ("marketplace=ebay", True), ("category=nothing", False)],
)  # fmt: skip
def test_what_is_looked_for_stands_in_the_address(item: str, query: str, is_shown: bool) -> None:
    assert ("Harbour Runner" in look(f"{LIST}?{query}", signed_in()).text) is is_shown


@pytest.mark.parametrize("field", ["sizeSystem", "marketplace"])
def test_a_hand_made_address_shows_the_page_with_the_reason_at_its_field(item: str, field: str) -> None:
    shown = look(f"{LIST}?{field}=wrong", signed_in())
    assert shown.status == 400
    assert f'id="wrong-{field}"' in shown.text


# Pictures


@pytest.mark.parametrize(
    ("category", "drawing"),
    [("sneakers", "sneakers"), ("Trading Cards", "trading-cards"), ("collectibles", "collectibles"), (None, "default")],
)
def test_what_is_owned_is_drawn_by_its_category_once_a_page(category: str | None, drawing: str) -> None:
    one = {"category": category, "image": "https://images.example/foreign.jpg"}
    assert f'href="#drawing-{drawing}"' in drawings.picture(one)
    drawn = str(drawings.drawn([one, one]))
    assert drawn.count(f'id="drawing-{drawing}"') == 1
    assert "<path" in drawn
    assert drawn.count("<svg") == drawn.count("</svg>") == 1
    assert "foreign" not in drawings.picture(one) + drawn


def test_a_picture_of_a_marketplace_is_not_asked_for(item: str) -> None:
    for page in (LIST, item):
        text = look(page, signed_in()).text
        assert "<img" not in text
        assert 'href="#drawing-' in text


# Adding, fetching prices, removing


def added(form: dict[str, str], who: dict[str, str]) -> Shown:
    return send(LIST, {**form_of(look(LIST, who), "Add it"), **form}, who)


def test_an_item_is_added_once_and_its_prices_asked_for(item: str, acme: Cloud) -> None:
    who = signed_in()
    form = {**form_of(look(LIST, who), "Add it"), **GOOD, "quantity": "2"}
    done = [send(LIST, form, who) for _ in range(2)]
    assert [one.status for one in done] == [303, 303]
    assert done[0].to == done[1].to
    shown = look(done[0].to, who).text
    assert "DZ5485-612" in shown
    assert "90 USD" in shown
    [stored] = [one for one in Item.query("acme") if "DZ5485" in one.sku]
    assert [lot.quantity for lot in stored.units] == [2]
    assert [one for one in Job.scan() if "stockx:DZ5485" in one.job_id]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"sku": ""}, "sku"), ({"size": ""}, "size"), ({"size": "?!"}, "size"), ({"cost": "110,50"}, "cost"),
     ({"currency": "XXXX"}, "currency"), ({"quantity": "many"}, "quantity"), ({"quantity": "0"}, "quantity"),
     ({"sizeSystem": "wrong"}, "sizeSystem"), ({"category": "x" * 999}, "category")],
)  # fmt: skip
def test_an_item_that_cannot_be_is_refused_at_its_field_which_keeps_what_was_written(
    item: str, wrong: dict[str, str], field: str, acme: Cloud
) -> None:
    who, before = signed_in(), acme.content()
    shown = added({**GOOD, **wrong}, who)
    assert shown.status == 400
    assert f'id="wrong-{field}"' in shown.text
    assert wrong.get("sku", 'value="DZ5485-612"') in shown.text
    after = acme.content()
    assert {**after, "sessions": [], "idempotency": []} == {**before, "sessions": [], "idempotency": []}


def test_prices_of_one_item_are_fetched_now_and_where_they_cannot_be_it_says_why(item: str) -> None:
    who = signed_in()
    form = form_of(look(item, who), "Fetch its prices now")
    done = [send(f"{LIST}/refresh", form, who) for _ in range(2)]
    told = [re.findall(r"<li>(\w+) <span[^>]*>([\w ]+)</span>(.*?)</li>", one.text) for one in done]
    assert told[0] == told[1]
    assert [one[:2] for one in told[0]] == [("StockX", "raised"), ("Alias", "refused"), ("eBay", "created")]
    assert "no alias account is connected" in told[0][1][2]
    # The page that comes of it is that of the item, with its own address in what leads on.
    assert f'href="{LIST}/refresh' not in done[0].text
    assert f'name="back" value="{item}"' in done[0].text


def test_prices_of_all_are_fetched_behind_the_answer(item: str, acme: Cloud) -> None:
    who = signed_in()
    form = form_of(look(LIST, who), "Fetch all prices now")
    queued = len(acme.queued)
    done = [send(f"{LIST}/refresh", form, who) for _ in range(2)]
    assert "Of about 1 in all" in done[0].text
    assert len(acme.queued) == queued + 1, "asked for once"


def test_an_item_is_removed_once(item: str) -> None:
    who = signed_in()
    form = form_of(look(item, who), "Remove")
    assert [send(f"{LIST}/remove", form, who).to for _ in range(2)] == [LIST] * 2
    assert list(Item.query("acme")) == []
    assert look(item, who).status == 404


# Imports


FILE = b"sku,size,cost\nDZ5485-612,9.5,90\nDD1391-100,10,105\nDZ5485-613,,1\n"
TYPE = {"sec-fetch-site": "same-origin", "content-type": "multipart/form-data; boundary=----x"}


def upload(who: dict[str, str], file: bytes = b"", **fields: str) -> Shown:
    """Send the form of imports as a browser does, with a file."""
    texts = {**form_of(look(LIST, who), "Import it"), **fields}
    return posted(who, texts, file)


def posted(who: dict[str, str], texts: dict[str, str], file: bytes) -> Shown:
    heads = [(f'name="{name}"', value.encode()) for name, value in texts.items()]
    heads.append(('name="file"; filename="items.csv"\r\nContent-Type: text/csv', file))
    pieces = [b"------x\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % (h.encode(), v) for h, v in heads]
    body = (b"".join(pieces) + b"------x--\r\n").decode()
    return dashboard.request("POST", f"{LIST}/import", cookies=who, headers=TYPE, body=body)


def deliver(acme: Cloud) -> None:
    """Have the worker store what was sent."""
    found, acme.queued = {str(number): one for number, one in enumerate(acme.queued)}, []
    assert worker.work(found, Context(VirtualClock(acme.now), Config())) == []


@pytest.mark.parametrize("as_file", [True, False])
def test_a_file_or_its_rows_are_imported_once_and_followed(item: str, acme: Cloud, as_file: bool) -> None:
    who = signed_in()
    deliver(acme)
    texts = {**form_of(look(LIST, who), "Import it"), "rows": "" if as_file else FILE.decode()}
    done = [posted(who, texts, FILE if as_file else b"") for _ in range(2)]
    assert [one.status for one in done] == [303, 303]
    assert done[0].to == done[1].to
    shown = look(done[0].to, who)
    assert 'data-refresh="10"' in shown.text
    assert "0 of up to 2" in shown.text
    assert row(shown, "4") == ["4", "size", "must not be empty"]
    deliver(acme)
    after = look(done[0].to, who)
    assert "data-refresh" not in after.text
    assert "<dt>items that are new</dt><dd>1</dd>" in after.text
    assert "<dt>items left alone</dt><dd>1</dd>" in after.text, "a cost does not say which of its units are gone"
    assert [one.sku for one in Item.query("acme") if one.size == "9.5"] == ["DZ5485-612"]


@pytest.mark.parametrize(
    ("file", "rows", "field"),
    [
        (b"", "", "rows"),
        (b"", "what,ever\n1,2", "rows"),
        (b"what,ever\n1,2", "", "file"),
        (FILE, "sku,size\nA,1", "rows"),
    ],
)
def test_what_is_no_file_is_refused_at_its_field_and_changes_nothing(
    item: str, acme: Cloud, file: bytes, rows: str, field: str
) -> None:
    who, before = signed_in(), acme.content()
    shown = upload(who, file, rows=rows)
    assert shown.status == 400
    assert f'id="wrong-{field}"' in shown.text
    assert rows.strip() in unescape(shown.text)
    after = acme.content()
    assert {**after, "sessions": [], "idempotency": []} == {**before, "sessions": [], "idempotency": []}


def test_rows_that_are_all_refused_say_which_columns(item: str) -> None:
    shown = upload(signed_in(), rows="sku,size\n,10\nA,")
    assert shown.status == 400
    assert 'role="alert"' in shown.text
    assert "size: " in shown.text


def test_a_form_with_a_file_of_another_session_is_refused(item: str) -> None:
    texts = form_of(look(LIST, signed_in()), "Import it")
    assert posted(signed_in(), texts, FILE).status == 403


def test_a_form_that_is_too_large_says_so(item: str) -> None:
    who = signed_in()
    shown = posted(who, form_of(look(LIST, who), "Import it"), b"x" * 4 * 1024 * 1024)
    assert shown.status == 413
    assert "are allowed" in shown.text


def test_the_choice_of_size_systems_and_the_names_of_marketplaces_are_those_of_the_api() -> None:
    assert portfolio.SIZE_SYSTEMS == rules.SIZE_SYSTEMS
    assert tuple(portfolio_prices.NAMES) == rules.MARKETPLACES


# What is worked out


def of(*prices: tuple[str | None, str | None, str, int | None]) -> dict[str, Any]:
    return {"prices": [{"ask": ask, "bid": bid, "currency": c, "ageSeconds": age} for ask, bid, c, age in prices]}


@pytest.mark.parametrize(
    ("prices", "spread", "age"),
    [
        ([], None, None),
        ([(None, None, "USD", None)], None, None),
        ([("150", None, "USD", 5)], None, 5),
        ([("150", "120.50", "USD", 5), ("148.25", "131", "USD", 90)], "17.25 USD", 90),
        ([("150", None, "USD", 5), (None, "131", "USD", None)], "19 USD", 5),
        ([("120", "90", "USD", 5), ("150", "130", "USD", 6)], "-10 USD", 6),
        ([("150", "120", "USD", 5), ("140", "110", "EUR", 5)], None, 5),
    ],
)
def test_the_spread_is_the_lowest_ask_less_the_highest_bid_of_one_currency(
    prices: list[Any], spread: str | None, age: int | None
) -> None:
    assert portfolio_prices.shown_spread(of(*prices)) == spread
    assert portfolio_prices.age(of(*prices)) == age


# Prices over time, and changing an item


def csv_rows(page: str, table: str) -> list[str]:
    return look(f"{page}&format=csv&table={table}", signed_in("user")).text.splitlines()


def test_prices_over_time_are_drawn_for_asks_and_bids_with_the_numbers_behind(item: str, acme: Cloud) -> None:
    head, *days = csv_rows(item, "days")
    assert head == 'Day (UTC),"StockX asks, USD","StockX bids, USD","Alias asks, USD","Alias bids, USD"'
    assert len(days) == 6
    assert days[0].partition(",")[2] == "150.0,120.5,148.25,131.0"
    shown = look(item, signed_in("user")).text
    section = shown.partition("Prices over time")[2].partition("</section>")[0]
    assert section.count("<svg") == 2
    assert section.count("<polyline") == 4
    assert "<details><summary>The numbers</summary>" in section


def test_an_item_without_known_prices_says_that_a_line_will_grow(item: str) -> None:
    shown = look(added(GOOD, signed_in()).to, signed_in("user"))
    assert portfolio_prices.NO_DAYS in unescape(shown.text)


def changed(item: str, who: dict[str, str], **fields: str) -> Shown:
    """Change the item by its form, filled in as it stands but for `fields`."""
    return send(f"{LIST}/change", {**filled(item, who), **fields}, who)


def filled(item: str, who: dict[str, str]) -> dict[str, str]:
    return dashboard_page.filled(look(item, who), f"{LIST}/change")


# A line for one more lot stands below those that were written.
EMPTY = {"quantity.3": "", "cost.3": "", "currency.3": ""}


def units(item: str) -> list[str]:
    return csv_rows(item, "lots")[1:]


def test_units_category_and_marketplaces_of_an_item_are_changed_by_one_form(item: str) -> None:
    who = signed_in()
    fields = {"quantity.1": "", "cost.1": "", "currency.1": "", "quantity.2": "4", "cost.2": "80", "category": "shoes"}
    form = filled(item, who)
    del form["marketplace.ebay"]
    done = [send(f"{LIST}/change", {**form, **fields}, who) for _ in range(2)]
    assert [one.to for one in done] == [item, item], "a form that is sent twice is done"
    assert units(item) == ["2,110.0", "4,80.0"]
    shown = look(item, who).text
    assert "<dt>category</dt><dd>shoes</dd>" in shown
    assert ">eBay<" not in shown.partition("Prices over time")[0]


def test_a_form_that_changes_nothing_asks_for_nothing(item: str, acme: Cloud) -> None:
    before = acme.content()["inventory"]
    assert changed(item, signed_in()).to == item
    assert acme.content()["inventory"] == before


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"cost.0": "110,50"}, "cost.0"), ({"quantity.0": "many"}, "quantity.0"), ({"currency.1": "XXXX"}, "currency.1"),
     ({"quantity.2": "0"}, "quantity.2"), ({"category": "=1"}, "category")],
)  # fmt: skip
def test_what_an_item_cannot_become_is_refused_at_its_field(
    item: str, acme: Cloud, wrong: dict[str, str], field: str
) -> None:
    before = acme.content()["inventory"]
    shown = changed(item, signed_in(), **wrong)
    assert shown.status == 400
    assert f'id="wrong-{field}"' in shown.text
    assert f'value="{wrong[field]}"' in shown.text
    assert acme.content()["inventory"] == before


def test_a_form_of_an_old_version_is_refused_with_what_changed_and_then_holds(item: str) -> None:
    who = signed_in()
    form = {**filled(item, who), "category": "boots", "quantity.2": "7"}
    item_id = parse_qs(urlsplit(item).query)["id"][0]
    lots = [{"quantity": 1, "cost": "95.50"}]
    assert call("PATCH", f"/v1/inventory/{item_id}", body={"lots": lots}, tenant="acme").status == 200
    late = send(f"{LIST}/change", form, who)
    assert late.status == 409
    told = unescape(late.text.partition('role="alert"')[2].partition("</div>")[0])
    assert "<del>2 at 110 USD; 1 at 95.50 USD</del> → <ins>1 at 95.50 USD</ins>" in told
    assert units(item) == ["1,95.5"]
    again = dashboard_page.filled(late, f"{LIST}/change")
    assert {**again, "seen": "", "once": ""} == {**form, "seen": "", "once": "", **EMPTY}, "what was written stays"
    assert send(f"{LIST}/change", again, who).to == item
    assert units(item) == ["2,110.0", "1,95.5", "7,"]
