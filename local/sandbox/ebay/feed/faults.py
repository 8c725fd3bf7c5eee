"""The switch for reports: when they are ready, how old they are, and what becomes of their file."""

from typing import Literal

from pydantic import Field

from local.sandbox.switch import Event, ReportAsked, Switch


class OddReport(Switch):
    """A report that is asked for is odd.

    seconds: it is ready so long after it was asked for. status: it ends in this one instead of COMPLETED.
    behind: it shows what the one before showed. without_held: listings on hold are not in it. wrong_quantity: it
    counts what was sold as well. file: how it is packed, or what is wrong with it; `kept`: of a cut one, that share.
    """

    kind: Literal["odd_report"] = "odd_report"
    seconds: float | None = Field(default=None, ge=0)
    status: str | None = None
    behind: bool = False
    without_held: bool = False
    wrong_quantity: bool = False
    file: Literal["zip", "gzip", "plain", "cut", "cut_inside", "bomb", "doctype", "csv", "empty", "failure"] = "zip"
    kept: float = Field(default=0.5, ge=0, le=1)

    def matches(self, event: Event) -> bool:
        return isinstance(event, ReportAsked) and super().matches(event)
