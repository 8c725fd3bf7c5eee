"""Keys of items as they stand in URLs and cursors: base64url without padding, which needs no escaping. Pure."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

# The longest range key that DynamoDB takes. It refuses a request that names a longer one, as a fault of ours.
MOST_KEY_BYTES = 1_024


def encode(key: str) -> str:
    """`key` as a client sees it, and hands it back unread."""
    return urlsafe_b64encode(key.encode()).decode().rstrip("=")


def decode(public: str, pattern: str) -> str | None:
    """The key that `encode` made `public` of; None if it made none, or none that all of `pattern` describes."""
    try:
        key = urlsafe_b64decode(public + "=" * (-len(public) % 4)).decode()
    except ValueError:  # neither base64 nor UTF-8
        return None
    fits = len(key.encode()) <= MOST_KEY_BYTES
    return key if fits and re.fullmatch(pattern, key) and encode(key) == public else None
