"""The hostile tenant of `neighbours`: a process of its own, which gives way to others as far as it is told to.

```
 standard input    first where the API is and who it is; then, again and again, jobs that others have asked for
 standard output   a line for each deed and how it was answered; `all` when each was done once
```
It ends when it is told to, or when its input does.
"""

import json
import os
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

import httpx

from local.laptop import ANSWER_SECONDS, Api, ApiError
from local.neighbours import ALL, EVENTS, HOOK, VARIANT, style
from local.receiver import Receiver

# Between two deeds: the functions share this machine's cores, as nothing does in AWS.
PAUSE_SECONDS = 1.0


class Hostile:
    """Does all that it can, again and again: each deed by itself is a request that the API takes or refuses.

    Made-up accounts · the prices that others wait for, as manual, and 100 that nobody has · ten endpoints that never
    answer · 429 to each call of its own applications · pages without an end · imports of 4 MB · all its events again ·
    others' jobs and listings taken back · long lists.
    """

    def __init__(self, api: Api, styles: list[str]) -> None:
        """styles: of the products whose prices others wait for."""
        self.jobs_of_others: list[str] = []
        self._api, self._styles = api, styles
        self._over = threading.Event()
        self._turn = 0

    def live(self) -> None:
        """Until `stop`."""
        with Receiver(rest=self._never) as silent, Receiver(rest=self._without_end) as endless:
            for number in range(10):
                self._api.put(f"{HOOK}/h{number}", {"url": f"{silent.url}/{number}", "eventTypes": EVENTS})
            self._work(self._deeds(endless.url))

    def stop(self) -> None:
        """After this deed."""
        self._over.set()

    def _work(self, deeds: Mapping[str, Callable[[], object]]) -> None:
        while not self._over.is_set():
            for name, deed in deeds.items():
                if self._over.wait(PAUSE_SECONDS):
                    return
                self._turn += 1
                try:
                    deed()
                    outcome = "done"
                except (ApiError, httpx.HTTPError) as refused:
                    outcome = str(refused.status) if isinstance(refused, ApiError) else type(refused).__name__
                _say(f"{name}: {outcome}")
            _say(ALL)

    def _deeds(self, endless: str) -> dict[str, Callable[[], object]]:
        api = self._api
        made_up = dict.fromkeys(("api_key", "client_id", "client_secret", "refresh_token"), "made-up")
        lines = "".join(f"{style(number)},9,us,stockx\n" for number in range(9_000))
        return {
            "account": lambda: api.put("/v1/accounts/stockx", made_up),
            "prices": lambda: api.post("/v1/market/refresh", {"items": self._items()}),
            "prices of others": lambda: api.post("/v1/market/refresh", {"items": self._of_others()}),
            "listings": lambda: api.post("/v1/stockx/listings/bulk", {"action": "create", "items": self._offers()}),
            "ads": lambda: api.post("/v1/promotions", {"batch": self._ads()}),
            "page": lambda: api.post("/v1/pages", {"url": f"{endless}/{self._turn}"}),
            "run of checks": lambda: api.post("/v1/operator/checks/run-now", {}),
            "import": lambda: api.upload(
                "/v1/inventory/import", f"sku,size,sizeSystem,marketplaces\n{lines}".encode(), "text/csv"
            ),
            "deep import": lambda: api.upload("/v1/inventory/import", b"[" * 4_000_000, "application/json"),
            "all prices": lambda: api.post("/v1/inventory/refresh", {}),
            "enrichment": lambda: api.post("/v1/catalog/enrichment", {}),
            "events again": self._resend,
            "jobs of others": self._cancel,
            "lists": lambda: [api.get(path) for path in ("/v1/jobs", "/v1/promotions", "/v1/stockx/listings")],
        }

    def _items(self) -> list[Any]:
        names = [f"NO-{self._turn}-{number}" for number in range(100)]
        return [{"sku": name, "size": "9", "sizeSystem": "us", "priority": "manual", "force": True} for name in names]

    def _of_others(self) -> list[Any]:
        wanted = {"size": "9", "sizeSystem": "us", "priority": "manual", "force": True}
        return [{"sku": name, **wanted} for name in self._styles]

    def _offers(self) -> list[Any]:
        return [{"variantId": VARIANT, "amount": str(100 + number), "currency": "USD"} for number in range(100)]

    def _ads(self) -> list[Any]:
        first = 990_000_000_000 + self._turn * 100
        return [{"listingId": str(first + number), "adRate": 3} for number in range(100)]

    def _resend(self) -> None:
        for one in self._api.get(f"{HOOK}/h0/deliveries")["deliveries"]:
            self._api.post(f"{HOOK}/h0/deliveries/{one['deliveryId']}/resend", {})

    def _cancel(self) -> None:
        for one in self.jobs_of_others:
            with suppress(ApiError):
                self._api.delete(f"/v1/jobs/{quote(one, safe=':')}")

    def _never(self, request: Any) -> None:
        """No answer, as long as the run lasts."""
        self._over.wait()
        with suppress(OSError):
            request.connection.close()

    def _without_end(self, request: Any) -> None:
        """A page of 64 MB, a piece at a time."""
        with suppress(OSError):
            request.send_response(200)
            request.send_header("content-type", "text/html")
            request.end_headers()
            for _ in range(1_000):
                if self._over.is_set():
                    return
                request.wfile.write(b"<p>" * 21_846)


def main() -> None:
    """Live as the process is told to."""
    about = json.loads(sys.stdin.readline())
    _give_way(about["niceness"])
    with Api(about["url"], about["token"], seconds=ANSWER_SECONDS) as api:
        hostile = Hostile(api, about["styles"])
        threading.Thread(target=_hear, args=(sys.stdin, hostile), daemon=True).start()
        hostile.live()


def _give_way(niceness: int) -> None:
    """Linux shares the cores among sessions first, then among the processes of each: this process is one of its own."""
    os.nice(niceness)
    with suppress(OSError):  # another system, or sessions are not shared among
        Path("/proc/self/autogroup").write_text(str(niceness))


def _hear(pipe: IO[str], hostile: Hostile) -> None:
    for line in pipe:
        hostile.jobs_of_others = json.loads(line)
    hostile.stop()


def _say(what: str) -> None:
    print(what, flush=True)


if __name__ == "__main__":
    main()
