"""Market prices: what is stored, asking for a fresh one, and fetching it.

`kinds` declares the job, `ask` takes requests, `table` is what is stored, `handler` runs one job, `api` has the routes.
"""
