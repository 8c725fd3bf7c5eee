"""Tenants are told by mail of what they wanted to be told of: in the end of each event, and no line waits."""

from collections.abc import Iterator
from typing import Final

from tests.soak.town import TENANTS, Trade

ALL: Final = "/v1/notifications/mails"
# As `Accounts` says it for each tenant.
TYPES: Final = ("job.dead", "account.broken")


class Mails(Trade):
    """They send themselves one now and then, to see that it arrives."""

    def act(self) -> None:
        answer = self._town.ask("POST", "/v1/notifications/test", tenant=self._chance.choice(TENANTS), roles="admin")
        assert answer.status < 300 or answer.status in (404, 409), answer.text

    def wrong(self) -> Iterator[str]:
        for item in self._town.store.items("notifications"):
            if item["entry"]["S"].startswith("waits#"):
                yield f"a line of {item['tenant']['S']} waits for a mail: {item['entry']['S']}"
        noted = {(item["tenant"]["S"], item["entry"]["S"]) for item in self._town.store.items("notifications")}
        for one in self._town.told:
            for tenant in one.tenants:
                if one.kind in TYPES and tenant in TENANTS and (tenant, f"told#{one.kind}#{one.event_id}") not in noted:
                    yield f"no mail tells {tenant} of {one.kind} {one.event_id}"
        for tenant in TENANTS:
            pages = self._pages(ALL, {}, tenant=tenant, roles="admin")
            sent = sum(mail["state"] == "SENT" for page in pages for mail in page.json["mails"])
            if self._town.posted[tenant] < sent:
                yield f"{sent} mails to {tenant} are told as sent, and {self._town.posted[tenant]} were"
