"""Pauses as stored: table `pauses`, which every function reads with its configuration, each 20 seconds.

```
 scope     name              attributes
 now       stockx:acme       reason, by, since, until, deployment
```
All stand under one key: they are few, and each reader wants them all. What has an end is forgotten a day behind it.
"""

from typing import Final

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from sluice.platform import tables
from sluice.platform.attributes import IntAttribute
from sluice.platform.clock import DAY, ttl
from sluice.platform.config.pauses import Pause, Pauses

SCOPE: Final = "now"


class StoredPause(tables.Table):
    """One pause; its attributes are those of `Pause`."""

    class Meta:
        table_name = tables.name("pauses")

    scope = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute(range_key=True)
    reason = UnicodeAttribute()
    by = UnicodeAttribute()
    since = IntAttribute()
    until = IntAttribute(null=True)
    deployment = BooleanAttribute()
    expires_at = IntAttribute(null=True)

    def pause(self) -> Pause:
        """The same as a value."""
        return Pause(self.name, self.reason, self.by, self.since, self.until, self.deployment)


def read(*, consistent: bool = False) -> Pauses:
    """All pauses. consistent: those that were written a moment ago too."""
    return Pauses.of(one.pause() for one in StoredPause.query(SCOPE, consistent_read=consistent))


def put(pause: Pause, now: int) -> None:
    """Pause it, instead of what stood there under this name.

    Raises:
        ConditionFailed: the deployment's own pause stands there, and `pause` is a tenant's.
    """
    stored = StoredPause(SCOPE, **pause._asdict(), expires_at=ttl(pause.until + DAY) if pause.until else None)
    over = StoredPause.name.does_not_exist() | (StoredPause.until <= now)
    tables.put(stored, None if pause.deployment else over | _tenants())


def remove(name: str, *, deployment: bool) -> None:
    """End the pause; nothing where there is none. deployment: whoever runs the deployment ends it.

    Raises:
        ConditionFailed: the deployment's own pause stands there, and a tenant's operator would end it.
    """
    tables.delete(StoredPause, (SCOPE, name), None if deployment else StoredPause.name.does_not_exist() | _tenants())


def _tenants() -> Condition:
    return StoredPause.deployment == False  # noqa: E712 - an expression of DynamoDB
