"""What holds for all tests: no property is false because a machine was busy."""

from hypothesis import settings

settings.register_profile("sluice", deadline=None)
settings.load_profile("sluice")
