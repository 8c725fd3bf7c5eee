"""What holds for all tests: every job kind is known, the longest go first, and a busy machine makes none fail."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import settings

from sluice import capabilities
from sluice.jobs.model import kinds

# Tests are a laptop's; a process that is told nothing has the strictest stage.
os.environ.setdefault("SLUICE_STAGE", "local")
kinds.serve(capabilities.kinds(*(one.name for one in capabilities.CAPABILITIES)))

settings.register_profile("sluice", deadline=None)
settings.load_profile("sluice")

# The files that take longest, longest first. Begun last, one of them would keep one core busy while the others wait.
LONGEST = ("test_least_privilege.py", "test_demo.py", "test_market.py", "test_configuration.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what needs the local cloud first, and of that what takes longest."""
    items.sort(key=lambda item: _place(item.path))


def _place(path: Path, longest: Sequence[str] = LONGEST) -> int:
    if "integration" not in path.parts:
        return len(longest) + 1
    return longest.index(path.name) if path.name in longest else len(longest)
