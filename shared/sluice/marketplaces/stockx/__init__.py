"""StockX: the catalog and market prices, and listings."""
