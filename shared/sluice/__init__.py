"""Sluice: one job engine for a reseller's background work against marketplace APIs.

Layers, each importing only those to its left: `platform` ← `jobs` ← `marketplaces` ← capabilities ← `functions/`.
"""
