"""The configuration in force: the document in an SSM parameter and the pauses, read again every few seconds.

```
 parameter    v1 valid      v2 invalid            v3 valid
 in force     v1 ─────────► v1 (refused, why) ──► v3           also in a process that starts while v2 is the newest:
                                                               it looks back for the newest valid version
```
An invalid document changes nothing: it is refused with the reason, in the log, the metric `ConfigRefused` and the API.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from threading import Lock
from typing import NamedTuple

from sluice.platform import aws
from sluice.platform.clock import SECOND, Clock, SystemClock
from sluice.platform.config import document as config
from sluice.platform.config import pause_table, versions
from sluice.platform.config.document import Config, ConfigError
from sluice.platform.config.pauses import NONE, Pauses
from sluice.platform.observe import count, logger
from sluice.platform.settings import settings

# A change is in force everywhere within this time, and well within a minute.
READ_AGAIN_MS = 20 * SECOND


class Document(NamedTuple):
    """One version of the parameter. Version 0 is the defaults, which stand in no parameter."""

    version: int
    text: str


class RefusedDocument(NamedTuple):
    """The newest version, which is not valid, and why."""

    version: int
    reason: str


class InForce(NamedTuple):
    """What is in force, the document that says so, and the newer one that was refused, if one was."""

    config: Config
    document: Document
    refused: RefusedDocument | None = None


DEFAULTS = InForce(Config(), Document(0, "{}"))

# The newest version, and all versions newest first: how the parameter is read. The newest is waited for with patience
# (True) only where nothing is in force yet: else whoever asks would wait for what changes nothing.
Newest = Callable[[bool], Document]
Earlier = Callable[[], Iterator[Document]]


class Live:
    """The configuration, read again when it is older than `READ_AGAIN_MS`. Threads may share it."""

    def __init__(
        self, newest: Newest, earlier: Earlier, clock: Clock, pauses: Callable[[], Pauses] = lambda: NONE
    ) -> None:
        self._newest = newest
        self._earlier = earlier
        self._pauses = pauses
        self._clock = clock
        self._lock = Lock()
        self._read_at = 0
        self._seen: Document | None = None
        self._in_force: InForce | None = None

    def in_force(self, *, anew: bool = False) -> InForce:
        """What the newest valid document says. anew: read it now, however lately that was done.

        What cannot be read leaves what is in force of it. A process that has read none fails with the error of
        the reading, because the defaults may allow more than the operator does.
        """
        with self._lock:
            now = self._clock.now()
            if anew or self._in_force is None or not 0 <= now - self._read_at < READ_AGAIN_MS:
                self._in_force = self._paused(self._read(self._in_force), self._in_force)
                self._read_at = now
            return self._in_force

    def _read(self, before: InForce | None) -> InForce:
        try:
            document = self._newest(before is None)
            # Not the version alone: a parameter that was deleted and made anew counts from 1 again.
            if before and document == self._seen:
                return before
            found = self._judge(document, before)
        except Exception:
            if before is None:
                raise
            logger.exception("the configuration could not be read; the one in force stays")
            count("ConfigUnreadable")
            return before
        self._seen = document
        return found

    def _paused(self, found: InForce, before: InForce | None) -> InForce:
        """`found` with the pauses that stand now."""
        try:
            pauses = self._pauses()
        except Exception:
            if before is None:
                raise
            logger.exception("the pauses could not be read; those in force stay")
            count("ConfigUnreadable")
            pauses = before.config.pauses
        if found.config.pauses == pauses:
            return found
        return found._replace(config=replace(found.config, pauses=pauses))

    def _judge(self, document: Document, before: InForce | None) -> InForce:
        """What is in force now that `document` is the newest."""
        try:
            return InForce(config.parse(document.text, stored=True), document)
        except ConfigError as error:
            refused = RefusedDocument(document.version, str(error))
        logger.error("a configuration is refused", extra={"version": refused.version, "reason": refused.reason})
        count("ConfigRefused")
        last = before or self._last_valid()
        return InForce(last.config, last.document, refused)

    def _last_valid(self) -> InForce:
        for document in self._earlier():
            try:
                return InForce(config.parse(document.text, stored=True), document)
            except ConfigError:
                continue
        return DEFAULTS


def _newest(name: str, patient: bool) -> Document:
    found = aws.client("ssm", once=not patient).get_parameter(Name=name)["Parameter"]
    return Document(found["Version"], found["Value"])


def _earlier() -> Iterator[Document]:
    """All versions that SSM keeps (100), newest first."""
    return (Document(one.number, one.text) for one in versions.history())


@cache
def _live(name: str) -> Live:
    return Live(partial(_newest, name), _earlier, SystemClock(), pause_table.read)


def in_force(*, anew: bool = False) -> InForce:
    """What is in force in this stack. On a laptop a process that is given no parameter has the defaults."""
    here = settings()
    if here.on_a_laptop and not here.config_parameter:
        return DEFAULTS
    return _live(here.require("config_parameter")).in_force(anew=anew)


def current() -> Config:
    """The configuration in force."""
    return in_force().config
