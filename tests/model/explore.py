"""An explicit-state explorer: every state that some moves can reach, and whether the goal stays within reach.

It knows nothing of the engine. A state has a `key`, by which two that differ in nothing that matters are one, and says
by itself what can happen next. States are visited nearest first, so a broken promise is told with a shortest story.
"""

from collections import defaultdict, deque
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Protocol, Self


class State(Protocol):
    """What is explored."""

    @property
    def key(self) -> Hashable:
        """Equal for two states from which the same can happen."""

    @property
    def goal(self) -> bool:
        """Whether all is done."""

    def following(self) -> Iterable[tuple[str, Self]]:
        """Each thing that can happen next, in words, and the state after it.

        Raises:
            Broken: a promise was broken by it.
        """


class Broken(BaseException):
    """A promise was broken. `story` is what happened before it, one line each."""

    def __init__(self, promise: str, story: Iterable[str] = ()) -> None:
        self.promise = promise
        self.story = tuple(story)
        super().__init__("\n  ".join((promise, *self.story)))


@dataclass(frozen=True)
class Visited:
    """How much was seen: different states, and moves between them."""

    states: int
    moves: int


def explore(start: State, most: int) -> Visited:
    """Visit every state that can be reached from `start`.

    Raises:
        Broken: a promise does not hold in one of them, or one of them has no way to the goal any more.
        AssertionError: there are more than `most`, so that the story is too large to be told whole.
    """
    came: dict[Hashable, tuple[Hashable, str] | None] = {start.key: None}
    before: dict[Hashable, list[Hashable]] = defaultdict(list)
    goals, moves, waiting = [start.key] if start.goal else [], 0, deque([start])
    while waiting:
        state = waiting.popleft()
        try:
            for said, following in state.following():
                moves += 1
                key = following.key
                before[key].append(state.key)
                if key not in came:
                    came[key] = state.key, said
                    waiting.append(following)
                    if following.goal:
                        goals.append(key)
        except Broken as broken:
            raise Broken(broken.promise, [*_story(came, state.key), *broken.story]) from broken
        assert len(came) <= most, f"more than {most} states: give the story less to do"
    reaching = _reaching(goals, before)
    if lost := next((key for key in came if key not in reaching), None):
        raise Broken("from here, what was asked for never gets done", _story(came, lost))
    return Visited(len(came), moves)


def _story(came: dict[Hashable, tuple[Hashable, str] | None], key: Hashable) -> list[str]:
    told: list[str] = []
    while step := came[key]:
        key, said = step
        told.append(said)
    return told[::-1]


def _reaching(goals: list[Hashable], before: dict[Hashable, list[Hashable]]) -> set[Hashable]:
    """The states from which one of `goals` can be reached."""
    found, waiting = set(goals), deque(goals)
    while waiting:
        for key in before[waiting.popleft()]:
            if key not in found:
                found.add(key)
                waiting.append(key)
    return found
