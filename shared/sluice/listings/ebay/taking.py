"""From what a request says to a record that may be stored: checked, cleaned, in normal form. Stores nothing."""

from collections.abc import Callable, Mapping
from typing import Any

from sluice.listings.ebay import description, documents, rules
from sluice.listings.ebay.desired import Desired, Group
from sluice.platform.http.errors import FieldError
from sluice.platform.http.models import check
from sluice.platform.refused import Refused
from sluice.platform.unicode_text import composed


def record(doc: Mapping[str, Any]) -> Desired:
    """The record that a document of the right types describes.

    Raises:
        Refused: a field is over one of eBay's limits; names each.
    """
    return documents.of_document(_as_sent(doc, rules.problems))


def edited(stored: Mapping[str, Any], changes: Mapping[str, Any]) -> Desired:
    """The record `stored` with `changes` (JSON Merge Patch, RFC 7396).

    Raises:
        Invalid: what comes of it is no record. Refused: as `record`.
    """
    from sluice.listings.ebay.bodies import RecordBody

    return record(check(RecordBody, merged(stored, changes)).document(stored["sku"]))


def group(doc: Mapping[str, Any]) -> Group:
    """As `record`, of a group."""
    return documents.group_of_document(_as_sent(doc, rules.group_problems))


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


def _as_sent(doc: Mapping[str, Any], problems: Callable[[Mapping[str, Any]], list[FieldError]]) -> dict[str, Any]:
    """The document with its description as eBay is sent it: limits hold for that, and for what was said."""
    if found := problems(doc):
        raise Refused.of(found)
    html = doc.get("description")
    sent = dict(doc) if html is None else {**doc, "description": description.clean(composed(html))}
    if found := rules.problems_as_sent(sent):
        raise Refused.of(found)
    return sent
