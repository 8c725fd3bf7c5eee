"""Where a webhook may go: to public addresses over https, and nowhere near ourselves. Pure.

A URL is checked when it is given, and its host's addresses each time that a connection is made (see `client`).
"""

from sluice.platform import addresses

# 8443 is the usual other port of https; a receiver that stands anywhere else is more likely no receiver.
PORTS = frozenset({443, 8443})


def check(url: str, *, local: bool) -> None:
    """Do nothing if `url` may be a webhook's. local: this is a laptop, where the receiver may be on it too.

    Raises:
        BadAddress: it may not.
    """
    addresses.check_url(url, schemes=("https",), ports=PORTS, local=local)
