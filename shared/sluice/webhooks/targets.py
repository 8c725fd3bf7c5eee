"""Where a webhook may go: to public addresses over https, and nowhere near ourselves. Pure.

A name is checked when it is given, and its addresses each time that a connection is made (see `client`).
"""

import re
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

MOST_CHARACTERS = 2_048

_NAME = r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,62}"
_URL = r"[\x21-\x7e]+"
_LOOPBACK_NAME = "localhost"

# What Python's own table of addresses, which differs between its versions, takes for public: addresses of protocols,
# and IPv6 that carries an IPv4 address inside, which a gateway would unpack (IPv4-mapped, NAT64, Teredo, 6to4 …).
_NEVER = [
    ip_network(net)
    for net in (
        *("192.0.0.0/24", "192.88.99.0/24"),
        *("::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "fec0::/10"),
    )
]


class BadTarget(ValueError):  # noqa: N818 - an answer to the caller
    """The URL cannot be a webhook's; `str()` says why."""


def check(url: str, *, local: bool) -> None:
    """Do nothing if `url` may be a webhook's. local: this is a laptop, where the receiver may be on it too.

    Raises:
        BadTarget: it may not.
    """
    if len(url) > MOST_CHARACTERS:
        raise BadTarget(f"must not be longer than {MOST_CHARACTERS} characters")
    if not re.fullmatch(_URL, url) or "\\" in url:
        raise BadTarget("must be a URL in ASCII, with everything else percent-encoded")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise BadTarget("is not a URL") from None
    own = local and _is_loopback(host)
    if parts.scheme != "https" and not (own and parts.scheme == "http"):
        raise BadTarget("must begin with https://")
    if "@" in parts.netloc:
        raise BadTarget("must not hold a user or a password")
    if parts.fragment:
        raise BadTarget("must not have a fragment")
    if port == 0:
        raise BadTarget("must not have port 0")
    if not own and not _may_be_public(host):
        raise BadTarget("must have a public host")


def is_allowed(address: str, *, local: bool) -> bool:
    """Whether a webhook may be sent to this IP address."""
    ip = ip_address(address)
    if local and ip.is_loopback:
        return True
    return ip.is_global and not ip.is_multicast and not any(ip in net for net in _NEVER)


def _may_be_public(host: str) -> bool:
    """Whether the host is a public IP address, or a name that may have one. What ends in a number is no name."""
    try:
        return is_allowed(host, local=False)
    except ValueError:
        return bool(re.fullmatch(_NAME, host)) and not host.endswith((".localhost", ".local", ".internal"))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == _LOOPBACK_NAME
