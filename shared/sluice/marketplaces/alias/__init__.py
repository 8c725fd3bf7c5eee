"""Alias: the catalog and market prices."""
