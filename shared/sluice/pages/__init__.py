"""Product pages: pages of web shops are checked on schedule; price, stock and variants become facts and alerts.

Read in this order: `urls` (what a page is), `fetch` and `check` (how it is read), `readers` (what is in it), `facts`
and `alerts` (what of that is told), `handler` (a job), `schedule` (when), `api` and `operator_api` (what is shown).
"""
