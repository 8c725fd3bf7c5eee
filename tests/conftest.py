"""What holds for all tests: every job kind is known, and no property is false because a machine was busy."""

from hypothesis import settings

from sluice import capabilities
from sluice.jobs.model import kinds

kinds.serve(capabilities.kinds(*(one.name for one in capabilities.CAPABILITIES)))

settings.register_profile("sluice", deadline=None)
settings.load_profile("sluice")
