"""A page from its tracking to what is told of it: through the API, the scheduler, the worker and the event bus."""

from collections.abc import Mapping
from itertools import pairwise

import pytest

from sluice.jobs.model.dead_letters import DeadLetter
from sluice.jobs.model.job import Job
from sluice.pages import table
from sluice.pages.table import PricePoint, SavedPage
from sluice.platform import aws
from sluice.platform.clock import DAY, HOUR, MINUTE
from tests.support.shop import HOST, URL, Desk, Reply, page, unfetched


def test_a_drop_and_a_restock_are_told_once_each(desk: Desk) -> None:
    own = desk.track(targetPrice={"amount": "90", "currency": "EUR"}, label="boots")
    desk.shops.replies[URL] = page("100.00", "OutOfStock")
    desk.confirmed()
    assert desk.events == []
    shown = desk.show(own)
    assert shown["variants"][0]["price"]["price"] == {"amount": "100.00", "currency": "EUR"}
    assert (shown["status"], shown["source"], shown["variants"][0]["price"]["confirmed"]) == (
        "product",
        "json-ld",
        True,
    )
    desk.shops.replies[URL] = page("85.00", "InStock")
    desk.check()
    assert desk.events == [], "one check confirms nothing"
    desk.check(6)
    [drop], [back] = desk.told("price_dropped"), desk.told("back_in_stock")
    assert drop["tenant"] == "acme"
    assert (drop["label"], drop["pageId"], drop["url"]) == ("boots", own, URL)
    [variant] = drop["variants"]
    assert (variant["before"], variant["after"]) == (
        {"amount": "100.00", "currency": "EUR"},
        {"amount": "85.00", "currency": "EUR"},
    )
    assert (variant["source"], "85.00" in variant["text"]) == ("json-ld", True)
    assert (back["variants"][0]["before"], back["variants"][0]["after"]) == ("out", "in")
    for _ in range(3):
        desk.check()
    assert len(desk.events) == 2
    assert [alert["kind"] for alert in desk.show(own)["lastAlerts"]] == ["price_dropped", "back_in_stock"]


def test_one_look_serves_all_who_track_a_page(desk: Desk) -> None:
    desk.shops.replies[URL] = page()
    first = desk.track(targetPrice={"amount": "90", "currency": "EUR"})
    assert desk.track(tenant="globex", dropPercent="50") == first
    desk.confirmed()
    desk.shops.replies[URL] = page("80")
    desk.confirmed()
    assert len(desk.shops.pages()) == 4
    assert [detail["tenant"] for detail in desk.told("price_dropped")] == ["acme"]
    assert desk.show(first, "globex")["lastAlerts"] == []


def test_a_failed_look_is_tried_again_with_backoff_and_changes_nothing(desk: Desk) -> None:
    own = desk.track()
    desk.shops.replies[URL] = page("100", "OutOfStock")
    desk.confirmed()
    desk.shops.replies[URL] = unfetched()
    desk.check()
    [job] = Job.scan()
    assert (job.state, job.error["code"]) == ("queued", "timed_out")
    for _ in range(8):
        desk.clock.time += 5 * MINUTE
        desk.work()
    assert desk.statuses(own)[-3:] == ["failed"] * 3
    assert next(iter(Job.scan())).state == "succeeded", "a page that cannot be fetched is no dead letter"
    assert list(DeadLetter.scan()) == []
    shown = desk.show(own)
    assert (shown["status"], shown["variants"][0]["stock"]["availability"]) == ("failed", "out")
    desk.shops.replies[URL] = page("100", "InStock")
    desk.confirmed()
    assert len(desk.told("back_in_stock")) == 1


def test_a_failure_does_not_stop_the_run(desk: Desk) -> None:
    for number in range(4):
        desk.track(f"{URL}{number}")
        desk.shops.replies[f"{URL}{number}"] = RuntimeError("a fault of ours") if number == 1 else page()
    desk.check()
    assert sorted(desk.shops.pages()) == [f"{URL}{number}" for number in range(4)]
    assert sorted(desk.product(table_id).outcome or "" for table_id in ids(4)) == ["", "product", "product", "product"]


def ids(count: int) -> list[str]:
    from sluice.pages import urls

    return [urls.product_id(f"{URL}{number}") for number in range(count)]


BLOCKED: dict[str, Reply] = {
    "challenge": (403, {"cf-mitigated": "challenge"}, "<title>Just a moment</title>"),
    "challenge by its script": (503, {}, "<script>window._cf_chl_opt={}</script>"),
    "forbidden": (403, {}, "no"),
    "login": (401, {}, "no"),
    "too many": (429, {"retry-after": "7200"}, ""),
}


