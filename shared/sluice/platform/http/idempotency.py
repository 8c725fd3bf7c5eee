"""`Idempotency-Key`: a request that is sent again is answered as the first time. Table `idempotency`.

```
 nothing ──claim──► claimed ──keep──► kept: every repeat gets this answer, until a day is over
                     │    ▲
                     │    └── claim: the next one, once the lease is over or was given back
                     └── release: 429 or 5xx, which say nothing of how the request ends
```
A claim is a lease that is longer than any function of the API runs, so two runs of one request never meet. A run that
died may have done its work: the next one does it again, and finds what is there by its name (see `Repeatable.seed`).
"""

import hashlib
import json
import re
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from aws_lambda_powertools.event_handler import Response
from pynamodb.attributes import BinaryAttribute, UnicodeAttribute

from sluice.platform import tables
from sluice.platform.attributes import IntAttribute
from sluice.platform.clock import DAY, SECOND, ttl
from sluice.platform.http import answers
from sluice.platform.http.errors import Conflict, FieldError, Invalid
from sluice.platform.observe import logger

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
MOST_CHARACTERS = 255
KEY = rf"[\x21-\x7e]{{1,{MOST_CHARACTERS}}}"
# The gateway waits 30 s for an answer, and no function of the API may run longer than 29 s.
LEASE_MS = 35 * SECOND
KEPT_MS = DAY
RETRY_SECONDS = 2
# DynamoDB takes items of 400 KB.
MOST_BYTES = 300 * 1024


class KeptAnswer(tables.Table):
    """One request under its key: whose run it is, or how it was answered.

    key: the route and the client's key. fingerprint: of all that the request says. claimed_until: the lease of the run,
    0 if it was given back. status: how it was answered. answer: content type, headers and body, packed; none if they
    were too long. kept_until: the key is free again then. Times are epoch ms.
    """

    class Meta:
        table_name = tables.name("idempotency")

    tenant = UnicodeAttribute(hash_key=True)
    key = UnicodeAttribute(range_key=True)
    fingerprint = UnicodeAttribute()
    claimed_until = IntAttribute()
    claim_token = UnicodeAttribute()
    status = IntAttribute(null=True)
    answer = BinaryAttribute(null=True, legacy_encoding=False)
    answer_token = UnicodeAttribute(null=True)
    kept_until = IntAttribute()
    expires_at = IntAttribute()


class Repeatable(NamedTuple):
    """A request that its client may send again: whose it is, under which key, and what it says."""

    tenant: str
    key: str
    fingerprint: str

    @property
    def seed(self) -> str:
        """The same for each run of this request and of no other: what names the things that it makes."""
        return hashlib.sha256("\n".join((self.tenant, self.key, self.fingerprint)).encode()).hexdigest()


class Claim(NamedTuple):
    """The right to run a request, until the lease is over."""

    asked: Repeatable
    token: str


def header(event: Mapping[str, Any]) -> str | None:
    """The key that the request was sent with, as it stands there."""
    headers = event.get("headers") or {}
    return next((value for name, value in headers.items() if name.lower() == HEADER.lower()), None)


def read(key: str, tenant: str, route: str, path: Mapping[str, str], event: Mapping[str, Any]) -> Repeatable:
    """The request `event` as one that may come again. route: method and path, without what the path's parameters are.

    Raises:
        Invalid: the key is none.
    """
    if not re.fullmatch(KEY, key):
        raise Invalid.field(HEADER, f"must be 1 to {MOST_CHARACTERS} visible ASCII characters, without spaces")
    # The gateway turns the same body into the same text each time, base64 or not.
    said = [sorted(path.items()), event.get("rawQueryString") or "", event.get("body") or ""]
    fingerprint = hashlib.sha256(json.dumps(said).encode()).hexdigest()
    return Repeatable(tenant, f"{route} {key}", fingerprint)


