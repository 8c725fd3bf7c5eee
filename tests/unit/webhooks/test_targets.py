"""Where a webhook may go."""

import pytest

from sluice.platform import addresses
from sluice.platform.addresses import BadAddress
from sluice.webhooks import targets

GOOD = [
    "https://hooks.example.com",
    "https://hooks.example.com/sluice?key=1%20a",
    "https://HOOKS.Example.com:8443/path",
    "https://xn--bcher-kva.example/hook",
    "https://a.b-c.example.co.uk/",
    "https://8.8.8.8/hook",
    "https://[2606:4700::1111]/hook",
]
BAD = [
    ("", "ASCII"),
    ("hooks.example.com", "https"),
    ("http://hooks.example.com", "https"),
    ("ftp://hooks.example.com", "https"),
    ("javascript:alert(1)", "https"),
    ("file:///etc/passwd", "https"),
    ("https://", "public"),
    ("https:///path", "public"),
    ("https://localhost/hook", "public"),
    ("https://intranet/hook", "public"),
    ("https://db.internal/hook", "public"),
    ("https://metadata.google.internal/", "public"),
    ("https://printer.local/", "public"),
    ("https://hooks.example.com./", "public"),
    ("https://-a.example.com/", "public"),
    ("https://127.0.0.1/hook", "public"),
    ("https://127.1/hook", "public"),
    ("https://2130706433/hook", "public"),
    ("https://0x7f.0.0.1/hook", "public"),
    ("https://0177.0.0.1/hook", "public"),
    ("https://10.0.0.8/hook", "public"),
    ("https://169.254.169.254/latest/meta-data/", "public"),
    ("https://[::1]/hook", "public"),
    ("https://[::ffff:127.0.0.1]/hook", "public"),
    ("https://[fd00:ec2::254]/latest", "public"),
    ("https://[64:ff9b::a9fe:a9fe]/", "public"),
    ("https://[::1%25eth0]/", "public"),
    ("https://user@hooks.example.com/", "user"),
    ("https://user:" + "secret@hooks.example.com/", "user"),
    ("https://hooks.example.com@127.0.0.1/", "user"),
    ("https://hooks.example.com\\@127.0.0.1/", "ASCII"),
    ("https://hooks.example.com/#part", "fragment"),
    ("https://[::ffff:0:127.0.0.1]/hook", "public"),
    ("https://[::ffff:0:7f00:1]/hook", "public"),
    ("https://[3fff::1]/hook", "public"),
    ("https://[5f00::1]/hook", "public"),
    ("https://[100:0:0:1::1]/hook", "public"),
    ("https://0x7f000001/hook", "public"),
    ("https://100.64.0.1/hook", "public"),
    ("https://printer.home.arpa/", "public"),
    ("https://hooks.example.com:0/", "port 443 or 8443"),
    ("https://hooks.example.com:22/", "port 443 or 8443"),
    ("https://hooks.example.com:6379/", "port 443 or 8443"),
    ("https://hooks.example.com:80/", "port 443 or 8443"),
    ("https://8.8.8.8:8080/", "port 443 or 8443"),
    ("https://hooks.example.com:99999/", "URL"),
    ("https://hooks.example.com:port/", "URL"),
    ("https://[::1/", "URL"),
    ("https://hooks.example.com/a b", "ASCII"),
    ("https://hooks.example.com/\n", "ASCII"),
    ("https://hooks.example.com/\x00", "ASCII"),
    ("https://bücher.example/", "ASCII"),
    ("https://hooks.example.com/" + "a" * 2_048, "longer"),
]


@pytest.mark.parametrize("url", GOOD)
def test_a_public_address_over_https_is_taken(url: str) -> None:
    targets.check(url, local=False)


