"""What this process knows of each account, so that a warm worker neither reads nor decrypts for each call."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

MOST_SEEN = 1_000


@dataclass(frozen=True)
class Access:
    """What speaks for an account. version: the account's `token_version` that it belongs to."""

    credentials: Mapping[str, str] = field(repr=False)
    token: str = field(repr=False)
    version: int
    expires_at: int


@dataclass
class SeenGrant:
    """What this process knows of one grant, as of `looked_at`; `busy_until` as the table's `refreshing_until`.

    verified: the table says that the marketplace has accepted it.
    """

    lock: threading.RLock = field(default_factory=threading.RLock)
    looked_at: int | None = None
    version: int = 0
    busy_until: int = 0
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    access: Access | None = None
    verified: bool = False


class Cache:
    """What this process knows of each account's tokens."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], SeenGrant] = {}

    def of(self, account_id: str, which: str = "") -> SeenGrant:
        """The one entry of `account_id`, and of which of its tokens where it has several."""
        if len(self._seen) > MOST_SEEN:
            self.clear()
        return self._seen.setdefault((account_id, which), SeenGrant())

    def clear(self) -> None:
        """Know nothing."""
        self._seen.clear()


process_cache = Cache()


def forget() -> None:
    """Know no account any more."""
    process_cache.clear()
