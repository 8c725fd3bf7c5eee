"""What is known of hosts: their robots.txt, read once a day, and how they are left alone when they refuse."""

from collections.abc import Callable

from sluice.pages import robots, table, urls
from sluice.pages.fetch import PageClient, Unfetched
from sluice.pages.robots import RobotsRules
from sluice.pages.table import PageHost
from sluice.platform import tables
from sluice.platform.clock import Clock, ttl

# What of a robots.txt is stored: far more than any is long when packed.
MOST_PACKED = 300_000


class Rulebook:
    """The rules of the hosts that one check comes to, read from the table or asked for."""

    def __init__(self, client: PageClient, clock: Clock, take: Callable[[], None]) -> None:
        """take: returns when the next request to the page's host may start."""
        self._client = client
        self._clock = clock
        self._take = take
        self._known: dict[str, RobotsRules] = {}

    def of(self, url: str) -> RobotsRules:
        """The rules of the host of `url`.

        Raises:
            Unfetched: the host has not said, so that nothing of it is fetched now.
        """
        origin = urls.origin(url)
        if origin not in self._known:
            self._known[origin] = self._stored(origin) or self._fetched(origin)
        return self._known[origin]

    def permit(self, url: str) -> None:
        """Do nothing if `url` may be fetched.

        Raises:
            Unfetched: the host's robots.txt does not allow it, or could not be read.
        """
        if not self.of(url).allows(url):
            raise Unfetched("robots", "the shop's robots.txt does not allow this page to be fetched", passing=False)

    def _stored(self, origin: str) -> RobotsRules | None:
        try:
            found = PageHost.get(urls.host(origin))
        except PageHost.DoesNotExist:
            return None
        if found.origin != origin or self._clock.now() - found.read_at > robots.KEEP_MS:
            return None
        return RobotsRules(table.unpack_text(found.robots))

    def _fetched(self, origin: str) -> RobotsRules:
        self._take()
        try:
            answer = self._client.get(f"{origin}/robots.txt", {}, _anything, most=robots.MOST_BYTES, cut=True)
        except Unfetched as failed:
            raise Unfetched(
                failed.code, f"its robots.txt could not be read: {failed}", passing=failed.passing
            ) from None
        rules = robots.of_answer(answer.status, answer.body)
        if rules is None:
            raise Unfetched("robots_unread", f"its robots.txt was answered with {answer.status}", passing=True)
        now = self._clock.now()
        packed, _ = table.pack_text(rules.text, MOST_PACKED)
        ends = ttl(now + 2 * robots.KEEP_MS)
        tables.put(
            PageHost(
                urls.host(origin), origin=origin, robots=packed, delay_ms=rules.delay_ms, read_at=now, expires_at=ends
            )
        )
        return rules


def _anything(_: str) -> None:
    """robots.txt itself may always be asked for."""
