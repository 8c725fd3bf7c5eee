"""Tokens that a person makes at the marketplace and hands over: they do not end, and no program can renew them."""

import sys
from collections.abc import Mapping

from sluice.marketplaces.accounts.access_tokens import Tokens
from sluice.marketplaces.accounts.oauth import Fresh
from sluice.marketplaces.accounts.token_cache import Access, Cache, process_cache
from sluice.marketplaces.http.errors import BadAnswer
from sluice.platform.clock import Clock

CREDENTIAL = "personal_access_token"


class PersonalTokens(Tokens):
    """The personal access token of one account. The first 401 breaks the account: only its owner has another one."""

    def __init__(self, account_id: str, clock: Clock, cache: Cache = process_cache) -> None:
        super().__init__(account_id, _refuse, clock, cache)

    def replace(self, refused: Access) -> Access:
        """Another token than `refused`, if the account has been connected again since.

        Raises:
            AccountBroken: it has not.
        """
        seen = self._seen
        with seen.lock:
            self._read_anew()
            if seen.version == refused.version:
                raise self.give_up(refused, "the personal access token is not accepted: make a new one and connect it")
        return self.get()

    def _renew(self, usable: Access | None) -> Access:  # noqa: ARG002 - there is no other
        """The token as it was handed over. Asked for once in each process and connection."""
        seen = self._seen
        seen.access = Access(seen.credentials, seen.credentials[CREDENTIAL], seen.version, sys.maxsize)
        return seen.access


def _refuse(_: Mapping[str, str]) -> Fresh:
    raise BadAnswer("a personal access token cannot be renewed")
