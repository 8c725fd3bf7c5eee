"""The marketplaces: accounts, tokens, the one HTTP seam, and a folder for each marketplace.

Read in this order: `registry` (what each marketplace is), `accounts.table`, `http.errors` (the tree), `http.transport`
(the seam), `accounts.access_tokens` and `accounts.session` (who calls), `stockx.adapter`. `registry` and
`accounts.table` load no HTTP client, so that functions which call no marketplace start without one.
"""
