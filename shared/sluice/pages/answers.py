"""What a shop's answer means before its page is read. Pure."""

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

from sluice.pages import urls
from sluice.platform.clock import DAY, SECOND

# A page of this system's challenge, whatever else it shows.
_CHALLENGE = b"_cf_chl_opt"
_REFUSED = (401, 403, 407, 429, 451)
_GONE = (404, 410)
_NOT_FOUND_TITLE = (
    r"<title[^>]*>[^<]{0,80}?(?:\b404\b|not found|no longer available|nicht gefunden|introuvable|no encontrad[ao]"
    r"|non trovat[ao]|niet gevonden|hittades inte|ikke funnet|ikke fundet)"
)


def challenged(status: int, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether the answer is a test for browsers instead of the page."""
    return "challenge" in headers.get("cf-mitigated", "") or (status in (403, 503) and _CHALLENGE in body)


def refused(status: int) -> bool:
    """Whether the shop does not want this request."""
    return status in _REFUSED


def gone(status: int) -> bool:
    """Whether the shop says that the page is no more."""
    return status in _GONE


def says_not_found(text: str) -> bool:
    """Whether a page that was answered as if it were there says that it is not."""
    return re.search(_NOT_FOUND_TITLE, text[:20_000], re.IGNORECASE) is not None


def same_page(asked: str, answered: str) -> bool:
    """Whether a redirect has led to the page that was asked for: another spelling, host prefix or language of it.

    What leads to a category, the start page or another product is not it, and its price is not the page's.
    """
    before, after = urls.handle(asked), urls.handle(answered)
    if _site(before.hostname) != _site(after.hostname):
        return False
    one, other = _last(before.path), _last(after.path)
    return one == other and (bool(one) or before.path.strip("/") == after.path.strip("/"))


def retry_after(headers: Mapping[str, str], now: int) -> int | None:
    """When the host wants to be asked again, epoch ms; None where it does not say. A day from now at most."""
    said = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", said, re.ASCII):
        return now + min(int(said) * SECOND, DAY)
    try:
        at = parsedate_to_datetime(said)
        moment = at if at.tzinfo else at.replace(tzinfo=UTC)
        return max(now, min(round(moment.timestamp() * SECOND), now + DAY))
    except (ValueError, TypeError, OverflowError):
        return None


def _site(host: str | None) -> str:
    return (host or "").removeprefix("www.").removeprefix("m.")


def _last(path: str) -> str:
    return re.sub(r"\.html?$", "", path.rstrip("/").rpartition("/")[2].lower())
