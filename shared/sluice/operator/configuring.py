"""Changing the configuration: compare-and-set on its version, and who changed what.

```
 ann    reads v7 ── claims v8 ── writes ──► it is v8: noted as ann's
 bob    reads v7 ─────── claim refused, or v8 is the newest by now ──► 409: what ann changed
 aws ssm           between a claim and its write ──► ours is v9: what stood in v8 is put back, and 409
```
SSM writes without a condition, so the condition is a write of ours: of two who would make the same version, one gets
the item of table `actions` under `#configuration`. It also keeps who wrote that version, which SSM knows as a function
alone. A claim whose writer is gone stands in nobody's way after a minute.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from sluice.operator import actions
from sluice.operator.actions import Action
from sluice.platform import tables
from sluice.platform.clock import MINUTE, iso
from sluice.platform.config import document, versions
from sluice.platform.config.document import Config, ConfigError
from sluice.platform.config.versions import Version
from sluice.platform.differences import diff, same
from sluice.platform.http.errors import Conflict, FieldError, Invalid, Unavailable

OWNER: Final = "#configuration"
# A function that has claimed a version is gone by then.
CLAIM_MS: Final = MINUTE
# Changes that a refusal names.
MOST_NAMED: Final = 20


class Who(NamedTuple):
    """Who changes it, in which request, and why."""

    subject: str
    request_id: str
    reason: str | None
    now: int


class Past(NamedTuple):
    """One version, who wrote it and why, and what it changed of the one before it; None where that is not known."""

    version: Version
    by: str
    reason: str | None
    changes: Mapping[str, Any] | None


def encode(wanted: Mapping[str, Any]) -> str:
    """The document as it is stored.

    Raises:
        Invalid: it is too long, or not valid: where, and why.
    """
    text = json.dumps(wanted, separators=(",", ":"), ensure_ascii=False)
    if (size := len(text.encode())) > versions.MOST_BYTES:
        raise Invalid.field("document", f"is {size} bytes long as JSON; {versions.MOST_BYTES} are the most")
    check(text)
    return text


def check(text: str, *, stored: bool = False) -> Config:
    """The configuration that `text` is. stored: as it is in force, though an earlier version may have written it.

    Raises:
        Invalid: it is none, in words.
    """
    try:
        return document.parse(text, stored=stored)
    except ConfigError as error:
        raise Invalid.field("document", str(error)) from None


def decode(text: str) -> dict[str, Any]:
    """The document of a version; empty where it is none, which only `aws ssm` can have written."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def changes(before: str, after: str) -> dict[str, Any]:
    """What differs, by place: `{"limits.stockx.interval_ms": {"from": 1000, "to": 600}}`."""
    found = diff(decode(before), decode(after))
    return {path.removeprefix("/").replace("/", "."): change for path, change in found.items()}


def change(expected: int, text: str, who: Who) -> Version:
    """Make `text` the document, if version `expected` is the newest still. The same document again changes nothing.

    Raises:
        Conflict: it is not: with what was changed since.
        Unavailable: it could not be written.
    """
    newest = versions.newest()
    if same(decode(newest.text), decode(text)):
        return newest
    if newest.number != expected:
        raise _stale(expected)
    claim = _claim(expected + 1, who)
    try:
        number = versions.write(text)
    except versions.Unwritten:
        tables.update(Action, (claim.owner, claim.entry), [Action.updated_at.set(0)])  # nobody need wait for it
        raise Unavailable("the configuration could not be written and is as it was; send this again") from None
    if number != expected + 1:
        _put_back(number)
        raise _stale(expected)
    actions.finish(claim, {}, who.now)
    return Version(number, text, who.now, who.subject)


def past() -> list[Past]:
    """The versions that SSM keeps, newest first, each with who wrote it: a person where that is known."""
    found = versions.history()
    entries = [(OWNER, _entry(one.number)) for one in found]
    noted = {one.entry: one for one in Action.batch_get(entries, consistent_read=True)}
    rows = list[Past]()
    for place, one in enumerate(found):
        earlier = found[place + 1] if place + 1 < len(found) else None
        claim = noted.get(_entry(one.number))
        ours = claim is not None and claim.state == actions.FINISHED
        by, reason = (claim.subject or "", claim.reason) if claim and ours else (one.by, None)
        rows.append(Past(one, by, reason, changes(earlier.text, one.text) if earlier else None))
    return rows


def _entry(number: int) -> str:
    return f"{number:010d}"


def _claim(number: int, who: Who) -> Action:
    claim = Action(OWNER, _entry(number), state=actions.RUNNING, subject=who.subject, reason=who.reason)
    claim.request_id, claim.created_at, claim.updated_at = who.request_id, who.now, who.now
    free = Action.owner.does_not_exist() | (Action.updated_at < who.now - CLAIM_MS)
    try:
        tables.put(claim, free, token=Action.write_token)
    except tables.ConditionFailed:
        message = f"somebody else is writing version {number} at this moment: read the configuration again"
        raise Conflict(message, code="version_changed") from None
    return claim


def _put_back(ours: int) -> None:
    """Somebody has written past us (`aws ssm`) just before: what they wrote is the newest again."""
    theirs = next((one for one in versions.history() if one.number == ours - 1), None)
    if theirs is not None:
        versions.write(theirs.text)


def _stale(expected: int) -> Conflict:
    """The refusal of a change of a version that is not the newest: what was changed since, and by whom."""
    found = past()
    since = [one for one in found if one.version.number > expected]
    base = next((one.version for one in found if one.version.number == expected), None)
    who = ", ".join(f"{one.version.number} by {one.by or 'unknown'} at {iso(one.version.at)}" for one in since[:5])
    newest = found[0].version.number if found else 0
    message = f"version {expected} is not the newest, {newest} is; read it, and change that one"
    if who:
        message += f" (written since: {who})"
    fields = _named(changes(base.text, found[0].version.text)) if base and since else []
    return Conflict(message, code="version_changed", fields=fields, more={"version": newest})


def _named(changed: Mapping[str, Any]) -> Sequence[FieldError]:
    rows = [FieldError(place, _told(one)) for place, one in changed.items()]
    more = len(rows) - MOST_NAMED
    return [*rows[:MOST_NAMED], *([FieldError("document", f"and {more} more changes")] if more > 0 else [])]


def _told(one: Mapping[str, Any]) -> str:
    if "added" in one:
        return f"is another list: {json.dumps(one)}"
    was = json.dumps(one["from"]) if "from" in one else "not set"
    return f"was {was}, is {json.dumps(one['to']) if 'to' in one else 'not set any more'}"
