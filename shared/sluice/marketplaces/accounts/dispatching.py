"""What the engine asks after accounts when it chooses what runs."""

from typing import Final

from sluice.jobs.dispatch.snapshot import Accounts
from sluice.marketplaces.accounts import table

ACCOUNTS: Final = Accounts(table.statuses, table.applications, table.working)
