"""A change that somebody asked for: numbered in the order of asking, and kept on its listing until it is settled."""

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sluice.listings.stockx.status import Action
from sluice.marketplaces.selling import Terms


@dataclass(frozen=True)
class Doubt:
    """Why nobody knows what became of a change that was sent.

    code, message: of the job's end. since: when it ended, epoch ms. sending: what is known of the sending
    (`Submission.sending`). read: whether the listing could be read since; seen: the marketplace's word for it then,
    None where it has no such listing.
    """

    code: str
    message: str
    since: int
    sending: dict[str, Any]
    read: bool = False
    seen: str | None = None


@dataclass(frozen=True)
class Change:
    """One change of one listing.

    number: its place among the changes of the listing. job_id: the job that does it. asked_at: epoch ms; asked_by: the
    caller's subject. active: whether a created listing goes on the market at once. doubt: its job is over, and what
    became of it is not known: the change is UNCONFIRMED.
    """

    number: int
    action: Action
    job_id: str
    asked_at: int
    asked_by: str
    terms: Terms = field(default_factory=Terms)
    active: bool = True
    doubt: Doubt | None = None

    def fields(self) -> dict[str, Any]:
        """As it is stored, without what is not given."""
        body = asdict(self) | {"terms": given(self.terms)}
        return {name: value for name, value in body.items() if value not in ({}, None)}

    def without_doubt(self) -> "Change":
        """The change itself, as it was asked for."""
        return replace(self, doubt=None)

    def encode(self) -> str:
        """As it stands on its listing."""
        return json.dumps(self.fields(), separators=(",", ":"))


def of(fields: dict[str, Any]) -> Change:
    """The change that `Change.fields` gave."""
    doubt = fields.get("doubt")
    return Change(
        **{
            **fields,
            "action": Action(fields["action"]),
            "terms": Terms(**fields.get("terms", {})),
            "doubt": Doubt(**doubt) if doubt else None,
        }
    )


def decode(text: str) -> Change:
    """The change that `Change.encode` wrote."""
    return of(json.loads(text))


def given(terms: Terms) -> dict[str, Any]:
    """What `terms` say, without what they leave as it is."""
    return {name: value for name, value in asdict(terms).items() if value is not None}


def merged(older: Terms, newer: Terms) -> Terms:
    """What two updates ask for together: the newer one's word, and the older one's where the newer says nothing."""
    return Terms(**{**given(older), **given(newer)})
