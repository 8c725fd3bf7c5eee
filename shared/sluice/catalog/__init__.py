"""The catalog: what marketplaces call a product and its sizes, looked up once and kept for everybody.

`table` is what is stored, `lookup` asks a marketplace, `handler` runs one `catalog.enrich` job, which looks a
product up again. `enrichment` finds the products that are old or lack something.
"""
