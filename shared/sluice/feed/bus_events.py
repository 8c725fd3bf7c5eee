"""Events on the bus, and what a tenant is told of them: by the feed, by webhooks and by mail. Pure.

An event on the bus is the operator's: it names every tenant that shares a job, and the account that it ran on. What a
tenant is told has nothing of that; what remains of other tenants in an error's text is redacted. `docs/webhooks.md` has
the shapes.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sluice.jobs.model.redaction import fields, redact
from sluice.platform.clock import from_iso, iso

SOURCE = "sluice"
_JOB = "job."


class NoEvent(Exception):  # noqa: N818 - what it is
    """This is no event of Sluice's; `str()` says what is wrong with it."""


class Event(NamedTuple):
    """An event, as far as tenants are told of it.

    id: stays the same when it comes again.
    at: when it happened, epoch ms.
    tenants: whom it concerns.
    """

    id: str
    type: str
    at: int
    tenants: tuple[str, ...]
    detail: Mapping[str, Any]

    @property
    def has_own_id(self) -> bool:
        """Whether it has the id that who tells of it gave it, and not the bus."""
        return "id" in self.detail

    @property
    def is_of_a_job(self) -> bool:
        """Whether it tells how a job has ended."""
        return self.type.startswith(_JOB)


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


def data(event: Event, tenant: str) -> dict[str, Any]:
    """What `tenant` may know of the event: nothing of who else shares a job, or of the account that it ran on."""
    return _job(event.detail, tenant) if event.is_of_a_job else _own(event.detail)


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
