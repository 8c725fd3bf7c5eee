"""Choosing what runs now: the scheduler, the operation poller and the punctual worker."""
