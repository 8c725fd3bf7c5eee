"""Style and script of the pages: files beside this one, each at an address that changes with its content."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

TYPES: Final = {"style.css": "text/css; charset=utf-8", "script.js": "text/javascript; charset=utf-8"}


@cache
def read(name: str) -> str:
    """The file's text.

    Raises:
        KeyError: there is no such file.
    """
    if name not in TYPES:
        raise KeyError(name)
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


@cache
def address(name: str) -> str:
    """Where the browser gets it. What it gets may be kept for ever: another text has another address."""
    return f"/dashboard/assets/{name}?v={hashlib.sha256(read(name).encode()).hexdigest()[:12]}"
