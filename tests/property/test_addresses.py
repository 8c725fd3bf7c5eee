"""Addresses that may be called: whatever carries a private IPv4 address, in whatever form, is none."""

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.platform import addresses
from sluice.platform.addresses import BadAddress

PORTS = frozenset({80, 443})

# What IANA's registries list as special (2026-11), besides the anycast addresses that no host of a tenant's has.
SPECIAL = [
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
    *("192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
    *("224.0.0.0/4", "240.0.0.0/4", "::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48"),
    *("100::/64", "100:0:0:1::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7"),
    *("fe80::/10", "fec0::/10", "ff00::/8"),
]
# Where a prefix of 96 bits is followed by an IPv4 address: compatible, mapped, translated, NAT64 (both prefixes).
CARRIERS = ["::", "::ffff:0:0", "::ffff:0:0:0", "64:ff9b::", "64:ff9b:1::"]
v4 = st.integers(0, 2**32 - 1).map(IPv4Address)


@given(st.data(), st.sampled_from(SPECIAL))
def test_no_address_of_a_special_network_is_public(data: st.DataObject, network: str) -> None:
    net = ip_network(network)
    offset = data.draw(st.integers(0, net.num_addresses - 1))
    assert not addresses.is_public(str(net[offset]))


@pytest.mark.parametrize("network", SPECIAL)
def test_nor_are_its_first_and_its_last(network: str) -> None:
    net = ip_network(network)
    assert not addresses.is_public(str(net[0]))
    assert not addresses.is_public(str(net[-1]))


@given(v4, st.sampled_from(CARRIERS))
def test_an_ipv4_address_inside_an_ipv6_one_is_never_public(inside: IPv4Address, carrier: str) -> None:
    assert not addresses.is_public(str(IPv6Address(int(IPv6Address(carrier)) | int(inside))))
    assert not addresses.is_public(str(IPv6Address(0x2002 << 112 | int(inside) << 80)))


@given(st.integers(0, 2**128 - 1).map(IPv6Address))
def test_of_ipv6_only_global_unicast_is_public(address: IPv6Address) -> None:
    if addresses.is_public(str(address)):
        assert int(address) >> 125 == 0b001


@given(v4)
def test_a_url_of_an_address_and_the_address_itself_are_judged_alike(address: IPv4Address) -> None:
    allowed = addresses.may_call(str(address), 443, ports=PORTS, local=False)
    try:
        addresses.check_url(f"https://{address}/", schemes=("https",), ports=PORTS, local=False)
    except BadAddress:
        assert not allowed
    else:
        assert allowed


@given(v4, st.sampled_from(["{:d}", "0x{:x}", "0{:o}"]))
def test_an_address_written_as_one_number_is_no_host(address: IPv4Address, form: str) -> None:
    with pytest.raises(BadAddress):
        addresses.check_url(f"http://{form.format(int(address))}/", schemes=("http",), ports=PORTS, local=True)


@given(st.integers(1, 65_535))
def test_only_the_ports_that_are_named_are_allowed(port: int) -> None:
    assert addresses.may_call("8.8.8.8", port, ports=PORTS, local=False) is (port in PORTS)
    assert addresses.may_call("127.0.0.1", port, ports=PORTS, local=True)
    assert not addresses.may_call("127.0.0.1", port, ports=PORTS, local=False)


def test_pages_may_be_on_http_and_both_ports() -> None:
    for url in ("http://shop.example.com/p/1", "https://shop.example.com:443/p/1", "http://shop.example.com:80/"):
        addresses.check_url(url, schemes=("http", "https"), ports=PORTS, local=False)
    for url in ("https://shop.example.com:8443/", "http://shop.example.com:22/", "ftp://shop.example.com/"):
        with pytest.raises(BadAddress):
            addresses.check_url(url, schemes=("http", "https"), ports=PORTS, local=False)
