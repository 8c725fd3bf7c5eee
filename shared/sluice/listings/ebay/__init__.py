"""eBay listings kept equal to the seller's own records.

Read in this order: `desired` (how a listing is to be), `documents` (the same as JSON), `projection` (what eBay is sent
for it), `hashes` (whether that changed), `table` (what is stored), `snapshots`. docs/ebay_listings.md walks one listing
through.
"""