def claim(asked: Repeatable, now: int) -> Claim | Response[str]:
    """The right to run the request, or how it was answered.

    Raises:
        Conflict: the key belongs to another request, or this one is running.
    """
    claim = Claim(asked, tables.new_token())
    free = (
        KeptAnswer.key.does_not_exist()
        | (KeptAnswer.kept_until <= now)
        | (
            KeptAnswer.status.does_not_exist()
            & (KeptAnswer.fingerprint == asked.fingerprint)
            & (KeptAnswer.claimed_until <= now)
        )
    )
    actions = [
        KeptAnswer.fingerprint.set(asked.fingerprint),
        KeptAnswer.claimed_until.set(now + LEASE_MS),
        KeptAnswer.kept_until.set(now + KEPT_MS),
        KeptAnswer.expires_at.set(ttl(now + KEPT_MS)),
        KeptAnswer.status.remove(),
        KeptAnswer.answer.remove(),
    ]
    try:
        tables.update(
            KeptAnswer, (asked.tenant, asked.key), actions, free, token=KeptAnswer.claim_token, value=claim.token
        )
    except tables.ConditionFailed as failed:
        return _found(KeptAnswer.from_raw_data(failed.item or {}), asked)
    return claim


def keep(claim: Claim, answer: Response[Any], now: int) -> Response[Any]:
    """`answer`, which a repeat will get too if it is final.

    Raises:
        Conflict: the lease was over, and another run has the request.
    """
    if answer.status_code >= 500 or answer.status_code == 429:
        release(claim)
        return answer
    body = answer.body if isinstance(answer.body, str) else answers.written(answer.body)
    told = Response(answer.status_code, answer.content_type, body, answer.headers)
    packed = zlib.compress(json.dumps([answer.content_type, dict(answer.headers), body]).encode())
    actions = [
        KeptAnswer.status.set(answer.status_code),
        KeptAnswer.kept_until.set(now + KEPT_MS),
        KeptAnswer.expires_at.set(ttl(now + KEPT_MS)),
    ]
    if len(packed) <= MOST_BYTES:
        actions.append(KeptAnswer.answer.set(packed))
    try:
        _write(claim, actions, KeptAnswer.status.does_not_exist())
    except tables.ConditionFailed:
        raise _running() from None
    return told


def release(claim: Claim) -> None:
    """Let the next one run at once. If that cannot be written the lease ends by itself."""
    try:
        _write(claim, [KeptAnswer.claimed_until.set(0)], KeptAnswer.status.does_not_exist())
    except tables.ConditionFailed:
        logger.warning("a request has run for longer than its lease")
    except Exception:  # noqa: BLE001 - the answer that led here is what the caller must hear
        logger.exception("a request could not be given back; it can be sent again when its lease is over")


def _write(claim: Claim, actions: list[Any], condition: Any) -> None:
    ours = condition & (KeptAnswer.claim_token == claim.token)
    tables.update(KeptAnswer, (claim.asked.tenant, claim.asked.key), actions, ours, token=KeptAnswer.answer_token)


def _found(kept: KeptAnswer, asked: Repeatable) -> Response[str]:
    if kept.fingerprint != asked.fingerprint:
        field = FieldError(HEADER, "was sent with another body, query or path within the last day")
        message = "this key belongs to another request; send a new key with a new request"
        raise Conflict(message, code="key_used", fields=[field])
    if kept.status is None:
        raise _running()
    if kept.answer is None:
        raise Conflict(
            f"this request was done and answered {kept.status}; the answer was too long to keep, read what was made",
            code="answer_not_kept",
        )
    content_type, headers, body = json.loads(zlib.decompress(kept.answer))
    return Response(kept.status, content_type, body, {**headers, REPLAYED: "true"})


def _running() -> Conflict:
    message = f"the first request with this {HEADER} is not answered yet; send it again in {RETRY_SECONDS} s"
    running = Conflict(message, code="in_progress")
    running.headers = {"Retry-After": str(RETRY_SECONDS)}
    return running
