"""Listings at marketplaces, a folder for each marketplace."""
