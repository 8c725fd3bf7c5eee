"""What waits for the operator's next mail: lines of table `notifications`, each tenant's beside each other.

```
 tenant      entry                        what it is
 #tenants    #operator                    where the operator's mails stand, as those of a tenant (`table`)
 #operator   acme#0179534880…#job.dead#…  a line of acme's
 #told       acme#job.dead#c4ca42…        this event was taken in; one that comes twice finds it
```
Each entry begins with its tenant, so that one's flood is stepped over in one read, and is removed with its tenant.
"""

from sluice.notifications import table
from sluice.notifications.table import OPERATOR, Row

TOLD = "#told"
# Behind every line of a tenant: its lines go on with digits.
_END = "~"


def note(tenant: str, event: tuple[str, str], at: int, text: str, now: int) -> None:
    """Have `text`, of `tenant`, wait for the operator's next mail, unless this event was taken in before.

    event: its type and its id. at: when it happened.
    """
    kind, event_id = event
    told = table.told((TOLD, f"{tenant}#{kind}#{event_id}"), now)
    line = table.line((OPERATOR, f"{tenant}#{now:013d}#{kind}#{event_id}"), kind, at, text, now)
    table.note_once(told, line)


def waiting(most: int, most_tenants: int) -> tuple[dict[str, list[Row]], bool]:
    """The lines that wait, by tenant, each one's oldest first; and whether there are more.

    most: lines in all. Each tenant has the same share of them, at least one, whatever the others have.
    """
    tenants = _tenants(most_tenants + 1)
    chosen = tenants[:most_tenants]
    share = max(1, most // len(chosen)) if chosen else 0
    found = {tenant: _of(tenant, share + 1) for tenant in chosen}
    more = len(tenants) > most_tenants or any(len(lines) > share for lines in found.values())
    return {tenant: lines[:share] for tenant, lines in found.items()}, more


def _tenants(most: int) -> list[str]:
    """Whose lines wait, by name: one line of each is read."""
    found = list[str]()
    while len(found) < most:
        behind = Row.entry > f"{found[-1]}#{_END}" if found else None
        line = next(iter(Row.query(OPERATOR, behind, limit=1, consistent_read=True)), None)
        if line is None:
            break
        found.append(str(line.entry).partition("#")[0])
    return found


def _of(tenant: str, most: int) -> list[Row]:
    own = Row.entry.between(f"{tenant}#", f"{tenant}#{_END}")
    return list(Row.query(OPERATOR, own, limit=most, consistent_read=True))
