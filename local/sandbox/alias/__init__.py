"""Alias API v1: the catalog and its prices, behind a gRPC gateway."""
