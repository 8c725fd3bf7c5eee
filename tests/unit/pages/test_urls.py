"""The normal form of a page's address, and the addresses that are refused."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.pages import urls
from sluice.pages.urls import BadUrl

SAME = {
    "https://Shop.Example/p/a?utm_source=x&size=42#top": "https://shop.example/p/a?size=42",
    "https://shop.example:443/p/a": "https://shop.example/p/a",
    "http://shop.example:80": "http://shop.example/",
    "http://shop.example:443/": "http://shop.example:443/",
    "https://shop.example/a/./b/../c": "https://shop.example/a/c",
    "https://shop.example/caf%c3%a9/%7euser": "https://shop.example/caf%C3%A9/~user",
    "https://shop.example/café": "https://shop.example/caf%C3%A9",
    "https://shop.example/a?gclid=1&fbclid=2&msclkid=3": "https://shop.example/a",
    "https://shop.example/a?variant=5&_pos=1&_sid=x&_ss=r": "https://shop.example/a?variant=5",
    "https://shop.example/a?q=100%": "https://shop.example/a?q=100%25",
    "https://bücher.example/a": "https://xn--bcher-kva.example/a",
    "https://8.8.8.8/a": "https://8.8.8.8/a",
}


@pytest.mark.parametrize("url", SAME)
def test_spellings_of_one_page_have_one_form(url: str) -> None:
    assert urls.normal(url, local=False) == SAME[url]
    assert urls.normal(SAME[url], local=False) == SAME[url]


REFUSED = {
    "ftp://shop.example/a": "https://",
    "file:///etc/passwd": "https://",
    "javascript:alert(1)": "https://",
    "//shop.example/a": "https://",
    "shop.example/a": "https://",
    "": "https://",
    "https:///a": "host",
    "https://user@shop.example/": "user",
    "https://user:" + "word@shop.example/": "user",
    "https://shop.example:8443/": "port",
    "https://shop.example:99999/": "URL",
    "https://shop.example./a": "dot",
    "https://shop.example/a b": "blanks",
    "https://shop.example/\\evil": "backslashes",
    "https://shop.example/\x00": "control",
    "https://localhost/": "public",
    "https://shop.localhost/": "public",
    "https://printer.local/": "public",
    "https://intranet/": "public",
    "https://127.0.0.1/": "public",
    "https://127.1/": "public",
    "https://0x7f000001/": "public",
    "https://2130706433/": "public",
    "https://0177.0.0.1/": "public",
    "https://[::1]/": "public",
    "https://[::ffff:10.0.0.1]/": "public",
    "https://[64:ff9b::7f00:1]/": "public",
    "https://[::ffff:0:7f00:1]/": "public",
    "https://[2002:7f00:1::]/": "public",
    "https://[fd00:ec2::254]/": "public",
    "https://[3fff::1]/": "public",
    "https://[5f00::1]/": "public",
    "https://[100::1]/": "public",
    "https://[100:0:0:1::1]/": "public",
    "https://[fe80::1%25eth0]/": "public",
    "https://100.64.0.1/": "public",
    "https://169.254.169.254/": "public",
    "https://0.0.0.0/": "public",
    "https://224.0.0.1/": "public",
    "https://192.0.2.1/": "public",
    "https://[ff02::1]/": "public",
    "https://\uff11\uff12\uff17.0.0.1/": "public",
    "https://shop.example/" + "a" * 1_980: "2000",
}


@pytest.mark.parametrize("url", REFUSED, ids=lambda url: url[:40])
def test_what_sluice_does_not_fetch_is_refused_with_the_reason(url: str) -> None:
    with pytest.raises(BadUrl, match=REFUSED[url]):
        urls.normal(url, local=False)


def test_two_thousand_characters_are_allowed_and_one_more_is_not() -> None:
    base = "https://shop.example/"
    longest = base + "a" * (urls.MOST_CHARACTERS - len(base))
    assert urls.normal(longest, local=False) == longest
    with pytest.raises(BadUrl):
        urls.normal(longest + "a", local=False)


def test_on_a_laptop_a_shop_may_be_on_it_at_any_port() -> None:
    assert urls.normal("http://kicks.localhost:4600/p/1", local=True) == "http://kicks.localhost:4600/p/1"
    with pytest.raises(BadUrl):
        urls.normal("http://10.0.0.1:4600/", local=True)


@pytest.mark.parametrize(
    "target", ["http://shop.example/a", "file:///etc/passwd", "https://10.0.0.1/", "https://shop.example:8080/"]
)
def test_a_redirect_leads_nowhere_else(target: str) -> None:
    with pytest.raises(BadUrl):
        urls.redirected("https://shop.example/p", target, local=False)


def test_a_redirect_is_read_from_where_it_stands() -> None:
    assert urls.redirected("https://shop.example/p/a", "../q?utm_medium=x", local=False) == (
        "https://shop.example/q?utm_medium=x"
    )
    assert urls.redirected("http://shop.example/p", "https://shop.example/p", local=False) == "https://shop.example/p"


def test_a_canonical_link_stays_on_its_host() -> None:
    page = "https://www.shop.example/p/a?variant=5"
    assert urls.canonical(page, "/p/a", local=False) == "https://www.shop.example/p/a"
    assert urls.canonical(page, "https://shop.example/p/a", local=False) == "https://shop.example/p/a"
    assert urls.canonical(page, "https://other.example/p/a", local=False) is None
    assert urls.canonical(page, "", local=False) == "https://www.shop.example/p/a?variant=5"


@given(st.text(max_size=60))
def test_any_text_has_a_stable_form_or_a_reason(text: str) -> None:
    for url in (text, f"https://shop.example/{text}", f"https://{text}/"):
        once = None
        with suppress(BadUrl):
            once = urls.normal(url, local=False)
        if once is not None:
            assert once.isascii()
            assert urls.normal(once, local=False) == once
