"""A shop that has one thing of everything that the dashboard shows, for tests of its pages.

What people outside have written (labels, references, reasons, errors, titles) is `text` everywhere: a test gives one
that would run if a page did not show it as text.
"""

from decimal import Decimal
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

from sluice.catalog import table as catalog
from sluice.catalog.table import Product as Known
from sluice.inventory import rules
from sluice.inventory import table as items
from sluice.inventory.rules import Raw
from sluice.inventory.stock import STOCK
from sluice.listings.stockx import table as listings
from sluice.listings.stockx.changes import Action, Change
from sluice.listings.stockx.table import Entry, Listing
from sluice.marketplaces import skus
from sluice.marketplaces.selling import Terms
from sluice.operator import counts
from sluice.pages import facts, table
from sluice.pages.facts import Fact, PageFacts, VariantFacts
from sluice.pages.reading import Availability, Money
from sluice.pages.table import PageCheck, PricePoint, Product, Tracker
from sluice.platform.clock import DAY, HOUR, MINUTE, iso
from sluice.platform.config.pause_table import put as pause
from sluice.platform.config.pauses import Pause
from sluice.platform.money import plain
from sluice.prices import table as prices
from sluice.prices.table import Price
from sluice.webhooks import deliveries, endpoints
from tests.support.dashboard_ebay import GROUP_KEY, MEMBER, listed
from tests.support.http import call
from tests.support.letters import write as write_letter
from tests.support.stream import changes
from tests.unit.api.conftest import Cloud

TENANT = "acme"
LISTING = "0c0ffee0-0000-4000-8000-000000000001"
URL = "https://shop.example/products/harbour-runner"
KINDS = {
    "market.refresh": "stockx:acme",
    "listing.update": "stockx:acme",
    "listing.publish": "ebay:acme",
    "promotion.create": "ebay:acme",
}
NEVER = 4_102_444_800


def fill(cloud: Cloud, text: str = "Harbour Runner") -> list[str]:
    """Give `acme` one of everything; the addresses of the pages of one thing.

    text: what people outside have written.
    """
    cloud.healthy()
    cloud.connect_seller(TENANT)
    sku = listed(cloud, TENANT, text)
    write_letter(died_at=cloud.now - HOUR, error={"code": "unavailable", "message": text, "at": cloud.now - HOUR})
    pause(Pause("alias", text, "kim@operations.example", cloud.now), cloud.now)
    changes("jobs")
    [job, *_] = cloud.enqueue(TENANT, "DD1391-100", "DZ5485-410", "AA0000-001")
    counts.follow(changes("jobs"))
    _day_of_work(cloud)
    things = {
        "/dashboard/job": job,
        "/dashboard/ebay-listing": sku,
        "/dashboard/listing": _listing(cloud, text),
        "/dashboard/operation": _operation(text),
        "/dashboard/portfolio/import": _import(text),
        "/dashboard/portfolio/item": _item(cloud, text),
        "/dashboard/promotion": _promotion(),
        "/dashboard/product-page": _page(cloud, text),
        "/dashboard/webhook": _webhook(cloud, text),
        "/dashboard/action": _action(text),
    }
    cloud.parameter.put('{"limits": {"stockx": {"interval_ms": 900}}, "engine": {"batch": 20}}')
    more = [
        "/dashboard/budget?name=stockx%3Aacme",
        "/dashboard/configuration/version?number=1",
        f"/dashboard/ebay-group?id={GROUP_KEY}",
        f"/dashboard/ebay-group/snapshot?key={GROUP_KEY}&number=1",
        f"/dashboard/ebay-group/difference?key={GROUP_KEY}&before=1&after=1",
        f"/dashboard/ebay-listing?id={MEMBER}",
        f"/dashboard/ebay-listing/snapshot?sku={sku}&number=2",
        f"/dashboard/ebay-listing/difference?sku={sku}&before=1&after=2",
        "/dashboard/checks/slow",
        "/dashboard/what-if?budget=stockx%3Aacme&windows=50/hour",
        f"/dashboard/product-page?{urlencode({'id': things['/dashboard/product-page'], 'variant': '43'})}",
    ]
    return [*(f"{page}?{urlencode({'id': one})}" for page, one in things.items()), *more]


