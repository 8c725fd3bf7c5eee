"""Market prices for whoever needs them: what is stored, and asking for a fresh one.

No capability, but what several of them stand on. `kinds` declares the job, `enqueue` takes requests, `prices` is the
table; what runs the job is `market.refresh`.
"""
