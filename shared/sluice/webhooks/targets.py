"""Where a webhook may go: to public addresses over https, and nowhere near ourselves. Pure.

A URL is checked when it is given, and its host's addresses each time that a connection is made (see `client`).
"""

from urllib.parse import urlsplit

from sluice.platform import addresses
from sluice.platform.addresses import BadAddress

# 8443 is the usual other port of https; a receiver that stands anywhere else is more likely no receiver.
PORTS = frozenset({443, 8443})


# In place of a query.
MASK = "?***"


def masked(url: str) -> str:
    """The URL as it is shown: its query, which may hold a key, is masked. So is a user, which no new URL has."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    shown = f"{parts.scheme}://{'***' if user else ''}{at}{host}{parts.path}"
    return shown + (MASK if parts.query else "")


def check(url: str, *, local: bool) -> None:
    """Do nothing if `url` may be a webhook's. local: this is a laptop, where the receiver may be on it too.

    Raises:
        BadAddress: it may not.
    """
    if url.endswith(MASK):
        raise BadAddress("is masked as it is shown; give the whole URL")
    addresses.check_url(url, schemes=("https",), ports=PORTS, local=local)
