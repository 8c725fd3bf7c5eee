"""Races of conditional writes: whoever loses one looks again, many times, and not at the same moment as others."""

import random
import time

# How often whoever loses a race looks again: more often than there can be others who win it. Of one job those are the
# 50 who may ask for it, and its workers; who has won is gone. All pauses together take three seconds, and six at most:
# an API has ten.
ROUNDS = 64
# So often at once: one or two others have mostly been all.
ROUNDS_AT_ONCE = 3
FIRST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 0.1


class Contention(Exception):  # noqa: N818 - the field's word
    """Others were first each time, or their transactions held the item, through every try."""


class Race:
    """A conditional write that many may want to make at once: whoever loses looks again, until it wins.

    The first times at once, then after pauses of a random length, which draw those apart who lose together:

    ```
    race = Race("the thing was changed")
    while True:
        try:
            return tables.update(…, as_it_is_now)
        except tables.ConditionFailed:
            race.lost()
    ```
    """

    def __init__(self, why: str, rounds: int = ROUNDS, at_once: int = ROUNDS_AT_ONCE) -> None:
        """why: what others do, for whoever is told that they were always first."""
        self._why, self._rounds, self._at_once = why, rounds, at_once
        self._losses = 0

    def lost(self) -> None:
        """Somebody else was first. Returns when it is time to look again.

        Raises:
            Contention: that was so in every round.
        """
        self._losses += 1
        if self._losses == self._rounds:
            raise Contention(f"{self._why}, {self._losses} times in a row")
        pauses = self._losses - self._at_once
        if pauses > 0:
            longest = min(FIRST_PAUSE_SECONDS * 2 ** (pauses - 1), LONGEST_PAUSE_SECONDS)
            time.sleep(random.uniform(0, longest))  # noqa: S311 - jitter, not a secret
