"""A change that somebody asked for: numbered in the order of asking, and kept on its listing until it is settled."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from sluice.listings.stockx.status import Action
from sluice.marketplaces.selling import Terms


@dataclass(frozen=True)
class Change:
    """One change of one listing.

    number: its place among the changes of the listing. job_id: the job that does it. asked_at: epoch ms; asked_by: the
    caller's subject. active: whether a created listing goes on the market at once.
    """

    number: int
    action: Action
    job_id: str
    asked_at: int
    asked_by: str
    terms: Terms = field(default_factory=Terms)
    active: bool = True

    def fields(self) -> dict[str, Any]:
        """As it is stored, without what is not given."""
        body = asdict(self) | {"terms": given(self.terms)}
        return {name: value for name, value in body.items() if value != {}}

    def encode(self) -> str:
        """As it stands on its listing."""
        return json.dumps(self.fields(), separators=(",", ":"))


def of(fields: dict[str, Any]) -> Change:
    """The change that `Change.fields` gave."""
    return Change(**{**fields, "action": Action(fields["action"]), "terms": Terms(**fields.get("terms", {}))})


def decode(text: str) -> Change:
    """The change that `Change.encode` wrote."""
    return of(json.loads(text))


def given(terms: Terms) -> dict[str, Any]:
    """What `terms` say, without what they leave as it is."""
    return {name: value for name, value in asdict(terms).items() if value is not None}


def merged(older: Terms, newer: Terms) -> Terms:
    """What two updates ask for together: the newer one's word, and the older one's where the newer says nothing."""
    return Terms(**{**given(older), **given(newer)})
