"""The route with which whoever runs the deployment has a function run now, instead of at its next minute."""

from typing import Annotated, ClassVar

from pydantic import Field

from sluice.operator import actions, audit
from sluice.operator.action_views import ActionView, view
from sluice.operator.actions_api import Reason
from sluice.platform import aws
from sluice.platform.http.auth import Permission
from sluice.platform.http.models import Body, Example, OneOf
from sluice.platform.http.routing import HttpRequest, Route
from sluice.platform.settings import settings

# Those that run each minute by themselves: any number of their runs may go on at once.
FUNCTIONS = ("operation-poller", "operator-worker", "page-scheduler", "promotion-worker", "reconciler", "scheduler")
RUN = "run"


class RunBody(Body):
    """Which function, and why."""

    example: ClassVar[Example] = {"function": "scheduler", "reason": "after a pause"}

    function: Annotated[str, OneOf(FUNCTIONS)]
    reason: Reason | None = Field(None, description="for the audit log")


def run_function(request: HttpRequest[RunBody, None]) -> ActionView:
    """Start a run of the function. It is noted before, and once more when it has started."""
    function = request.body.function
    action = audit.begin(request, RUN, {"function": function}, request.body.reason)
    aws.invoke_later(f"{settings().stack}-{function}", {"source": "operator", "action": action.entry})
    return view(actions.finish(action, {"started": 1}, request.now), request.now)


ROUTES = (
    Route(
        "POST",
        "/v1/operator/run",
        "Have a function run now",
        run_function,
        ActionView,
        Permission.DEPLOYMENT_ACT,
        body=RunBody,
        status=202,
    ),
)
