"""How an account fares, as the API shows it: whether it publishes, and how old what is known of its listings is."""

from typing import Annotated, Final

from typing_extensions import TypedDict

from sluice.listings.ebay import sellers, shares
from sluice.listings.ebay.sellers import SellerPart
from sluice.platform.clock import iso, iso_or_none
from sluice.platform.http.shapes import Among, Time

# What becomes of a report (`reports.run`).
OUTCOMES: Final = ("read", "not_allowed", "used_up", "failed", "late", "unreadable", "not_ours")


class LastReport(TypedDict):
    """eBay's report of your live listings. outcome: `read`, or why there was none: `not_allowed`, `used_up`, `failed`,
    `late`, `unreadable`, `not_ours`. reason: in words.

    madeAt: of the one that was read last.
    """

    outcome: Annotated[str, Among(OUTCOMES)]
    at: Time
    reason: str | None
    madeAt: Time | None


class PublishingPause(TypedDict):
    """Until when nothing new is published, and why. What is live is kept up to date."""

    until: Time
    reason: str


class OpenOnDay(TypedDict):
    """How many differences were open by class, at the end of the last round of looks of a day of UTC."""

    day: str
    open: dict[str, int]


class SyncStanding(TypedDict):
    """How the account fares. pause: null while it publishes.

    listings: those of the last complete round of looks. meanAgeMs: how old what is known of a listing is, on average.
    allowedAgeMs: how old it would be if nothing held the looks up, with the calls that they are given.
    itemsAgeMs: the same of quantities, titles and pictures, where items are gone through by pages between two looks.
    reportAgeMs: the same of prices and of what is there, where eBay's reports are read. report: of the newest.
    openByDay: of the last 30 days, oldest first; a day on which no round was completed is left out.
    """

    pause: PublishingPause | None
    listings: int | None
    roundMs: int | None
    meanAgeMs: int | None
    allowedAgeMs: int | None
    itemsAgeMs: int | None
    reportAgeMs: int | None
    report: LastReport | None
    lookedAt: Time | None
    openByDay: list[OpenOnDay]


def of(account: str, now: int) -> SyncStanding:
    """Whether the account publishes, and how old what is known of its listings is."""
    pause, look = sellers.paused(account, now), sellers.progress_of(account)
    report = sellers.report_of(account)
    return {
        "pause": {"until": iso(pause[0]), "reason": pause[1]} if pause else None,
        "listings": look.listings if look else None,
        "roundMs": look.round_ms if look else None,
        "meanAgeMs": shares.mean_age_ms(look) if look else None,
        "allowedAgeMs": shares.allowed_age_ms(look) if look else None,
        "itemsAgeMs": shares.items_age_ms(look) if look else None,
        "reportAgeMs": shares.report_age_ms(report),
        "report": _shown(report),
        "lookedAt": iso_or_none(look.looked_at) if look else None,
        "openByDay": [{"day": day, "open": open_} for day, open_ in sorted(sellers.open_by_day(account).items())],
    }


def _shown(part: SellerPart | None) -> LastReport | None:
    if part is None or part.outcome is None or part.outcome_at is None:
        return None
    return {
        "outcome": part.outcome,
        "at": iso(part.outcome_at),
        "reason": part.reason,
        "madeAt": iso_or_none(part.report_at),
    }
