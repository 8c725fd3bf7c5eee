"""The job kinds of this capability."""

from sluice.pricing.kinds import REFRESH

__all__ = ["REFRESH"]
