"""The mail of whoever runs the deployment: what became of everybody's work, by tenant. Pure.

However much one tenant has to tell, the mail names every other one that has something, with its counts, and shows
lines of each in turn.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice, zip_longest
from typing import Final

from sluice.notifications import texts
from sluice.notifications.texts import Data, Line, Mail
from sluice.platform.clock import iso

# By tenant, the oldest first.
Lines = Mapping[str, Sequence[Line]]

MORE: Final = "This is not all: so much has happened that the next mail, in ten minutes, goes on."
WHERE: Final = (
    "All of it, also what no mail has a line of, with the role `platform`: dead letters GET "
    "/v1/operator/dead-letters?tenant=…, accounts GET /v1/operator/accounts?tenant=…, "
    "product pages GET /v1/operator/checks/recent."
)


def _broken(data: Data) -> str:
    return (
        f"The account {data['account']} is {data['status']}: {data['reason']}. "
        f"Its jobs wait until its tenant connects it again: PUT /v1/accounts/{data['marketplace']}"
    )


def _page(what: str) -> Callable[[Data], str]:
    return lambda data: f"{texts.page_news(what, data)} {data['url']}"


# What the operator is told of, and how each is said: from an event's whole detail (docs/events.md).
SAID: Final[Mapping[str, Callable[[Data], str]]] = {
    "job.dead": lambda data: f"The job {data['jobId']} of {data['account']} was given up {texts.end_of(data)}",
    "account.broken": _broken,
    **{kind: _page(what) for kind, what in texts.PAGE_NEWS.items()},
}


def said(kind: str, detail: Data) -> str:
    """An event as a line of the mail."""
    return texts.in_one_line(SAID[kind], detail)[: texts.MOST_LINE]


def mail(lines: Lines, stage: str, *, more: bool) -> Mail:
    """One mail of `lines`: counts of each tenant, then lines of all in turns. more: others wait for the next mail."""
    counts = {tenant: Counter(line.type for line in of) for tenant, of in sorted(lines.items())}
    total = sum(counts.values(), Counter[str]())
    of_whom = f" of {len(counts)} tenants" if len(counts) > 1 else f" of {next(iter(counts))}"
    shown = sorted(islice(_in_turns(lines), texts.MOST_SHOWN), key=lambda one: (one[1].at, one[0]))
    unshown = total.total() - len(shown)
    parts = [
        "\n".join(f"{tenant}: {texts.counted(found)}" for tenant, found in counts.items()),
        *(f"{iso(line.at)}  {tenant}: {line.text}" for tenant, line in shown),
        *([f"… and {unshown} more."] if unshown else []),
        *([MORE] if more else []),
        WHERE,
    ]
    return Mail(texts.subject(texts.counted(total) + of_whom, stage), "\n\n".join(parts))


def _in_turns(lines: Lines) -> Iterator[tuple[str, Line]]:
    """The first line of each tenant, then the second one of each, and so on."""
    for turn in zip_longest(*([(tenant, line) for line in of] for tenant, of in sorted(lines.items()))):
        yield from (one for one in turn if one is not None)
