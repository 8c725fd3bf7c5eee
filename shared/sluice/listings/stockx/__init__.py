"""Listing operations: changes that a marketplace carries out in its own time, submitted safely and followed to the end.

Read in this order: `changes` (what somebody asked for), `table` (listings and their history), `status` (the
words), `results` (what a change came to), `request` (asking), `handler` (a run), `turns` (one by one), `submit`,
`follow`, `look`, `settle`.
`bulk` and `batch` do the same for many listings in one call. `poll_run` is the operation poller.
"""
