"""Market prices and the catalog behind them.

`api` takes requests and shows prices, `refresh` does one job. What other capabilities use too is in `pricing`.
`catalog.enrich` looks a product up again: `enrichment` finds those that are old or lack something, `enrich` does one
job, `lookup` is what both kinds ask a marketplace with.
"""
