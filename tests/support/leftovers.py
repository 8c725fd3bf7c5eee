"""What tests must put back: whoever finds a part of Sluice replaced plays another history than alone.

Which tests a process did before depends on how busy the machine was. Of two patches of one thing the first must be the
last to be undone: where a `with` in a fixture ends before the `monkeypatch` that it uses too, that one puts back what
the `with` had put there.
"""

import sys
from types import ModuleType
from typing import Any

PARTS = ("sluice.", "functions.", "local.", "operate.", "sluice_command.")
OTHERS = frozenset({"secrets", "uuid", "time", "random", "threading", "socket", "subprocess"})


class Leftovers:
    """What stands in the modules of Sluice, and in those of Python that its tests patch."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, Any]] = {}

    def look(self) -> list[str]:
        """What has been replaced since the last look. A module that was loaded since then is known from now on."""
        found = []
        for name, module in list(sys.modules.items()):
            if name in OTHERS or name.startswith(PARTS):
                known, there = self._known.get(name, {}), _replaceable(module)
                found += [f"{name}.{one}" for one, before in known.items() if there.get(one) is not before]
                self._known[name] = there
        return sorted(found)


def _replaceable(module: ModuleType) -> dict[str, Any]:
    return {name: value for name, value in vars(module).items() if callable(value) or isinstance(value, ModuleType)}
