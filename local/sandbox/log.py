"""What was called: one entry a marketplace call, without headers, bodies, keys or tokens."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from threading import Condition
from typing import Any

from local.sandbox.limits import Rule


@dataclass
class Entry:
    """One call. `status` is None until it is answered; `over` names the limit that it broke, refused or not."""

    ordinal: int
    at_ms: int
    marketplace: str
    account: str
    method: str
    path: str
    query: dict[str, str]
    route: str
    counted: bool = True
    cacheable: bool = True
    status: int | None = None
    faults: tuple[str, ...] = ()
    over: Rule | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class Log:
    """Entries in the order of arrival. Read from any thread."""

    _entries: list[Entry] = field(default_factory=list)
    _ordinal: int = 0
    _arrived: Condition = field(default_factory=Condition)

    def next_ordinal(self) -> int:
        """Ordinals go on after `clear`: they name a call for the life of the sandbox."""
        self._ordinal += 1
        return self._ordinal

    def add(self, entry: Entry) -> None:
        with self._arrived:
            self._entries.append(entry)
            self._arrived.notify_all()

    def wait_for(self, calls: int, seconds: float) -> None:
        """Until `calls` entries are there, answered or not. Raises TimeoutError."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self._entries) >= calls, seconds):
                raise TimeoutError(f"{len(self._entries)} of {calls} calls arrived within {seconds:g} s")

    def clear(self) -> None:
        self._entries = []

    def entries(
        self,
        *,
        marketplace: str | None = None,
        account: str | None = None,
        method: str | None = None,
        path: str = "*",
        status: int | None = None,
        fault: str | None = None,
        after: int = 0,
    ) -> Sequence[Entry]:
        """The entries that fit every filter given. `path` is a shell pattern, `after` an ordinal."""
        return [
            entry
            for entry in list(self._entries)
            if (marketplace is None or entry.marketplace == marketplace)
            and (account is None or entry.account == account)
            and (method is None or entry.method == method)
            and fnmatchcase(entry.path, path)
            and (status is None or entry.status == status)
            and (fault is None or fault in entry.faults)
            and entry.ordinal > after
        ]