@pytest.mark.parametrize(("url", "word"), BAD)
def test_anything_else_is_refused_with_the_reason(url: str, word: str) -> None:
    with pytest.raises(BadAddress, match=word):
        targets.check(url, local=False)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://hooks.example.com/sluice", "https://hooks.example.com/sluice"),
        ("https://hooks.example.com:8443/a?key=of-acme&b=1", "https://hooks.example.com:8443/a?***"),
        ("https://hooks.example.com?of-acme", "https://hooks.example.com?***"),
        ("https://hooks.example.com/", "https://hooks.example.com/"),
        ("https://hooks.example.com/sluice/", "https://hooks.example.com/sluice/"),
        ("https://hooks.example.com/my-hooks.php", "https://hooks.example.com/my-hooks.php"),
        ("https://hooks.example.com/services/T0BEC0/B0/of-acme", "https://hooks.example.com/services/***"),
        ("https://hooks.example.com/services//of-acme/", "https://hooks.example.com/services/***"),
        ("https://hooks.example.com/v1/of-acme?key=of-acme", "https://hooks.example.com/v1/***?***"),
        ("https://hooks.example.com/0f1e2d3c-of-acme", "https://hooks.example.com/***"),
        ("https://hooks.example.com/0f1e2d3c-of-acme/hook", "https://hooks.example.com/***"),
        ("https://hooks.example.com//of-acme", "https://hooks.example.com//***"),
        ("https://hooks.example.com/k%65y-of-acme", "https://hooks.example.com/***"),
        ("https://hooks.example.com/qwertyuiopasdfghjkl", "https://hooks.example.com/***"),
        ("https://hooks.example.com/hook;of-acme", "https://hooks.example.com/***"),
        ("https://ann:" + "of-acme@hooks.example.com/a?key=of-acme", "https://***@hooks.example.com/a?***"),
    ],
)
def test_what_may_be_a_key_is_masked(url: str, shown: str) -> None:
    assert targets.masked(url) == shown == targets.masked(shown)


@pytest.mark.parametrize("rest", ["?key=of-acme", "0f1e-of-acme", "services/of-acme", "services/of-acme?key=of-acme"])
def test_a_masked_url_is_not_taken_for_a_whole_one(rest: str) -> None:
    with pytest.raises(BadAddress, match="give the whole URL"):
        targets.check(targets.masked(f"https://hooks.example.com/{rest}"), local=False)


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "[::1]:8000"])
def test_on_a_laptop_the_receiver_may_be_on_it_too(host: str) -> None:
    targets.check(f"http://{host}/hook", local=True)
    targets.check(f"https://{host}/hook", local=True)
    with pytest.raises(BadAddress):
        targets.check(f"http://{host}/hook", local=False)
    with pytest.raises(BadAddress):
        targets.check("http://10.0.0.8/hook", local=True)


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2606:4700:4700::1111"])
def test_public_addresses(address: str) -> None:
    assert addresses.may_call(address, 443, ports=targets.PORTS, local=False)


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.254", "::1", "::"),
        *("10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd12::1"),
        *("169.254.169.254", "169.254.170.2", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "fd20:ce::254"),
        *("100.64.0.1", "100.127.255.255", "198.18.0.1", "192.0.2.1", "203.0.113.9", "2001:db8::1", "192.0.0.192"),
        *("224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1", "240.0.0.1", "255.255.255.255"),
        *("::ffff:8.8.8.8", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::7f00:1", "::8.8.8.8"),
        *(
            "64:ff9b::7f00:1",
            "64:ff9b::808:808",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "2001:0:7f00::1",
        ),
        *("fec0::1", "100::1", "100:0:0:1::1", "3fff::1", "3fff:fff::1", "5f00::1", "::ffff:0:127.0.0.1"),
    ],
)
@pytest.mark.parametrize("local", [False, True])
def test_no_other_address_is_allowed(address: str, local: bool) -> None:
    loopback = address in ("127.0.0.1", "127.255.255.254", "::1")
    assert addresses.may_call(address, 443, ports=targets.PORTS, local=local) is (local and loopback)