def _day_of_work(cloud: Cloud) -> None:
    """What the stream of jobs has told in the last 24 hours: most ended well, some were given up."""
    moves = [
        (kind, "dead" if (ago + place) % 9 == 0 else "succeeded", cloud.now - ago * HOUR)
        for kind, account in KINDS.items()
        for ago in range(24)
        for place in range(1 + (ago * ago) % 7)
    ]
    counts.follow([step for number, move in enumerate(moves) for step in _life(*move, number)])


def _life(kind: str, state: str, at: int, number: int) -> list[Any]:
    """A job is asked for, begins, and ends in `state` at that time."""
    texts = {"tenant": TENANT, "account": KINDS[kind], "kind": kind}
    error = {"error": '{"code": "unavailable"}'} if state == "dead" else {}
    asked, began = at - 3 * HOUR if number % 5 == 0 else at - 40_000, at - 20_000
    images = [
        _image(texts, "queued", asked, asked),
        _image(texts, "leased", asked, began),
        _image(texts | error, state, asked, at),
    ]
    return [
        {"eventID": f"{kind}{number}{place}", "dynamodb": {"OldImage": old, "NewImage": new}}
        for place, (old, new) in enumerate(pairwise([None, *images]))
    ]


def _image(texts: dict[str, str], state: str, asked: int, at: int) -> dict[str, Any]:
    numbers = {"updated_at": at, "created_at": asked, "due_at": at - 30_000, "priority": 100, "attempts": 1}
    found: dict[str, Any] = {name: {"N": str(value)} for name, value in numbers.items()}
    return found | {name: {"S": value} for name, value in {**texts, "state": state}.items()}


def _listing(cloud: Cloud, text: str) -> str:
    change = Change(3, Action.UPDATE, "listing.update:none", cloud.now, text, Terms("185", "USD", None))
    Listing(
        TENANT, LISTING, account="stockx:acme", marketplace="stockx", marketplace_id="m-1", variant_id="v-1",
        sku="DD1391-100", size="10", size_system="us", reference=text, status="ACTIVE", amount="180", currency="USD",
        changes={"3": change.encode()}, last_change=3, created_at=cloud.now - DAY, updated_at=cloud.now,
    ).save()  # fmt: skip
    for number, status in ((1, "ACTIVE"), (2, "FAILED")):
        metadata = {"job_id": "listing.update:none", "error": {"code": "refused", "message": text}}
        Entry(
            listings.history_key(TENANT, LISTING), number, action="UPDATE", status=status, changed_by=text,
            changed_at=cloud.now - HOUR, metadata=metadata,
        ).save()  # fmt: skip
    return LISTING


def _operation(text: str) -> str:
    body = {"variantId": "11111111-2222-4333-8444-555555555555", "amount": "180", "reference": text[:64]}
    answer = call("POST", "/v1/stockx/listings", body=body, tenant=TENANT)
    assert answer.status == 202, answer.text
    return str(answer.json["jobId"])


def _item(cloud: Cloud, text: str) -> str:
    """An item with units of two costs; StockX and Alias have a price of it, eBay none yet."""
    sizes = [["v-10", "us", {"us": "10", "eu": "44"}]]
    for marketplace, ask, bid in (("stockx", "150", "120.50"), ("alias", "148.25", "131")):
        Known(
            catalog.key(marketplace, "DD1391-100"), product_id="p", name=text, category="sneakers", variants=sizes,
            marketplace=marketplace, updated_at=cloud.now, checked_at=cloud.now,
        ).save()  # fmt: skip
        for day, less in ((24, 0), (19, 4), (18, 7), (12, 9), (6, 3), (0, 0)):
            asks, bids = (plain(Decimal(one) - less) for one in (ask, bid))
            prices.store(_price(marketplace, asks, bids, cloud.now - day * DAY - 3 * MINUTE))
    # Written as it is stored: the API would ask for its prices, which are jobs.
    said = Raw("DD1391-100", "10", "us", category=f"sneakers {text}"[:60])
    units = [said._replace(cost="110", quantity=2), said._replace(cost="95.50")]
    draft = rules.join(rules.draft(units[0]), rules.draft(units[1]))
    STOCK.take(TENANT, 1)
    owned = items.put(TENANT, draft, cloud.now, item=items.key(draft.sku, draft.named))
    return items.public_id(owned.item)


