"""Promotions: an ad for each listing that a seller wants shown, placed as soon as the marketplace knows the listing.

Read in this order: `wanted` (what somebody asks for), `request` (asking), `place` (a run), `campaigns` (where ads
stand), `work_run` (the promotion worker), `views` and `api` (what is shown).
"""
