"""One check of one page: fetched, and read. Nothing is stored here."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from sluice.pages import answers, charset, readers, urls
from sluice.pages.fetch import PageClient, ShopAnswer, Unfetched
from sluice.pages.hosts import Rulebook
from sluice.pages.readers import loose_json, shopify
from sluice.pages.readers.page import PageSource
from sluice.pages.reading import FAILED, UNCHANGED, Reading, ReadOutcome
from sluice.platform.clock import MINUTE, Clock
from sluice.platform.html_guard import TooComplex

# How long a host is left alone that refuses, or is in trouble, and does not say for how long. It grows each time
# (`jobs.budgets.pace`).
REFUSED_MS: Final = 5 * MINUTE
TROUBLE_MS: Final = MINUTE
_OK = range(200, 300)
_NOT_MODIFIED = 304
_TROUBLE = 500
_PAGE_TYPES = ("html", "xml", "text/plain")


# One page at a time is parsed by a process: that is work for the CPU alone, and a large one takes memory.
_reading = threading.Lock()

# Keeps everybody from the host until then (epoch ms), for this reason.
Close = Callable[[int, str], None]
# What else the shop says, given the URLs to ask.
More = Callable[[Sequence[str]], list[Any]]


class HostPause(NamedTuple):
    """The host is left alone until then (epoch ms), and why. named: the host itself has said until when."""

    until: int
    reason: str
    named: bool = False


@dataclass(frozen=True)
class CheckResult:
    """What a check came to.

    status: a `ReadOutcome`, `unchanged` or `failed`. reading: what the page says, if it was read. code, about: why it
    was not. passing: another try soon may succeed. pause: how long the host is to be left alone. text: the page, to be
    kept where it could not be read. etag, modified: for the next request. metadata: of the check.
    """

    status: str
    reading: Reading | None = None
    code: str | None = None
    about: str = ""
    passing: bool = False
    pause: HostPause | None = None
    text: str = ""
    etag: str | None = None
    modified: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


class PageRequest(NamedTuple):
    """What is checked: a URL in normal form, and what the last answer said to ask with."""

    url: str
    etag: str | None
    modified: str | None


def check(
    asked: PageRequest, client: PageClient, clock: Clock, take: Callable[[], None], close: Close, *, local: bool
) -> CheckResult:
    """Fetch and read a page.

    take: returns when a request may start, and is called before each. close: keeps everybody from the host for a time.

    Raises:
        Failure: whatever `take` raises.
    """
    pace = _Pace(clock, take, close)
    rules = Rulebook(client, clock, pace.wait)
    headers = {"if-none-match": asked.etag} if asked.etag else {}
    headers |= {"if-modified-since": asked.modified} if asked.modified else {}
    try:
        rules.permit(asked.url)
        pace.delay_ms = rules.of(asked.url).delay_ms
        pace.wait()
        answer = client.get(asked.url, headers, rules.permit)
        return _answered(asked, answer, clock.now(), lambda urls_: _more(urls_, client, rules, pace), local=local)
    except Unfetched as failed:
        blocked = failed.code == "robots"
        return CheckResult(
            ReadOutcome.BLOCKED if blocked else FAILED, code=failed.code, about=str(failed), passing=failed.passing
        )


class _Pace:
    """The requests of one check, as far apart as the host wants.

    A host that asks for a delay of its own is closed to all others from each request on, for as long as that.
    """

    def __init__(self, clock: Clock, take: Callable[[], None], close: Close) -> None:
        self.delay_ms = 0
        self._clock = clock
        self._take = take
        self._close = close
        self._last: int | None = None

    def wait(self) -> None:
        """Return when the next request may start."""
        if self._last is None or not self.delay_ms:
            self._take()
        else:
            self._clock.wait_until(self._last + self.delay_ms, threading.Event())
        self._last = self._clock.now()
        if self.delay_ms:
            self._close(self._last + self.delay_ms, "its robots.txt asks for this delay between visits")


def _answered(asked: PageRequest, answer: ShopAnswer, now: int, more: More, *, local: bool) -> CheckResult:
    """What an answer means."""
    metadata = {
        "httpStatus": answer.status,
        "bytes": answer.packed,
        "notModified": answer.status == _NOT_MODIFIED,
        "redirects": list(answer.redirects),
    }
    if answer.status == _NOT_MODIFIED:
        return CheckResult(UNCHANGED, etag=asked.etag, modified=asked.modified, metadata=metadata)
    text = charset.decode(answer.body, answer.headers.get("content-type", ""))
    if answers.challenged(answer.status, answer.headers, answer.body):
        return _pausing(
            ReadOutcome.BLOCKED, "challenge", "a test for browsers instead of the page", answer, now, text, metadata
        )
    if answers.refused(answer.status):
        why = f"the shop refused the request ({answer.status})"
        return _pausing(ReadOutcome.BLOCKED, f"http_{answer.status}", why, answer, now, text, metadata)
    if answer.status >= _TROUBLE:
        why = f"the shop is in trouble ({answer.status})"
        return _pausing(FAILED, f"http_{answer.status}", why, answer, now, text, metadata)
    if answers.gone(answer.status):
        return CheckResult(
            ReadOutcome.GONE, code="gone", about=f"the shop answers {answer.status}", text=text, metadata=metadata
        )
    if answer.status not in _OK:
        about = f"the shop's answer is not a page ({answer.status})"
        return CheckResult(ReadOutcome.UNCLEAR, code=f"http_{answer.status}", about=about, text=text, metadata=metadata)
    if not answers.same_page(asked.url, answer.url):
        about = f"the shop redirects to another page: {answer.url}"[:400]
        return CheckResult(ReadOutcome.GONE, code="moved", about=about, text=text, metadata=metadata)
    return _read(answer, text, metadata, more, local=local)


def _pausing(
    status: str, code: str, why: str, answer: ShopAnswer, now: int, text: str, metadata: dict[str, Any]
) -> CheckResult:
    said = answers.retry_after(answer.headers, now)
    until = said or now + (TROUBLE_MS if status == FAILED else REFUSED_MS)
    return CheckResult(
        status,
        code=code,
        about=why,
        passing=status == FAILED,
        pause=HostPause(until, why, named=bool(said)),
        text=text,
        metadata=metadata,
    )


def _read(answer: ShopAnswer, text: str, metadata: dict[str, Any], more: More, *, local: bool) -> CheckResult:
    kind = answer.headers.get("content-type", "text/html").lower()
    if not any(one in kind for one in _PAGE_TYPES):
        about = f"a file of type {kind[:60]} instead of a page"
        return CheckResult(ReadOutcome.NO_PRODUCT, code="no_page", about=about, metadata=metadata)
    if answers.says_not_found(text):
        about = "the page itself says that it was not found"
        return CheckResult(ReadOutcome.GONE, code="says_not_found", about=about, text=text, metadata=metadata)
    try:
        with _reading:
            page = PageSource(answer.url, text)
            wanted = readers.more(page)
        also = more(wanted)
        with _reading:
            reading = readers.read(page, also)
    except TooComplex as complex_:
        return CheckResult(
            ReadOutcome.UNCLEAR, code="too_complex", about=f"the page has {complex_}", text=text, metadata=metadata
        )
    own = urls.canonical(answer.url, reading.canonical, local=local)
    reading = reading._replace(canonical=own or "")
    metadata |= {"source": reading.source, "variants": len(reading.variants)}
    good = reading.outcome is ReadOutcome.PRODUCT
    # A product's data that was fetched apart may change while the page stays as it is.
    again = good and reading.source != shopify.SOURCE
    return CheckResult(
        reading.outcome,
        reading,
        about=reading.seen,
        text="" if good else text,
        etag=answer.headers.get("etag") if again else None,
        modified=answer.headers.get("last-modified") if again else None,
        metadata=metadata,
    )


def _more(wanted: Sequence[str], client: PageClient, rules: Rulebook, pace: _Pace) -> list[Any]:
    """What else the shop says of the product; None for what could not be read."""
    found = list[Any]()
    for url in wanted:
        try:
            rules.permit(url)
            pace.wait()
            answer = client.get(url, {"accept": "application/json"}, rules.permit)
            ok = answer.status in _OK and answers.same_page(url, answer.url)
            values = loose_json.values(charset.decode(answer.body, "application/json; charset=utf-8")) if ok else []
            found.append(values[0] if values else None)
        except Unfetched:
            found.append(None)
    return found
