"""A seller's inventory: what they own, what it cost, and what the marketplaces pay for it now.

`rules` says what an item is, `table` is where it stands. `portfolio` shows items with their prices and `refreshes` asks
for fresh ones. `csv_rows` and `upload` read what is imported into a `sheet`, and `imported` stores its rows (see
`platform.imports`); `messages` is what else lies in the queue `inventory`, `worker` what is done with it.
"""
