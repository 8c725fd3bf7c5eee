"""Where a webhook may go: to public addresses over https, and nowhere near ourselves. Pure.

A URL is checked when it is given, and its host's addresses each time that a connection is made (see `client`).
"""

import re
from urllib.parse import urlsplit

from sluice.platform import addresses
from sluice.platform.addresses import BadAddress

# 8443 is the usual other port of https; a receiver that stands anywhere else is more likely no receiver.
PORTS = frozenset({443, 8443})

# In place of what may be a key.
MASK = "***"
_MASKED = r"[/?]\*\*\*(?=[/?]|$)"
# A part of a path that is made of words, such as `sluice`, `my-hooks`, `hook.php` or `v1`, and cannot be a key.
_WORDS = r"v[0-9]{1,2}|[A-Za-z]{1,16}([-_.][A-Za-z]{1,16}){0,3}"


def masked(url: str) -> str:
    """The URL as it is shown, to everybody: its host, and the first part of its path if that is made of words.

    All else may be a key, as in `https://hooks.example.com/services/T0BEC0/x8Zb…`, and is masked. So is a user, which
    no new URL has. A masked URL masked again is the same.
    """
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    first, slash, rest = parts.path.removeprefix("/").partition("/")
    shown = f"{parts.scheme}://{MASK if user else ''}{at}{host}{parts.path[:1]}"
    if first and not re.fullmatch(_WORDS, first):
        shown += MASK
    else:
        shown += first + slash + (MASK if rest else "")
    return shown + (f"?{MASK}" if parts.query else "")


def check(url: str, *, local: bool) -> None:
    """Do nothing if `url` may be a webhook's. local: this is a laptop, where the receiver may be on it too.

    Raises:
        BadAddress: it may not.
    """
    if re.search(_MASKED, url):
        raise BadAddress("is masked as it is shown; give the whole URL")
    addresses.check_url(url, schemes=("https",), ports=PORTS, local=local)
