"""eBay: market prices, ads, quotas."""
