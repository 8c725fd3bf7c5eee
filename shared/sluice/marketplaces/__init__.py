"""The marketplaces: accounts, tokens, the one HTTP seam, and an adapter for each marketplace.

Read in this order: `registry` (what each marketplace is), `accounts` (the table), `errors` (the tree), `transport` (the
seam), `tokens` and `session` (who calls), `stockx` (an adapter). `registry` and `accounts` load no HTTP client, so that
functions which call no marketplace start without one.
"""
