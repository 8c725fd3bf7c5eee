"""Market prices: `market.refresh` keeps one price (SKU, size, currency, marketplace) fresh.

`api` takes requests and shows prices, `refresh` does one job. What other capabilities use too is in `pricing`.
"""
