"""What a token says of itself. It is only read here: whether it is good is for the stage to say. Pure."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sluice_command.errors import NotSignedIn


def check(token: str) -> str:
    """`token`, without blanks around it.

    Raises:
        NotSignedIn: it cannot be a token.
    """
    stripped = token.strip()
    if not stripped or not stripped.isascii() or not stripped.isprintable() or " " in stripped:
        raise NotSignedIn("a token is one JWT without blanks, not a header: copy the token alone")
    return stripped


def claims(token: str) -> Mapping[str, Any]:
    """The claims of a JWT; empty if it is none."""
    parts = token.split(".")
    try:
        found = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, IndexError):
        return {}
    return found if isinstance(found, dict) else {}


def expires_at(token: str) -> float | None:
    """When it stops being good, in seconds since 1970; None if it does not say."""
    said = claims(token).get("exp")
    return float(said) if isinstance(said, int | float) else None


def expired_since(token: str, now: float) -> str | None:
    """Since when it is not good any more, for people; None if it still is, or does not say."""
    ends = expires_at(token)
    return moment(ends) if ends is not None and ends <= now else None


def moment(seconds: float) -> str:
    """A time for people."""
    return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def who(token: str) -> str:
    """Whose it is, for people: `someone@acme of acme (operator, user) until 2026-11-22 13:00`."""
    said = claims(token)
    roles = said.get("roles")
    held = ", ".join(sorted(map(str, roles))) if isinstance(roles, list) and roles else "no roles"
    ends = expires_at(token)
    until = f" until {moment(ends)}" if ends is not None else ""
    return f"{said.get('sub', 'somebody')} of {said.get('tenant', 'an unknown tenant')} ({held}){until}"
