"""What an error id of eBay's can mean: the form that the tables of its APIs share. Pure."""

from typing import Final, NamedTuple

from sluice.marketplaces.http.errors import MarketplaceFailure

# A 403 with it says so of the token alone, which is good for other calls of the account: nothing breaks.
MISSING_SCOPE: Final = "1100"


class Meaning(NamedTuple):
    """What to do about an error id.

    advice: for the seller, where only the seller can help. pause_ms: try again after this at the earliest. uncertain:
    what was asked for may have been done.
    """

    kind: type[MarketplaceFailure]
    advice: str = ""
    pause_ms: int = 0
    uncertain: bool = False
