"""What a shop's answer means: redirects, Retry-After, robots.txt."""

import pytest

from sluice.pages import answers, robots
from sluice.platform.clock import DAY, HOUR, SECOND

NOW = 1_795_348_800_000  # 2026-11-22 12:00 UTC


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ("120", NOW + 120 * SECOND),
        ("0", NOW),
        ("Sun, 22 Nov 2026 13:00:00 GMT", NOW + HOUR),
        ("Sun, 22 Nov 2026 11:00:00 GMT", NOW),
        ("999999999", NOW + DAY),
        ("Sun, 22 Nov 2099 13:00:00 GMT", NOW + DAY),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_a_day_at_most(said: str, at: int | None) -> None:
    assert answers.retry_after({"retry-after": said}, NOW) == at


SHOP = "https://shop.example"
SAME = [
    ("/p/boot", "/p/boot"),
    ("/p/boot", "/p/boot/"),
    ("/p/boot", "/en-gb/p/boot?ref=1"),
    ("/p/boot", "/p/Boot.html"),
    ("/collections/all/p/boot", "/p/boot"),
]
OTHER = [("/p/boot", "/"), ("/p/boot", "/p"), ("/p/boot", "/p/sandal"), ("/p/boot", "/p/boot/reviews"), ("/", "/sale")]


@pytest.mark.parametrize(("asked", "answered"), SAME)
def test_another_spelling_of_the_page_is_the_page(asked: str, answered: str) -> None:
    assert answers.same_page(SHOP + asked, SHOP + answered)
    assert answers.same_page(SHOP + asked, f"https://www.shop.example{answered}")


@pytest.mark.parametrize(("asked", "answered"), OTHER)
def test_another_page_is_not(asked: str, answered: str) -> None:
    assert not answers.same_page(SHOP + asked, SHOP + answered)
    assert not answers.same_page(SHOP + asked, f"https://other.example{asked}")


def test_the_longest_rule_wins_and_delays_are_bounded() -> None:
    rules = robots.RobotsRules("User-agent: *\nDisallow: /\nAllow: /p/\nDisallow: /p/secret\nCrawl-delay: 2.5\n")
    assert [rules.allows(SHOP + path) for path in ("/", "/p/boot", "/p/secret/1")] == [False, True, False]
    assert rules.delay_ms == 2_500
    assert robots.RobotsRules("User-agent: *\nCrawl-delay: 999999\n").delay_ms == HOUR
    assert robots.RobotsRules("User-agent: *\nCrawl-delay: 1e308\n").delay_ms == HOUR
    assert robots.RobotsRules("").allows(SHOP + "/") is True


def test_our_own_group_counts_before_everybodys() -> None:
    rules = robots.RobotsRules("User-agent: *\nDisallow: /\n\nUser-agent: Sluice\nDisallow: /cart\n")
    assert (rules.allows(SHOP + "/p"), rules.allows(SHOP + "/cart")) == (True, False)


@pytest.mark.parametrize(
    ("status", "free"), [(200, True), (404, True), (403, True), (429, None), (500, None), (304, None)]
)
def test_what_an_answer_to_robots_txt_means(status: int, free: bool | None) -> None:
    rules = robots.of_answer(status, b"\xef\xbb\xbfUser-agent: *\nAllow: /\n")
    assert (rules.allows(SHOP + "/") if rules else None) == free


def test_titles_of_pages_that_are_not_there() -> None:
    for title in ("404", "Page not found | Shop", "Seite nicht gefunden", "Page introuvable"):
        assert answers.says_not_found(f"<html><head><title>{title}</title>")
    for title in ("Boot 40", "Lost &amp; Found Boots", "Model 4041"):
        assert not answers.says_not_found(f"<html><head><title>{title}</title>")
