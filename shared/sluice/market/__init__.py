"""Market prices: `market.refresh` keeps one price (SKU, size, currency, marketplace) fresh.

`kinds` declares the work, `enqueue` takes requests, `refresh` does one job, `prices` is its table.
"""
