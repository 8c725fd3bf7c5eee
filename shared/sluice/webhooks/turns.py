"""Whose turn it is: each tenant has one turn at a time, in which some of what is due to its endpoints is sent.

A tenant with much to send, or with receivers that never answer, has one message in the queue, as every other tenant
has, and keeps one sender busy at the most. The item (tenant, `#turn`) of table `webhooks` says which message that is:

```
 turn_at      the one turn that is announced; a message about another time is an old one, and is dropped
 turn_until   a sender has the turn; if it dies, the next message takes it when this time is over
```
A turn that is announced while another lasts may find it taken. Whoever leaves a turn sees the announcement, and sends
its message again: before it writes that it leaves, for it may die, and then, for somebody may have had the message in
between. Whoever finds a turn taken sends its message too, for when it is over: the sender that has it may be dead.
"""

from contextlib import suppress

from pynamodb.expressions.update import Action as Update

from sluice.platform import races, tables
from sluice.platform.clock import MINUTE, SECOND
from sluice.webhooks import messages
from sluice.webhooks.endpoints import TURN, Endpoint
from sluice.webhooks.messages import Turn

# As long as the function runs at the most.
TURN_MS = 30 * SECOND
# An announcement that is so old has lost its message.
LOST_MS = MINUTE


def wake(tenant: str, at: int, now: int) -> None:
    """See to it that the tenant has a turn at `at` (epoch ms), or as soon after as others let it."""
    later = Endpoint.turn_at.does_not_exist() | (Endpoint.turn_at > at) | (Endpoint.turn_at <= now - LOST_MS)
    with suppress(tables.ConditionFailed):  # one is announced that comes no later
        tables.update(Endpoint, (tenant, TURN), [Endpoint.turn_at.set(at)], later, token=Endpoint.turn_token)
        messages.announce(Turn(tenant, at), now)


def take(turn: Turn, now: int) -> bool:
    """Have this turn. False when somebody else has one of the tenant's, or it is not the one that is announced.

    The one that is announced comes again when the other's time is over, whether it was left or not.
    """
    announced = Endpoint.turn_at.does_not_exist() | (Endpoint.turn_at == turn.at)
    free = Endpoint.turn_until.does_not_exist() | (Endpoint.turn_until <= now)
    # The announcement goes before anything is read: what comes from now on announces a turn of its own.
    actions: list[Update] = [Endpoint.turn_until.set(now + TURN_MS), Endpoint.turn_at.remove()]
    try:
        tables.update(Endpoint, (turn.tenant, TURN), actions, announced & free, token=Endpoint.tried_token)
    except tables.ConditionFailed as failed:
        taken_until = _time(failed, "turn_until")
        if _time(failed, "turn_at") == turn.at and taken_until is not None:
            messages.announce(turn, now, not_before=taken_until)
        return False
    return True


def leave(tenant: str, again_at: int | None, now: int) -> None:
    """End the turn. again_at: when the tenant needs the next one, if it does.

    Raises:
        Contention: the turn runs out, and the message that began it is delivered again.
    """
    announced, at = None, again_at
    race = races.Race(f"the turn of {tenant} was announced anew while it was left")
    while True:
        if at is not None:  # before it is written down: a message too many is dropped, one too few would be missed
            messages.announce(Turn(tenant, at), now)
        actions: list[Update] = [Endpoint.turn_until.remove()]
        actions += [Endpoint.turn_at.set(at)] if at is not None else []
        as_known = Endpoint.turn_at.does_not_exist() if announced is None else Endpoint.turn_at == announced
        try:
            tables.update(Endpoint, (tenant, TURN), actions, as_known, token=Endpoint.tried_token)
        except tables.ConditionFailed as failed:
            announced = _time(failed, "turn_at")
            at = min((one for one in (announced, again_at) if one is not None), default=None)
            race.lost()
        else:
            if at is not None and at < now + SECOND:
                # Whoever took the message before this was written found the turn taken, and put it off.
                messages.announce(Turn(tenant, at), now)
            return


def _time(failed: tables.ConditionFailed, name: str) -> int | None:
    value = (failed.item or {}).get(name)
    return int(value["N"]) if value else None
