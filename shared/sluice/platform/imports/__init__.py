"""Files of many rows: a request takes one, and its rows are stored behind the answer.

```
 request   upload.read: a CSV file or a JSON list ─► Sheet (rows that are good, rows that are refused)
           table.begin: the record of the import, and its rows in chunks ─► queue `inventory`            202
 worker    takers.take: each chunk by who stores rows of its kind ─► table.finish: counted once, rows refused there told
```
What a row is, and how it is stored, is the capability's: it has a `Sheet` of its own, and a module `imported` with
`take(chunk, context)`. Which kinds of rows there are stands in `sluice.capabilities`.
"""
