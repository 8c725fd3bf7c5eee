"""Reports of a seller's live listings at eBay: Feed API."""
