"""StockX public API v2.

| file | holds |
|---|---|
| `api.py`, `bodies.py`, `tokens.py` | the checks of every call, the catalog, the token call |
| `selling.py`, `batches.py` | the calls on listings and operations, and on many at a time |
| `listings.py`, `book.py` | what a listing goes through, and what each account has |
| `inputs.py`, `selling_bodies.py` | what callers send, and what they are told |
"""
