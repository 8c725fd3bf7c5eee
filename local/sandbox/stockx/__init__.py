"""StockX public API v2: `api.py` answers, `bodies.py` has the shapes, `tokens.py` the token call."""
