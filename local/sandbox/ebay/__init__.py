"""eBay's Browse API, its token call and its rate limits; the Marketing API is in `marketing/`.

| file | holds |
|---|---|
| `api.py`, `tokens.py` | the checks of every call, the quotas, the token call |
| `items.py` | what is for sale, by seed and hour |
| `search.py` | what a search's filters mean |
"""