@pytest.mark.parametrize("kind", BLOCKED)
def test_a_refusal_slows_the_host_and_leaves_the_product_as_it_is(desk: Desk, kind: str) -> None:
    own, other = desk.track(), desk.track("https://southpier.example/p/boot")
    desk.track(f"https://{HOST}/p/sandal")
    desk.shops.replies |= {url: page() for url in (URL, "https://southpier.example/p/boot", f"https://{HOST}/p/sandal")}
    desk.confirmed()
    before = desk.product(own).facts
    for url in (URL, f"https://{HOST}/p/sandal"):
        desk.shops.replies[url] = BLOCKED[kind]
    asked = len(desk.shops.asked)
    desk.check()
    at_host = [url for url, _, _ in desk.shops.asked[asked:] if HOST in url]
    assert len(at_host) == 1, "the other product of the host waits"
    statuses = {desk.product(one).outcome for one in (own, other)}
    assert "blocked" in {desk.product(one).outcome for one in desk_ids(desk)}
    assert "product" in statuses
    assert desk.product(own).facts == before
    assert desk.events == []


def desk_ids(desk: Desk) -> list[str]:
    return [one.product for one in table.Product.scan()]


def test_retry_after_is_kept(desk: Desk) -> None:
    own = desk.track()
    desk.shops.replies[URL] = (429, {"retry-after": "7200"}, "")
    desk.check()
    for _ in range(3):
        desk.check(31)
    assert len(desk.shops.pages()) == 1
    assert desk.product(own).check_at >= desk.shops.asked[-1][1] + 2 * HOUR
    desk.check(40)
    assert len(desk.shops.pages()) == 2


GONE: dict[str, Reply] = {
    "410": (410, {}, "<h1>gone</h1>"),
    "404": (404, {}, "<h1>not here</h1>"),
    "a 404 that answers 200": "<html><head><title>Page not found</title></head><body></body></html>",
    "a redirect to the category": (302, {"location": f"https://{HOST}/boots"}, ""),
    "a redirect to another product": (302, {"location": f"https://{HOST}/p/sandal"}, ""),
}


@pytest.mark.parametrize("kind", GONE)
def test_a_page_that_is_gone_gives_no_price(desk: Desk, kind: str) -> None:
    own = desk.track()
    desk.shops.replies[f"https://{HOST}/boots"] = page("5.00")
    desk.shops.replies[f"https://{HOST}/p/sandal"] = page("5.00")
    desk.shops.replies[URL] = GONE[kind]
    desk.confirmed()
    shown = desk.show(own)
    assert (shown["status"], shown["variants"]) == ("gone", [])
    assert shown["seen"]


def test_a_redirect_to_another_spelling_of_the_page_is_followed(desk: Desk) -> None:
    own = desk.track()
    desk.shops.replies[URL] = (301, {"location": f"https://www.{HOST}/en/p/boot/"}, "")
    desk.shops.replies[f"https://www.{HOST}/en/p/boot/"] = page()
    desk.check()
    shown = desk.show(own)
    assert shown["status"] == "product"
    assert shown["lastChecks"][0]["metadata"]["redirects"] == [URL]


def test_a_page_that_has_not_changed_confirms_what_was_read(desk: Desk) -> None:
    own = desk.track()

    def answer(headers: Mapping[str, str]) -> object:
        same = headers.get("if-none-match") == '"1"'
        return (304, {}, "") if same else (200, {"etag": '"1"', "last-modified": "today"}, page("100"))

    desk.shops.replies[URL] = answer
    desk.confirmed()
    assert desk.statuses(own) == ["product", "unchanged"]
    check = desk.show(own)["lastChecks"][0]
    assert (check["metadata"]["notModified"], check["metadata"]["bytes"]) == (True, 0)
    assert desk.show(own)["variants"][0]["price"]["confirmed"] is True
    assert desk.shops.asked[-1][2]["if-modified-since"] == "today"


def test_robots_txt_is_obeyed_and_asked_for_once_a_day(desk: Desk) -> None:
    own = desk.track()
    rules = "User-agent: *\nDisallow: /p/\nAllow: /p/boot$\nUser-agent: other\nDisallow: /\n"
    desk.shops.replies |= {URL: page(), f"https://{HOST}/robots.txt": (200, {"content-type": "text/plain"}, rules)}
    private = desk.track(f"https://{HOST}/p/private")
    desk.confirmed()
    assert desk.product(own).outcome == "product", "the longest rule that matches wins"
    assert (desk.product(private).outcome, desk.shops.pages()) == ("blocked", [URL, URL])
    assert "robots.txt" in (desk.product(private).seen or "")
    assert sum(1 for url, _, _ in desk.shops.asked if url.endswith("robots.txt")) == 1
    desk.check(25 * 60)
    assert sum(1 for url, _, _ in desk.shops.asked if url.endswith("robots.txt")) == 2


def test_a_host_whose_robots_txt_cannot_be_read_is_left_alone(desk: Desk) -> None:
    own = desk.track()
    desk.shops.replies |= {URL: page(), f"https://{HOST}/robots.txt": (503, {}, "")}
    desk.check()
    assert desk.shops.pages() == []
    assert desk.statuses(own) == ["failed"]


