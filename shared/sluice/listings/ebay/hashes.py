"""Whether two records, or what eBay is sent for them, are the same: SHA-256 of RFC 8785's canonical JSON. Pure.

Values are strings, whole numbers and booleans, so that the canonical form has no numbers that two programs write in two
ways; amounts are text. The hash of a projection has its version in the envelope: what another version made is never
the same.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import rfc8785

from sluice.listings.ebay import documents, projection
from sluice.listings.ebay.desired import Desired, FieldGroup, Group, PolicyIds

# What decides what Sluice does, and not what eBay is sent.
SETTINGS = ("onDrift",)


class Hashes(NamedTuple):
    """What eBay is sent for a record: one hash for each field group, and one for the whole.

    The whole also has the status and the promotion, which no field group has.
    """

    price: str
    quantity: str
    details: str
    images: str
    policies: str
    whole: str

    def differ(self, other: "Hashes | None") -> frozenset[FieldGroup]:
        """The field groups in which the two differ; all, where there is no other."""
        return frozenset(one for one in FieldGroup if other is None or getattr(self, one) != getattr(other, one))

    def stored(self) -> dict[str, str]:
        """As a record keeps them."""
        return self._asdict()


def of(desired: Desired, policies: PolicyIds) -> Hashes:
    """The hashes of what eBay is sent for `desired`."""
    parts = projection.parts(desired, policies)
    rest = {
        "status": str(desired.status),
        "group": desired.group or "",
        "promote": [desired.ad_rate or ""] if desired.auto_promote else [],
    }
    groups = {str(one): _projected(str(one), part) for one, part in parts.items()}
    return Hashes(**groups, whole=_projected("whole", {"groups": groups, "rest": rest}))


def of_stored(stored: Mapping[str, str] | None) -> Hashes | None:
    """What `Hashes.stored` made."""
    return Hashes(**stored) if stored else None


def of_body(body: Mapping[str, Any]) -> str:
    """The hash of one body that eBay is sent."""
    return _projected("body", body)


def of_group(group: Group) -> str:
    """The hash of what a seller wants of a group."""
    return _digest({"group": documents.group_document(group)})


def of_record(desired: Desired) -> str:
    """The hash of what a seller wants, before policies that are named are looked up: whether there is work for a
    publisher. What only says how drift is treated is none.
    """
    document = documents.document(desired)
    return _digest({"record": {name: value for name, value in document.items() if name not in SETTINGS}})


def _projected(what: str, value: Any) -> str:
    return _digest({"projection": projection.VERSION, what: value})


def _digest(envelope: Mapping[str, Any]) -> str:
    return hashlib.sha256(rfc8785.dumps(dict(envelope))).hexdigest()
