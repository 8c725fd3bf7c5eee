"""Marketplaces that are not asked whether they accept credentials, for tests that are about something else."""

from collections.abc import Mapping

import pytest

from sluice.jobs.model.run import Calls
from sluice.marketplaces.accounts.offered import Offer
from sluice.marketplaces.accounts.table import PLACES, Proof
from sluice.marketplaces.registry import Marketplace
from sluice.platform.clock import Clock

ACCEPTED = (Proof(verified=True),) * len(PLACES)


def accept_all(patch: pytest.MonkeyPatch) -> None:
    """Every marketplace accepts whatever it is given, without a call."""

    def accept(credentials: Mapping[str, str], calls: Calls, clock: Clock, timeout_ms: int) -> Offer:
        return Offer(credentials, ACCEPTED)

    patch.setattr(Marketplace, "load_try_out", lambda _: accept)
