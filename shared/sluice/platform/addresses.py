"""Addresses that somebody else names (a webhook's, a page's): which of them Sluice may call. Pure.

A URL's text is checked when it is given (`check_url`), and each address that its host then has is checked when a
connection is made (`may_call`): a name that looked public may lead inside.

What is allowed is listed rather than what is not: of IPv6 only what is handed out for the public internet, so that an
address which carries an IPv4 address inside (mapped, translated, NAT64, Teredo, 6to4) is never taken for a public one.
Sources: the IANA special-purpose address registries for IPv4 and IPv6, and IPv6 Global Unicast Address Assignments.
"""

import re
from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address
from urllib.parse import urlsplit

MOST_CHARACTERS = 2_048

_NAME = r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,62}"
_URL = r"[\x21-\x7e]+"
_LOOPBACK_NAME = "localhost"
# Names that only a network of one's own resolves.
_OWN_SUFFIXES = (".localhost", ".local", ".internal", ".home.arpa")
_DEFAULT_PORTS = {"http": 80, "https": 443}

_PUBLIC_V6 = IPv6Network("2000::/3")
# Python's `is_global` agrees with these, but what it knows differs between its versions.
_NOT_PUBLIC_V4 = [
    IPv4Network(net)
    for net in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    )
]
# Parts of 2000::/3 that are nobody's host: protocols (Teredo among them), documentation, 6to4.
_NOT_PUBLIC_V6 = [IPv6Network(net) for net in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")]


class BadAddress(ValueError):  # noqa: N818 - an answer to the caller
    """The URL may not be called; `str()` says why."""


def check_url(url: str, *, schemes: Collection[str], ports: Collection[int], local: bool) -> None:
    """Do nothing if the text of `url` names a host that may be called.

    schemes: of `http` and `https`, those that are allowed. ports: those that are allowed, the scheme's own included.
    local: this is a laptop, on which a receiver may be too, at any port and over http.

    Raises:
        BadAddress: it may not be called.
    """
    if len(url) > MOST_CHARACTERS:
        raise BadAddress(f"must not be longer than {MOST_CHARACTERS} characters")
    if not re.fullmatch(_URL, url) or "\\" in url:
        raise BadAddress("must be a URL in ASCII, with everything else percent-encoded")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise BadAddress("is not a URL") from None
    own = local and is_this_machine(host)
    if parts.scheme not in schemes and not (own and parts.scheme in _DEFAULT_PORTS):
        raise BadAddress(f"must begin with {' or '.join(f'{scheme}://' for scheme in sorted(schemes))}")
    if "@" in parts.netloc:
        raise BadAddress("must not hold a user or a password")
    if parts.fragment:
        raise BadAddress("must not have a fragment")
    if not own and not may_be_public(host):
        raise BadAddress("must have a public host")
    port = _DEFAULT_PORTS[parts.scheme] if port is None else port
    if port == 0 or not (own or port in ports):
        raise BadAddress(f"must have port {' or '.join(str(one) for one in sorted(ports))}")


def may_call(address: str, port: int, *, ports: Collection[int], local: bool) -> bool:
    """Whether Sluice may connect to `port` of this IP address; arguments as those of `check_url`.

    Raises:
        ValueError: it is no IP address.
    """
    return (local and ip_address(address).is_loopback) or (port in ports and is_public(address))


def is_public(address: str) -> bool:
    """Whether the IP address is one of a host on the public internet.

    Raises:
        ValueError: it is no IP address.
    """
    ip = ip_address(address)
    if isinstance(ip, IPv4Address):
        return ip.is_global and not any(ip in net for net in _NOT_PUBLIC_V4)
    handed_out = ip in _PUBLIC_V6 and not any(ip in net for net in _NOT_PUBLIC_V6)
    return handed_out and ip.is_global and ip.scope_id is None


def may_be_public(host: str) -> bool:
    """Whether the host is a public IP address, or a name that may have one. What ends in a number is no name."""
    try:
        return is_public(host)
    except ValueError:
        return bool(re.fullmatch(_NAME, host)) and not host.endswith(_OWN_SUFFIXES)


def is_this_machine(host: str) -> bool:
    """Whether the host is this machine itself: a loopback address, `localhost`, or a name below it (RFC 6761)."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == _LOOPBACK_NAME or (host.endswith(f".{_LOOPBACK_NAME}") and bool(re.fullmatch(_NAME, host)))
