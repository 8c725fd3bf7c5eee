"""One addition to ministack's Lambda: a layer is unpacked once, and every process of a function reads that one copy.

By itself ministack unpacks it for each process that it starts, which takes as long as the start itself.
It runs inside the ministack process, and hangs on the ministack release that the lock pins.
"""

import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ministack.core import lambda_runtime

LAYER = "layer_"


def install(folder: Path) -> None:
    """Make this process's ministack keep its copies of layers below `folder`."""
    lambda_runtime.zipfile = SimpleNamespace(**vars(zipfile) | {"ZipFile": opener(folder)})


def opener(folder: Path) -> Callable[[str], zipfile.ZipFile]:
    """What opens a zip as `zipfile.ZipFile` does: a layer unpacks to a link to its copy below `folder`."""

    class Layer(zipfile.ZipFile):
        @cached_property
        def copy(self) -> Path:
            return folder / hashlib.sha256(Path(self.filename or "").read_bytes()).hexdigest()

        def namelist(self) -> list[str]:
            """The names that are to be looked at before they are unpacked."""
            return [] if self.copy.exists() else super().namelist()

        def extractall(self, path: Any = None, *rest: Any) -> None:
            """A link at `path`, which is an empty folder, to the copy."""
            copy = self.copy
            if not copy.exists():
                folder.mkdir(parents=True, exist_ok=True)
                scratch = Path(tempfile.mkdtemp(dir=folder))
                super().extractall(scratch, *rest)
                try:
                    scratch.rename(copy)
                except OSError:  # another process's start was faster
                    shutil.rmtree(scratch)
            Path(path).rmdir()
            Path(path).symlink_to(copy, target_is_directory=True)

    return lambda path: (Layer if Path(path).name.startswith(LAYER) else zipfile.ZipFile)(path)
