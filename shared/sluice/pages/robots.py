"""robots.txt: what of a host may be fetched, and how far apart (RFC 9309: the longest rule that matches wins)."""

from dataclasses import dataclass
from functools import cached_property

from protego import Protego

from sluice.pages.fetch import AGENT
from sluice.platform.clock import DAY, HOUR, SECOND

# RFC 9309: no copy is used for longer, and parsers read at least 500 KiB.
KEEP_MS = DAY
MOST_BYTES = 512 * 1024
MOST_DELAY_MS = HOUR


@dataclass(frozen=True)
class RobotsRules:
    """The rules of one host. text: its robots.txt; empty where it has none, and everything is allowed."""

    text: str

    @cached_property
    def _parsed(self) -> Protego:
        return Protego.parse(self.text)

    def allows(self, url: str) -> bool:
        """Whether `url` may be fetched."""
        return not self.text or bool(self._parsed.can_fetch(url, AGENT))

    @property
    def delay_ms(self) -> int:
        """How far apart the host wants visits; 0 where it does not say. An hour at most."""
        delay = self._parsed.crawl_delay(AGENT) if self.text else None
        # A delay may be any float that a text can say, up to 1e308 seconds, which no whole number of ms is.
        return int(min(MOST_DELAY_MS, max(0, delay * SECOND))) if delay is not None else 0


def of_answer(status: int, body: bytes) -> RobotsRules | None:
    """The rules that an answer to `/robots.txt` gives; None where it gives none and the host must be asked later.

    A file that is not there, or not for us, forbids nothing. A host in trouble is left alone.
    """
    if 200 <= status < 300:
        return RobotsRules(body.decode("utf-8-sig", errors="replace"))
    return RobotsRules("") if 400 <= status < 500 and status != 429 else None
