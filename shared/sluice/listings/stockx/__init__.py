"""Listing operations: changes that a marketplace carries out in its own time, submitted safely and followed to the end.

Read in this order: `changes` (what somebody asked for, and what is remembered of its sending), `table` (listings and
their history), `request` (asking), `handler` (a run: its turn, sending), `follow` (one check after the other),
`results` (what it came to), `settle` (writing that). `bulk`, `batch` and `batch_follow` do the same for many listings
in one call. What a run leaves unknown: `change_order`, `lost_creates`, `check`, `aftermath`, `unread`. The operation
poller is `poll_run`. The marketplace is a `marketplaces.selling.Seller`.
"""