def test_visits_to_a_host_are_as_far_apart_as_it_wants(desk: Desk) -> None:
    delay = 10
    rules = (200, {"content-type": "text/plain"}, f"User-agent: *\nCrawl-delay: {delay}\n")
    desk.shops.replies |= {f"https://{HOST}/robots.txt": rules, "https://quick.example/robots.txt": (404, {}, "")}
    for number in range(4):
        for host in (HOST, "quick.example"):
            desk.track(f"https://{host}/p/{number}")
            desk.shops.replies[f"https://{host}/p/{number}"] = page()
    desk.schedule()
    for _ in range(6):
        desk.work()
        desk.clock.time += 20_000
    for host, least in ((HOST, delay * 1000), ("quick.example", 2_000)):
        times = sorted(at for url, at, _ in desk.shops.asked if host in url and "robots" not in url)
        assert len(times) == 4
        assert min(later - earlier for earlier, later in pairwise(times)) >= least


def test_unreadable_for_a_day_is_told_once_and_again_after_it_was_readable(desk: Desk) -> None:
    own = desk.track()
    desk.shops.replies[URL] = "<html><title>Shop</title><script>x</script></html>"
    for _ in range(26):
        desk.check(60)
    [event] = desk.told("unreadable")
    assert (event["tenant"], event["variants"]) == ("acme", [])
    assert "browser" in event["reason"]
    desk.shops.replies[URL] = page()
    desk.confirmed()
    desk.shops.replies[URL] = (403, {}, "")
    for _ in range(30):
        desk.check(60)
    assert len(desk.told("unreadable")) == 2
    assert desk.show(own)["lastAlerts"][0]["kind"] == "unreadable"


def test_a_variant_that_is_gone_is_told(desk: Desk) -> None:
    both = [{"sku": "41", "price": "10"}, {"sku": "42", "price": "10"}]
    desk.track(variants={"ids": ["42"]})
    desk.shops.replies[URL] = page(None, offers=both, **{"@type": "AggregateOffer"})
    desk.confirmed()
    three = [both[0], {"sku": "43", "price": "10"}]
    desk.shops.replies[URL] = page(None, offers=three, **{"@type": "AggregateOffer"})
    desk.confirmed()
    [event] = desk.told("variant_gone")
    assert event["variants"][0]["variantId"] == "42"


def test_an_alert_that_the_bus_did_not_take_is_sent_with_the_next_look_under_the_same_id(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = desk.track(targetPrice={"amount": "90", "currency": "EUR"})
    desk.shops.replies[URL] = page()
    desk.confirmed()
    desk.shops.replies[URL] = page("80")
    desk.check()
    with monkeypatch.context() as patch:
        patch.setattr(aws, "put_events", refuse)
        desk.check(6)
    [alert] = desk.show(own)["lastAlerts"]
    assert desk.events == []
    desk.check()
    assert [detail["id"] for detail in desk.told()] == [alert["id"]]
    desk.check()
    assert len(desk.events) == 1


def refuse(_: object) -> None:
    raise RuntimeError("the event bus refused")


def test_confirmed_prices_are_kept_for_a_chart(desk: Desk) -> None:
    own = desk.track()
    for price in ("100", "90", "95"):
        desk.shops.replies[URL] = page(price)
        desk.confirmed()
    points = list(PricePoint.query(table.variant_key(own, "RB")))
    assert [point.amount for point in points] == ["100", "90", "95"]


def test_the_page_of_a_failed_reading_is_kept_for_a_week(desk: Desk) -> None:
    own = desk.track()
    text = "<html><title>Shop</title><p>été " + "x" * 100_000
    desk.shops.replies[URL] = text
    desk.check()
    saved = SavedPage.get(own)
    assert table.unpack_text(saved.page) == text
    assert saved.expires_at == (saved.saved_at + 7 * DAY) // 1000
    assert saved.whole is True


def test_a_saved_page_fits_into_an_item() -> None:
    import random

    noise = "".join(chr(random.Random(1).randint(33, 126)) for _ in range(10)) + "".join(
        chr(letter) for letter in random.Random(2).choices(range(33, 126), k=2_000_000)
    )
    packed, whole = table.pack_text(noise, table.SAVED_BYTES)
    assert (len(packed) <= table.SAVED_BYTES, whole) == (True, False)
    assert noise.startswith(table.unpack_text(packed))
    assert len(table.unpack_text(packed)) > 300_000


def test_nobody_who_tracks_it_any_more_ends_the_looks(desk: Desk) -> None:
    from tests.support.http import call

    own = desk.track()
    desk.shops.replies[URL] = page()
    desk.check()
    assert call("DELETE", f"/v1/pages/{own}").status == 200
    desk.check()
    assert len(desk.shops.pages()) == 1
    product = desk.product(own)
    assert product.trackers == 0
    assert not product.watch
    assert product.expires_at
    desk.track()
    desk.check()
    assert len(desk.shops.pages()) == 2
