"""A run that goes on in several ways: at a request, the process becomes two, and one of them breaks there.

```
 calm run   ──●────●────●──► end             each ● is a request at which the run is to break
              │    │    └─ broken ─► end     a child: it has everything as it was at that moment, and tells how it ended
              │    └─ broken ─► end
              └─ broken ─► end               one after the other, so that one alone is at work
```
So what comes before a break is played once for all of them, and nothing is copied by hand: tables, sandbox and clock
are all in this process. A child never comes back to the tests.
"""

import os
import warnings
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Final

# Where in a story it breaks, by the number of the request, and how.
Break = tuple[int, str]
MOST_TOLD: Final = 5_000


class Branches:
    """told: what the children came to, by their break."""

    def __init__(self, breaks: Sequence[Break]) -> None:
        self.told: dict[Break, str] = {}
        self._kinds: dict[int, list[str]] = defaultdict(list)
        self._out: int | None = None
        for at, kind in breaks:
            self._kinds[at].append(kind)

    @property
    def missed(self) -> list[Break]:
        """Those breaks that nobody came to."""
        return [(at, kind) for at, kinds in self._kinds.items() for kind in kinds if (at, kind) not in self.told]

    def begin(self, at: int) -> str:
        """At request number `at`, the kind in which it breaks here. Empty: it does not, and every child has ended."""
        for kind in self._kinds.get(at, ()):
            if self._is_child(at, kind):
                return kind
        return ""

    def play(self, story: Callable[[], str]) -> str:
        """What `story` came to, told without its breaks; what it came to with each is in `told`."""
        try:
            came_to = story()
        except BaseException as error:
            if self._out is None:
                raise
            came_to = f"{type(error).__name__}: {error}"
        if self._out is not None:
            os.write(self._out, came_to[:MOST_TOLD].encode())
            os._exit(0)
        return came_to

    def _is_child(self, at: int, kind: str) -> bool:
        reading, writing = os.pipe()
        with warnings.catch_warnings():
            # Python warns of other threads. Those here are of whoever runs the tests, and hold nothing of a story's.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if not child:
            self._out = writing
            return True
        os.close(writing)
        with open(reading, "rb") as pipe:
            came_to = pipe.read().decode()
        _, status = os.waitpid(child, 0)
        self.told[at, kind] = came_to if status == 0 else f"its process ended with {status}: {came_to}"
        return False
