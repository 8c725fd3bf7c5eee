"""What all commands share: which stage is meant, how answers are shown, what goes on when a person stops watching."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import httpx

from sluice_command import login, stages
from sluice_command.api import Api
from sluice_command.errors import GivenUp, NotNow
from sluice_command.screen import Screen
from sluice_command.stages import Stage

T = TypeVar("T")
LOOK_SECONDS = 2.0
# So often in a row a look may find nobody before that is told as the end.
MOST_MISSED = 5


@dataclass
class Session:
    """One run of the command.

    stage_name: the option `--stage`. goes_on: what is said when a person stops it. wire: stands in for the network,
    rest: for waiting, clock: for the time in seconds, in tests.
    """

    stage_name: str | None = None
    as_json: bool = False
    goes_on: str = "nothing goes on without this command"
    wire: httpx.BaseTransport | None = None
    rest: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    _opened: list[Api] = field(default_factory=list)

    @cached_property
    def screen(self) -> Screen:
        """Where answers go."""
        return Screen(as_json=self.as_json)

    @cached_property
    def stage(self) -> Stage:
        """The stage that is meant. Raises NoStage."""
        return stages.find(self.stage_name)

    @cached_property
    def api(self) -> Api:
        """The stage's API, as the person who is signed in. Nothing is sent yet. Raises NoStage, NotSignedIn."""
        stage = login.fresh(self.stage, self.wire)
        api = Api(stage.url, stage.signed_in(), self.wire, lambda: login.renewed(self.stage, self.wire))
        self._opened.append(api)
        return api

    def close(self) -> None:
        """Let go of the connections."""
        for api in self._opened:
            api.close()

    def follow(
        self,
        look: Callable[[], T],
        over: Callable[[T], bool],
        show: Callable[[T], None] = lambda _: None,
        seconds: float | None = None,
        every: float = LOOK_SECONDS,
    ) -> T:
        """Look until it is over; what the last look found. A stage that does not answer for a while is asked again.

        seconds: give up after so long; None: never.

        Raises:
            GivenUp: it was not over in time.
            NotNow: nobody has answered for several looks.
        """
        began, missed = self.clock(), 0
        while True:
            try:
                found = look()
            except NotNow as error:
                missed += 1
                if missed >= MOST_MISSED:
                    raise
                self.screen.note(f"{error}; this goes on watching")
                self.rest(error.after or every * 2**missed)
                continue
            missed = 0
            show(found)
            if over(found):
                return found
            if seconds is not None and self.clock() - began >= seconds:
                raise GivenUp(f"not over after {seconds:g} s; {self.goes_on}")
            self.rest(every)
