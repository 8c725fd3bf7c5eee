"""The one place that sends a webhook. It goes where `targets` allows, and only there (see `pinned`).

Only the status counts: the body of the answer is not read, and a redirect is not followed.
"""

import logging
from collections.abc import Mapping
from functools import cache

import httpx

from sluice.platform import deadline, pinned
from sluice.platform.pinned import LookUp, NotAllowed
from sluice.platform.settings import settings
from sluice.webhooks import targets

TOTAL_SECONDS = 10.0
CONNECT_SECONDS = 5.0
# The code of an attempt that was not answered in time.
TIMED_OUT = "timed_out"

# Who sends a delivery logs it; httpx's own line would show the whole URL, which may hold a key.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class Undelivered(Exception):  # noqa: N818 - what happened
    """No answer came. code: a word for machines; `str()`: for the tenant, whose own address it is."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class WebhookClient:
    """Sends webhooks. Safe to share between threads. local: on a laptop, receivers on it are allowed."""

    def __init__(self, *, local: bool, look_up: LookUp = pinned.look_up, seconds: float = TOTAL_SECONDS) -> None:
        """`look_up` stands in for the name server, for tests. `seconds`: of a whole delivery."""
        self._seconds = seconds
        self._client = httpx.Client(
            transport=deadline.Transport(pinned.Backend(targets.PORTS, local=local, look_up=look_up)),
            timeout=httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds)),
            trust_env=False,
            follow_redirects=False,
        )

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """POST `body` once; the status of the answer.

        Raises:
            Undelivered: there is none.
        """
        sent = {"content-type": "application/json", "user-agent": "sluice-webhooks/1", **headers}
        try:
            with deadline.within(self._seconds), self._client.stream("POST", url, headers=sent, content=body) as answer:
                return answer.status_code
        except NotAllowed as refused:
            raise Undelivered("target_refused", str(refused)) from None
        except httpx.TimeoutException:
            raise Undelivered(TIMED_OUT, f"no answer within {self._seconds:g} seconds") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Undelivered("unreachable", f"no answer: {type(error).__name__}") from None

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()


@cache
def shared() -> WebhookClient:
    """The client of this process."""
    return WebhookClient(local=settings().on_a_laptop)
