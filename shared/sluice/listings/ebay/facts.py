"""What is known of a seller and of categories, each thing read once: for one run of a worker, or for one request.

Records of one batch name the same policies, places and categories. What those are may change between two batches, not
within one; what others do to a record may, and is not kept here.
"""

from collections.abc import Callable
from threading import RLock
from typing import Any, TypeVar, cast

from sluice.listings.ebay import categories, sellers
from sluice.listings.ebay.desired import Desired
from sluice.listings.ebay.sellers import KnownPolicies, Places
from sluice.marketplaces.accounts import sellers as same_sellers
from sluice.platform.http.errors import FieldError
from sluice.platform.refused import Refused

T = TypeVar("T")


class Facts:
    """Of the seller of an account. Threads may share it."""

    def __init__(self, account: str) -> None:
        self.account = account
        self._known: dict[tuple[str, ...], Any] = {}
        self._lock = RLock()

    def policies(self, site: str) -> KnownPolicies | None:
        """The policies on a site; None before they were read."""
        return self._once(("policies", site), lambda: sellers.known(self.account, site))

    def places(self) -> Places | None:
        """Where goods are sent from; None before that was read."""
        return self._once(("places",), lambda: sellers.places(self.account))

    def others(self) -> list[str]:
        """The other accounts that certainly act for the same user of eBay."""
        return self._once(("others",), lambda: same_sellers.others(self.account))

    def category(self, site: str, number: str) -> categories.KnownCategory | None:
        """What a category asks for; None before that was read."""
        return self._once(("category", site, number), lambda: categories.known(site, number))

    def check(self, desired: Desired) -> None:
        """Do nothing unless the record names a policy or a place that the seller has not, as far as they were read.

        Raises:
            Refused: by the place in the record.
        """
        known, places = self.policies(desired.marketplace), self.places()
        gone = known.ids(desired.policies) if known else None
        what = f"is none of your policies at {desired.marketplace}, as eBay last told them"
        wrong = [FieldError(one.field, what) for one in gone] if isinstance(gone, list) else []
        if places and desired.location not in places.usable:
            wrong.append(FieldError("location", "is none of your locations that are enabled, as eBay last told them"))
        if wrong:
            raise Refused.of(wrong)

    def once(self, *what: str, ask: Callable[[], object]) -> None:
        """Do `ask`, which is to be done once, however many records need it. What has failed is done by the next."""
        self._once(("asked", *what), ask)

    def _once(self, key: tuple[str, ...], read: Callable[[], T]) -> T:
        with self._lock:
            if key not in self._known:
                self._known[key] = read()
            return cast(T, self._known[key])
