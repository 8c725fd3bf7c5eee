"""What runs an action on many things: page after page, until all are done, it is stopped, or its time is over."""

from typing import Any

from sluice.jobs.model.outcomes import Failure, HandlerResult, Then
from sluice.jobs.model.run import Run
from sluice.operator import acting, actions
from sluice.operator.actions import Action
from sluice.platform import tables
from sluice.platform.clock import MINUTE, SECOND
from sluice.platform.http.errors import TooMany

# So long one run goes on; its function and its lease last longer.
RUN_MS = 45 * SECOND


class GoesOn(Failure):
    """The action is not at its end: another run goes on with it. It uses up no attempt."""

    action = Then.SNOOZE
    code = "goes_on"


def run(run: Run) -> HandlerResult:
    """Carry out an action as far as the time suffices."""
    action = actions.find(run.payload["tenant"], run.payload["action_id"])
    began = run.clock.now()
    while action is not None and action.state == actions.RUNNING:
        now = run.clock.now()
        if now - began > RUN_MS:
            raise GoesOn("the action goes on with its next page", retry_at=now)
        action = _step(action, run, now)
    return result(action)


def _step(action: Action, run: Run, now: int) -> Action | None:
    """One page more, or the end that somebody wishes."""
    try:
        if (action.pages or 0) * acting.PAGE >= acting.MOST_THINGS:
            return actions.stop(
                action, now, f"the limit of {acting.MOST_THINGS} for one action; act again on what is left"
            )
        return actions.stop(action, now) if action.stop_by else acting.do_page(action, now, run.config)
    except TooMany as full:
        raise GoesOn(f"it waits until there is room for more jobs: {full.message}", retry_at=now + MINUTE) from None
    except tables.ConditionFailed:
        # Somebody else has done this page, who was thought dead or thinks so of us: go on behind it.
        return actions.find(action.owner, action.entry)


def result(action: Action | None) -> dict[str, Any]:
    """What the job keeps of its end."""
    return {"state": action.state, "outcomes": action.outcomes or {}} if action else {"state": "gone"}
