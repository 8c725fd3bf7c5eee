"""How what has happened is said in a mail. Pure."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sluice.platform.clock import iso

# SNS takes no more of a subject.
MOST_SUBJECT: Final = 100
# Lines that one mail shows; of more it says how many.
MOST_SHOWN: Final = 40
MOST_LINE: Final = 600
# A summary has several parts, each bounded where it is made (`figures`).
MOST_SUMMARY: Final = 12_000
HOW_TO_STOP: Final = "What you are told, and where: PUT /v1/notifications, or `sluice notifications`."

Data = Mapping[str, Any]


class Line(NamedTuple):
    """One thing that has happened. at: epoch ms."""

    type: str
    at: int
    text: str


class Mail(NamedTuple):
    """What is sent."""

    subject: str
    text: str


def _dead(data: Data) -> str:
    return (
        f"The job {data['jobId']} was given up {end_of(data)}. "
        "Its dead letter has the whole history and can be replayed: GET /v1/dead-letters"
    )


def end_of(data: Data) -> str:
    """After how many tries, and of what, a job has died."""
    error = data["error"] or {"code": "unknown", "message": "no reason was kept"}
    tries = f"{data['attempts']} {'try' if data['attempts'] == 1 else 'tries'}"
    return f"after {tries}: {error['message']} ({error['code']})"


def _broken(data: Data) -> str:
    name = data["marketplace"]
    return (
        f"Your {name} account is {data['status']}: {data['reason']}. Its jobs wait until it is connected again: "
        f"`sluice connect {name}`, or PUT /v1/accounts/{name}"
    )


def _changed(data: Data) -> str:
    listing, status = data["listingId"], data["status"]
    if data["reason"] == "twin":
        return f"The listing {listing} was made twice; the second one ({data['marketplaceId']}) was withdrawn."
    if data["reason"] == "confirmed":
        return f"It is known now what became of the {data['action']} of listing {listing}: it is {status}."
    order = f", by order {data['order']}" if data.get("order") else ""
    return f"The listing {listing} is not as you asked: it is {status}{order}. GET /v1/stockx/listings/{listing}"


def _live(data: Data) -> str:
    where = f"ebay/listings/{data['sku']}" if data["sku"] else f"{data['marketplace']}/listings/{data['listingId']}"
    named = f"{data['sku']} ({data['listingId']})" if data["sku"] else data["listingId"]
    return f"The listing {named} is live at {data['marketplace']}. GET /v1/{where}"


def _ebay(what: str) -> Callable[[Data], str]:
    return lambda data: f"{what.format(**data)} GET /v1/ebay/listings/{data['sku']}"


def _page(what: str) -> Callable[[Data], str]:
    return lambda data: f"{page_news(what, data)} {data['url']}; what was read: GET /v1/pages/{data['pageId']}"


def page_news(what: str, data: Data) -> str:
    """What is new of a product page, in a sentence."""
    reason = f" ({data['reason']})" if data.get("reason") else ""
    return f"{data['label'] or data['title'] or data['url']}: {what}{reason}."


def _disabled(data: Data) -> str:
    return f"Your webhook {data['webhookId']} was disabled: {data['reason']}. PUT /v1/webhooks enables it again."


def _failures(data: Data) -> str:
    worst = [f"{one['kind']} at {one['marketplace']}: {one['dead']} of {one['ended']}" for one in data["queues"]]
    return (
        f"{data['percent']} % of your jobs died since {data['since']} ({data['dead']} of {data['ended']}; you wanted "
        f"to know above {data['threshold']} %): {'; '.join(worst)}. Their dead letters say why: GET /v1/dead-letters. "
        "You are told again when it has been at or below that meanwhile."
    )


def _summary(data: Data) -> str:
    jobs = [
        f"{one['kind']} at {one['marketplace']}: {one['succeeded']} succeeded, {one['dead']} died"
        + (f", {one['cancelled']} cancelled" if one["cancelled"] else "")
        for one in data["jobs"]
    ]
    prices = data["prices"]
    changed = [
        f"{one['sku']} {one['size']} at {one['marketplace']}: {one['before']} -> {one['after']} {one['currency']} "
        f"({one['percent']:+} %)"
        for one in prices or ()
    ]
    waiting = [
        f"{one['kind']} at {one['marketplace']}: {one['queued']} wait: {one['reason']}"
        + (f" (until {one['until']})" if one["until"] else "")
        for one in data["waiting"]
    ]
    quotas = [
        f"{one['service']}, {_window(one['window'])}: {one['used']} of {one['limit']} calls" for one in data["quotas"]
    ]
    none = "compared from the next summary on" if prices is None else "no price of what you own has changed"
    return "\n".join(
        [
            f"Your day {data['day']}: {data['from']} to {data['to']}.",
            *_part("Jobs", jobs, "none has ended"),
            *_part("Prices that changed most", changed, none),
            *_part("What waits", waiting, "nothing"),
            *_part("Quotas", quotas, "no account is connected whose calls are limited"),
        ]
    )


def _window(name: str) -> str:
    """A window of the clock, or the length of one that rolls."""
    return f"this {name}" if name in ("hour", "day") else f"in any {name}"


def _part(title: str, rows: Sequence[str], none: str) -> list[str]:
    return [f"{title}:", *(f"  {row}" for row in rows)] if rows else [f"{title}: {none}."]


# What is told of a product page.
PAGE_NEWS: Final[Mapping[str, str]] = {
    "page.price_dropped": "its price has dropped",
    "page.back_in_stock": "it is back in stock",
    "page.variant_gone": "a variant is gone",
    "page.unreadable": "the page cannot be read any more",
}
# What is mailed to whoever wants it, and how each is said: from an event's data as webhooks have it (docs/webhooks.md).
SAID: Final[Mapping[str, Callable[[Data], str]]] = {
    "job.dead": _dead,
    "account.broken": _broken,
    "listing.live": _live,
    "listing.changed": _changed,
    "listing.drift": _ebay("eBay shows {sku} otherwise than you have it ({class})."),
    "listing.sold": _ebay("{quantity} of {sku} sold at eBay."),
    "listing.ended": _ebay("The eBay listing of {sku} was ended by {by}."),
    "listing.on_hold": _ebay("eBay has put the listing of {sku} on hold."),
    **{kind: _page(what) for kind, what in PAGE_NEWS.items()},
    "webhook.disabled": _disabled,
    "failures.high": _failures,
    "summary.daily": _summary,
}
# In a subject: what one is called, and what several are.
NAMES: Final[Mapping[str, tuple[str, str]]] = {
    "job.dead": ("dead job", "dead jobs"),
    "account.broken": ("broken account", "broken accounts"),
    "listing.live": ("live listing", "live listings"),
    "listing.changed": ("changed listing", "changed listings"),
    "listing.drift": ("eBay difference", "eBay differences"),
    "listing.sold": ("eBay sale", "eBay sales"),
    "listing.ended": ("ended eBay listing", "ended eBay listings"),
    "listing.on_hold": ("eBay listing on hold", "eBay listings on hold"),
    "page.price_dropped": ("price drop", "price drops"),
    "page.back_in_stock": ("product back in stock", "products back in stock"),
    "page.variant_gone": ("variant gone", "variants gone"),
    "page.unreadable": ("unreadable page", "unreadable pages"),
    "webhook.disabled": ("disabled webhook", "disabled webhooks"),
    "failures.high": ("failure rate that is too high", "failure rates that are too high"),
    "summary.daily": ("daily summary", "daily summaries"),
}


def said(kind: str, data: Data) -> str:
    """An event as a line of a mail. data: as webhooks have it."""
    return in_one_line(SAID[kind], data)[: MOST_SUMMARY if kind == "summary.daily" else MOST_LINE]


def in_one_line(say: Callable[[Data], str], data: Data) -> str:
    """What `say` makes of `data`, where nothing in `data` begins a line of its own.

    Titles, reasons and addresses are others' words: with a line end in them they could say more lines in our name.
    """
    return say(_printable(data))


def _printable(value: Any) -> Any:
    """`value` with a space in place of each character of its texts that is not printed, such as a line end."""
    if isinstance(value, str):
        return "".join(one if one.isprintable() else " " for one in value)
    if isinstance(value, Mapping):
        return {name: _printable(one) for name, one in value.items()}
    return [_printable(one) for one in value] if isinstance(value, list | tuple) else value


def mail(lines: Sequence[Line], stage: str) -> Mail:
    """One mail that tells of `lines`, grouped by type, the oldest first. stage: of the deployment, for the subject."""
    found = Counter(line.type for line in lines)
    shown = [line for kind in found for line in sorted(lines, key=lambda one: one.at) if line.type == kind]
    rows = [f"{iso(line.at)}  {line.text}" for line in shown[:MOST_SHOWN]]
    if len(shown) > MOST_SHOWN:
        rows.append(f"… and {len(shown) - MOST_SHOWN} more.")
    return Mail(subject(counted(found), stage), "\n\n".join([*rows, HOW_TO_STOP]))


def counted(found: Counter[str]) -> str:
    """How many of each type: `20 dead jobs, 1 broken account`."""
    return ", ".join(f"{number} {NAMES[kind][number > 1]}" for kind, number in found.most_common())


def trial(stage: str) -> Mail:
    """The mail that somebody asks for to see whether it comes."""
    return Mail(subject("a test", stage), f"This is a test. Nothing has happened.\n\n{HOW_TO_STOP}")


def subject(what: str, stage: str) -> str:
    """A subject that SNS takes: ASCII, in one line, not too long."""
    text = f"Sluice ({stage}): {what}".encode("ascii", "replace").decode()
    return text if len(text) <= MOST_SUBJECT else f"{text[: MOST_SUBJECT - 3]}..."
