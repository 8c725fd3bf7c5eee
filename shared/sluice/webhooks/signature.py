"""Signatures as the Standard Webhooks specification has them (standardwebhooks.com, version 1), and new secrets."""

import base64
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime

from standardwebhooks import Webhook

from sluice.platform.clock import SECOND

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> str:
    """A secret that nobody can guess."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def headers(signing: Iterable[str], message_id: str, now: int, body: str) -> dict[str, str]:
    """The headers that go with `body`, sent at `now` (epoch ms). Each of the secrets `signing` signs."""
    sent_at = datetime.fromtimestamp(now // SECOND, UTC)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(now // SECOND),
        "webhook-signature": " ".join(Webhook(secret).sign(message_id, sent_at, body) for secret in signing),
    }
