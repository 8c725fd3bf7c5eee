"""How many items each tenant's inventory holds."""

from typing import Final

from sluice.inventory.table import Item
from sluice.platform.kept import Kept

STOCK: Final = Kept("inventory_items", lambda tenant: Item.count(tenant, consistent_read=True))
