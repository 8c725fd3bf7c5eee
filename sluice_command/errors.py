"""How the command ends: its exit codes, and the errors that lead to them. Each error is one sentence for a person.

```
CommandError           what is wrong, and what to do about it
├── NoStage         3  no stage is chosen, or what is known of it cannot be used
├── NotSignedIn     3  the stage does not accept the token, or there is none
├── ApiError        4  the stage refuses the request as it is
├── NotNow          5  the stage cannot be reached, has a fault or asks to wait: the same may work later
└── GivenUp         1  it was not over in the time that was given
```
"""
# ruff: noqa: N818 - they are named as what happened

from collections.abc import Mapping
from enum import IntEnum
from typing import Any


class ExitCode(IntEnum):
    """What the command tells the shell.

    OK: done. FAILED: it was done, and something did not go well, such as a job that died. USAGE: options or arguments
    are wrong. NO_STAGE: no stage, or not signed in. REFUSED: the stage refuses the request. NOT_NOW: try again later.
    STOPPED: by the keyboard.
    """

    OK = 0
    FAILED = 1
    USAGE = 2
    NO_STAGE = 3
    REFUSED = 4
    NOT_NOW = 5
    STOPPED = 130


class CommandError(Exception):
    """The base: its text says what is wrong and how to mend it."""

    exit_code = ExitCode.FAILED


class GivenUp(CommandError):
    """What was waited for did not come in time."""


class NoStage(CommandError):
    """Nobody knows which stage is meant, or the token would travel in the clear."""

    exit_code = ExitCode.NO_STAGE


class NotSignedIn(CommandError):
    """There is no token, or the stage does not accept it."""

    exit_code = ExitCode.NO_STAGE


class ApiError(CommandError):
    """The stage answered, and not with success. status: of the answer; 0: there was none. body: its JSON, if any."""

    exit_code = ExitCode.REFUSED

    def __init__(self, message: str, status: int = 0, body: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = body or {}


class NotNow(ApiError):
    """The same request may work later. after: seconds that the stage asks to wait; None: it does not say."""

    exit_code = ExitCode.NOT_NOW

    def __init__(
        self, message: str, status: int = 0, body: Mapping[str, Any] | None = None, after: float | None = None
    ) -> None:
        super().__init__(message, status, body)
        self.after = after
