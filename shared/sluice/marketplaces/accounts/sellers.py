"""Which accounts act for the same user of a marketplace, whoever connected them. Table `accounts`.

```
 ebay:acme           seller = 3f9c21aa07b45e10     in whose name it acts, where the marketplace has told
 #seller/3f9c21…     accounts = {ebay:acme, …}     who was connected in that name; some may be another's by now
```
The item of a seller is written before an account says that it is its: whoever reads it finds all, and looks at each.
"""

from hashlib import blake2b
from typing import Final

from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.accounts.applications import MOST_KEY_BYTES
from sluice.marketplaces.accounts.item import Account
from sluice.platform import tables
from sluice.platform.settings import settings

SELLER: Final = "#seller/"


def seller_key(marketplace: str, user_id: str) -> str:
    """What names a marketplace's user in this stack. Who the user is cannot be read from it."""
    text, stack = f"{marketplace} {user_id}".encode(), settings().stack.encode()
    return blake2b(text, key=stack[:MOST_KEY_BYTES], digest_size=8, person=b"seller").hexdigest()


def remember(seller: str, account_id: str) -> None:
    """Note that the account is about to act in the seller's name."""
    tables.update(Account, (f"{SELLER}{seller}",), [Account.accounts.add({account_id})])


def others(account_id: str) -> list[str]:
    """The other accounts that certainly act for the same user; none where it is not known who that is."""
    account = accounts.find(account_id)
    if account is None or account.seller is None:
        return []
    try:
        known = Account.get(f"{SELLER}{account.seller}", consistent_read=True)
    except Account.DoesNotExist:
        return []
    found = ((one, accounts.find(one)) for one in sorted(known.accounts or ()) if one != account_id)
    return [one for one, other in found if other and other.seller == account.seller]
