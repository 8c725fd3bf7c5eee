"""eBay's Marketing API, as far as it places ads: campaigns, ads paid when they sell, and the lag of its index.

| file | holds |
|---|---|
| `api.py` | the checks of every call, and the calls |
| `inputs.py`, `bodies.py` | what callers send, and what they are answered |
| `book.py` | what there is: published listings, campaigns, ads |
| `errors.py` | eBay's error ids |
| `faults.py` | the switch for single ads |
"""
