"""Who is signed in: table `sessions`. The browser has a random id in a cookie; the table has its hash, and who that is.

```
 sign-in begins: state ─► item with the verifier, 10 minutes ─► callback takes it, once ─► session: 8 hours, 1 hour idle
```
Whoever reads the table can sign in as nobody: an id cannot be made from its hash.
"""

import hashlib
import secrets
from typing import Final, NamedTuple

from pynamodb.attributes import UnicodeAttribute

from sluice.platform import tables
from sluice.platform.attributes import IntAttribute
from sluice.platform.clock import HOUR, MINUTE, ttl
from sluice.platform.http.auth import Caller

# A session ends so long after the last page, and so long after the sign-in at the latest.
IDLE_MS: Final = HOUR
LONGEST_MS: Final = 8 * HOUR
# The last look is noted this often at most: a page that refreshes itself would write each time.
NOTED_EACH_MS: Final = 5 * MINUTE
SIGN_IN_MS: Final = 10 * MINUTE


class SessionItem(tables.Table):
    """A session, or a sign-in that has begun.

    session: the hash of the id. tenant, roles, subject: who it is. form_key: what a form of theirs must carry.
    seen_at: their last page, to five minutes. verifier, nonce, back: of a sign-in.
    """

    class Meta:
        table_name = tables.name("sessions")

    session = UnicodeAttribute(hash_key=True)
    tenant = UnicodeAttribute(null=True)
    roles = UnicodeAttribute(null=True)
    subject = UnicodeAttribute(null=True)
    form_key = UnicodeAttribute(null=True)
    created_at = IntAttribute(null=True)
    seen_at = IntAttribute(null=True)
    verifier = UnicodeAttribute(null=True)
    nonce = UnicodeAttribute(null=True)
    back = UnicodeAttribute(null=True)
    expires_at = IntAttribute(null=True)


class Session(NamedTuple):
    """Somebody who is signed in. form_key: what each form that they send must carry."""

    caller: Caller
    form_key: str


class SignIn(NamedTuple):
    """A sign-in that has begun. verifier, nonce: of OIDC with PKCE. back: the page that they wanted."""

    verifier: str
    nonce: str
    back: str


def create(caller: Caller, now: int) -> str:
    """Begin a session; the id for the browser's cookie."""
    session_id = secrets.token_urlsafe(32)
    SessionItem(
        _hash("session", session_id),
        tenant=caller.tenant,
        roles=" ".join(sorted(caller.roles)),
        subject=caller.subject,
        form_key=secrets.token_urlsafe(24),
        created_at=now,
        seen_at=now,
        expires_at=ttl(now + LONGEST_MS),
    ).save()
    return session_id


def find(session_id: str, now: int) -> Session | None:
    """Whose session it is; None for one that is unknown, was idle for too long, or is too old."""
    try:
        item = SessionItem.get(_hash("session", session_id), consistent_read=True)
    except SessionItem.DoesNotExist:
        return None
    if not item.tenant or not item.subject or not item.form_key or not is_live(item.created_at, item.seen_at, now):
        return None
    if now - (item.seen_at or 0) >= NOTED_EACH_MS:
        # Only while it is there: somebody may sign out in the same moment.
        _note_seen(item, now)
    return Session(Caller(item.tenant, frozenset((item.roles or "").split()), item.subject), item.form_key)


def is_live(created_at: int | None, seen_at: int | None, now: int) -> bool:
    """Whether a session that began at `created_at` and showed its last page at `seen_at` is good at `now`."""
    if created_at is None or seen_at is None:
        return False
    return now < created_at + LONGEST_MS and now < seen_at + IDLE_MS + NOTED_EACH_MS


def end(session_id: str) -> None:
    """Sign out. Nothing happens if it is over already."""
    SessionItem(_hash("session", session_id)).delete()


def begin_sign_in(back: str, now: int) -> tuple[str, SignIn]:
    """Note a sign-in; its state, and what it needs."""
    state, begun = secrets.token_urlsafe(32), SignIn(secrets.token_urlsafe(48), secrets.token_urlsafe(24), back)
    SessionItem(
        _hash("sign-in", state),
        verifier=begun.verifier,
        nonce=begun.nonce,
        back=begun.back,
        created_at=now,
        expires_at=ttl(now + SIGN_IN_MS),
    ).save()
    return state, begun


def take_sign_in(state: str, now: int) -> SignIn | None:
    """The sign-in that `state` belongs to, which is over by that; None if there is none, or it has been taken."""
    key = _hash("sign-in", state)
    try:
        item = SessionItem.get(key, consistent_read=True)
        tables.delete(SessionItem, [key], SessionItem.verifier.exists())
    except (SessionItem.DoesNotExist, tables.ConditionFailed):
        return None
    if (item.created_at or 0) + SIGN_IN_MS <= now:
        return None
    return SignIn(item.verifier or "", item.nonce or "", item.back or "")


def _note_seen(item: SessionItem, now: int) -> None:
    try:
        tables.update(SessionItem, [item.session], [SessionItem.seen_at.set(now)], SessionItem.tenant.exists())
    except tables.ConditionFailed:
        return


def _hash(kind: str, secret: str) -> str:
    return hashlib.sha256(f"{kind}:{secret}".encode()).hexdigest()
