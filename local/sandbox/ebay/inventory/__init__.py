"""eBay's Inventory API, and what belongs to it: a seller's policies (Account) and what categories ask for (Taxonomy).

| file | holds |
|---|---|
| `api.py`, `offers_api.py`, `groups_api.py` | the calls of the Inventory API, and the checks of each |
| `account.py`, `taxonomy.py` | the calls of the other two |
| `seller.py` | what every call to these APIs has in common |
| `book.py` | what there is: items, offers, groups, listings, policies, places |
| `echo.py` | how eBay shows what it was sent |
| `errors.py`, `faults.py` | eBay's error ids; the switches for single listings |
"""