def _price(marketplace: str, ask: str, bid: str, observed_at: int) -> Price:
    return Price(
        skus.key("DD1391-100"), f"{marketplace}:us-10:USD", marketplace=marketplace, size="10", size_system="us",
        sizes={"us": "10"}, currency="USD", ask=ask, bid=bid, more={}, observed_at=observed_at,
    )  # fmt: skip


def _import(text: str) -> str:
    """An import under way, of which a row was refused."""
    file = f'sku,size,category\nDZ5485-612,10,x\nDZ5485-613,"{text.replace(chr(34), "")[:40]}",x\n'
    answer = call("POST", "/v1/inventory/import", body=file, content_type="text/csv", tenant=TENANT)
    assert answer.status == 202, answer.text
    return str(answer.json["importId"])


def _promotion() -> str:
    answer = call("POST", "/v1/promotions", body={"listingId": "110551234567", "adRate": 5.5}, tenant=TENANT)
    assert answer.status == 202, answer.text
    return str(answer.json["jobId"])


def _page(cloud: Cloud, text: str) -> str:
    body = {"url": URL, "label": text, "targetPrice": {"amount": "90.00", "currency": "EUR"}}
    answer = call("POST", "/v1/pages", body=body, tenant=TENANT)
    assert answer.status == 201, answer.text
    page_id = str(answer.json["page"]["pageId"])
    variants = {one: _variant(cloud, one, text) for one in ("42", "43")}
    product = Product.get(page_id)
    product.known = table.pack(facts.to_json(PageFacts("shopify", text, variants, cloud.now)))
    product.outcome, product.seen, product.checked_at, product.good_at = "product", text, cloud.now, cloud.now
    product.save()
    for ago, amount in ((9, "120.00"), (6, "95.50"), (3, None), (1, "99.00")):
        PricePoint(
            table.variant_key(page_id, "42"), iso(cloud.now - ago * DAY), amount=amount,
            currency="EUR" if amount else None, availability="in" if amount else "out", expires_at=NEVER,
        ).save()  # fmt: skip
    for ago, ms, error in ((1, 640, None), (31, 5_200, "timed_out"), (61, 12_000, None)):
        at = cloud.now - ago * MINUTE
        PageCheck(
            page_id, f"{iso(at)}#{ago}", day=iso(at)[:10], ms=ms, url=URL, status="failed" if error else "product",
            ended_at=at + ms, error=error, about=text, metadata={"source": "shopify"}, expires_at=NEVER,
        ).save()  # fmt: skip
    tracker = Tracker.get(TENANT, page_id)
    told = {
        "variantId": "42",
        "options": {"Size": text},
        "before": None,
        "after": {"amount": "99.00", "currency": "EUR"},
    }
    tracker.alerts = [{"id": "a", "kind": "price_dropped", "at": iso(cloud.now), "variants": [told], "reason": None}]
    tracker.save()
    return page_id


def _variant(cloud: Cloud, own: str, text: str) -> VariantFacts:
    at = cloud.now - DAY
    price = Fact(Money(Decimal("99.00"), "EUR"), at, cloud.now, "shopify", text)
    stock = Fact(Availability.IN, at, cloud.now, "shopify", text)
    return VariantFacts(own, {"Size": own, "Colour": text}, text, "", price, stock)


def _webhook(cloud: Cloud, text: str) -> str:
    delivery_id = cloud.webhook()
    endpoint = endpoints.find(TENANT, "main")
    assert endpoint
    delivery = deliveries.find(endpoint.key, delivery_id)
    assert delivery
    delivery.tries = [{"at": cloud.now, "status": 500, "code": "refused", "message": text, "ms": 320}]
    delivery.state = deliveries.State.FAILED
    delivery.save()
    return "main"


def _action(text: str) -> str:
    """An operator's action: to raise what waits of one article, for a reason."""
    body = {"action": "raise", "filter": {"sku": "AA0000"}, "reason": text, "dryRun": False}
    answer = call("POST", "/v1/operator/actions", body=body, tenant=TENANT)
    assert answer.status in (200, 202), answer.text
    return str(answer.json["action"]["actionId"])
