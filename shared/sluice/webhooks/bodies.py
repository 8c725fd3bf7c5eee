"""What a tenant is told of an event on the bus. Pure. `docs/webhooks.md` has the shapes.

An event on the bus is the operator's: it names every tenant that shares a job, and the account that it ran on. A
webhook's body has nothing of that; what remains of other tenants in an error's text is redacted.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from sluice.jobs.model.redaction import fields, redact
from sluice.platform.clock import from_iso, iso

SOURCE = "sluice"
_JOB = "job."
# The type of the event that a tenant has sent to try an endpoint. It is on no bus, and nobody subscribes to it.
TEST = "webhook.test"


class NoEvent(Exception):  # noqa: N818 - what it is
    """This is no event of Sluice's; `str()` says what is wrong with it."""


class Event(NamedTuple):
    """An event, as far as webhooks need it. id: stays the same when it comes again. at: epoch ms."""

    id: str
    type: str
    at: int
    tenants: tuple[str, ...]
    detail: Mapping[str, Any]


def event(envelope: Mapping[str, Any]) -> Event:
    """The event that EventBridge sends.

    Raises:
        NoEvent: it is none of ours.
    """
    try:
        kind, detail = envelope["detail-type"], envelope["detail"]
        if envelope["source"] != SOURCE:
            raise NoEvent(f"its source is {envelope['source']!r}")
        tenants = detail["tenants"] if kind.startswith(_JOB) else [detail["tenant"]]
        at = from_iso(detail["at"])
        return Event(detail.get("id") or envelope["id"], kind, at, tuple(tenants), detail)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise NoEvent(f"not an event: {type(error).__name__}: {error}") from error


def body(event: Event, tenant: str) -> str:
    """What `tenant` is sent: `{"type", "timestamp", "data"}`, as the Standard Webhooks specification has it."""
    return _written(event.type, event.at, data(event, tenant))


def data(event: Event, tenant: str) -> dict[str, Any]:
    """What `tenant` may know of the event: nothing of who else shares a job, or of the account that it ran on."""
    return _job(event.detail, tenant) if event.type.startswith(_JOB) else _own(event.detail)


def test(webhook_id: str, at: int) -> str:
    """What an endpoint is sent that is tried. at: epoch ms."""
    return _written(TEST, at, {"webhookId": webhook_id, "message": "This is a test. Nothing has happened."})


def _written(kind: str, at: int, shown_data: Mapping[str, Any]) -> str:
    shown = {"type": kind, "timestamp": iso(at), "data": shown_data}
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":"))


def _job(detail: Mapping[str, Any], tenant: str) -> dict[str, Any]:
    error, result = detail["error"], detail["result"]
    return {
        "jobId": detail["jobId"],
        "kind": detail["kind"],
        "state": detail["state"],
        "attempts": detail["attempts"],
        "result": fields(result) if result is not None else None,
        "error": {"code": error["code"], "message": redact(error["message"], tenant), "at": iso(error["at"])}
        if error
        else None,
    }


def _own(detail: Mapping[str, Any]) -> dict[str, Any]:
    """Of what concerns one tenant alone: all that is not about the event itself."""
    return {name: value for name, value in detail.items() if name not in ("version", "id", "tenant", "account", "at")}
