"""The command `sluice` as a person runs it, in this process: what it prints, and how it ends."""

from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from sluice_command.main import main
from sluice_command.session import Session

URL = "https://api.example"
SECRET = "the-token-of-acme"


@dataclass(frozen=True)
class Ran:
    """One run. code: its exit code. out, err: what it wrote."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[list[str]]:
        """The lines of a table, as a pipe gets them, without the heading."""
        return [line.split("\t") for line in self.out.splitlines() if "\t" in line][1:]


@dataclass
class Shell:
    """A shell in which the stage of `wire` is chosen by the environment. A test's clock is turned in `rest`."""

    wire: httpx.BaseTransport
    rest: Callable[[float], None] = lambda _: None
    clock: Callable[[], float] = lambda: 0.0

    def run(self, *arguments: str, typed: str = "") -> Ran:
        """Run `sluice` with these arguments. typed: what a person types, or a pipe brings."""
        session = Session(wire=_Quiet(self.wire), rest=self._wait, clock=self.clock)
        with CliRunner().isolation(input=typed) as (out, err, _):
            code = main(arguments, session)
            return Ran(code, out.getvalue().decode(), err.getvalue().decode())

    def _wait(self, seconds: float) -> None:
        with redirect_stdout(StringIO()):
            self.rest(seconds)


class _Quiet(httpx.BaseTransport):
    """A network behind which functions run in this process: what they print is not what the command prints."""

    def __init__(self, wire: httpx.BaseTransport) -> None:
        self._wire = wire

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with redirect_stdout(StringIO()):
            return self._wire.handle_request(request)


def in_environment(patch: pytest.MonkeyPatch, folder: Any) -> None:
    """Choose the stage by the environment, and keep the user's own folder out of it."""
    patch.setenv("API", URL)
    patch.setenv("TOKEN", SECRET)
    patch.setenv("SLUICE_CONFIG_FOLDER", str(folder))
