"""How budgets name an application: eBay counts calls by client id, whoever uses it."""

from collections.abc import Mapping
from hashlib import blake2b

from sluice.platform.settings import settings

# The longest key that blake2b takes.
MOST_KEY_BYTES = 64


def application_key(marketplace: str, credentials: Mapping[str, str]) -> str | None:
    """What names the application of these credentials in budgets; None where a marketplace has none.

    It is the same in every process of this stack, and a client id cannot be read from it: budgets are named in logs.
    """
    client_id = credentials.get("client_id")
    if not client_id:
        return None
    text, stack = f"{marketplace} {client_id}".encode(), settings().stack.encode()
    return blake2b(text, key=stack[:MOST_KEY_BYTES], digest_size=8, person=b"application").hexdigest()
