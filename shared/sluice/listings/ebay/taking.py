"""From what a request says to a record that may be stored: checked, cleaned, in normal form. Stores nothing."""

from collections.abc import Mapping
from typing import Any

from sluice.listings.ebay import description, documents, rules
from sluice.listings.ebay.desired import Desired, Group
from sluice.platform.http.models import check
from sluice.platform.refused import Refused


def record(doc: Mapping[str, Any]) -> Desired:
    """The record that a document of the right types describes.

    Raises:
        Refused: a field is over one of eBay's limits; names each.
    """
    if problems := rules.problems(doc):
        raise Refused.of(problems)
    return documents.of_document(_cleaned(doc))


def edited(stored: Mapping[str, Any], changes: Mapping[str, Any]) -> Desired:
    """The record `stored` with `changes` (JSON Merge Patch, RFC 7396).

    Raises:
        Invalid: what comes of it is no record. Refused: as `record`.
    """
    from sluice.listings.ebay.bodies import RecordBody

    return record(check(RecordBody, merged(stored, changes)).document(stored["sku"]))


def group(doc: Mapping[str, Any]) -> Group:
    """As `record`, of a group."""
    if problems := rules.group_problems(doc):
        raise Refused.of(problems)
    return documents.group_of_document(_cleaned(doc))


def edited_group(stored: Mapping[str, Any], changes: Mapping[str, Any]) -> Group:
    """As `edited`, of a group."""
    from sluice.listings.ebay.group_bodies import GroupBody

    return group(check(GroupBody, merged(stored, changes)).document(stored["key"]))


def merged(stored: Any, changes: Any) -> Any:
    """`stored` with `changes`, by RFC 7396."""
    if not isinstance(changes, Mapping):
        return changes
    result = dict(stored) if isinstance(stored, Mapping) else {}
    for name, value in changes.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def _cleaned(doc: Mapping[str, Any]) -> dict[str, Any]:
    html = doc.get("description")
    return dict(doc) if html is None else {**doc, "description": description.clean(html)}
