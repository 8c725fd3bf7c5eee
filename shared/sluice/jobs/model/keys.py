"""Every key that the engine builds, in one place."""

import re
from urllib.parse import quote, unquote
from zlib import crc32

MANUAL = 200
HOT = 150
BACKGROUND = 100
PRIORITIES = {"manual": MANUAL, "hot": HOT, "background": BACKGROUND}
_PRIORITY_NAMES = {number: name for name, number in PRIORITIES.items()}

POLL = "poll"

# Stands before an application's key in a budget. No tenant has a dot in its name.
APPLICATION = "app."

_JOB_ID = r"[A-Za-z0-9_.~:%-]{1,1024}"

# Running jobs stand apart from queued ones, so that a held lane never hides a job whose worker died.
LEASED_SHARDS = 4


def priority_name(number: int) -> str:
    """The priority's name; the number of one that this version does not know."""
    return _PRIORITY_NAMES.get(number, str(number))


def job_id(kind: str, *parts: str) -> str:
    """The natural identity of a piece of work: `kind` and `parts` joined by `:`, each part percent-quoted.

    A job id stands unescaped in a URL path, hence `:` and not `#`.
    """
    return ":".join([kind, *(quote(part, safe="") for part in parts)])


def is_job_id(text: str) -> bool:
    """Whether `text` can be a job id. What cannot is longer than a key of DynamoDB, or has what no id has."""
    return re.fullmatch(_JOB_ID, text) is not None


def job_parts(identity: str) -> list[str]:
    """The kind and the parts that `job_id` put together."""
    return [unquote(part) for part in identity.split(":")]


def subject(identity: str) -> str:
    """What a job is about, as far as several may be about the same: its kind and its first two parts."""
    return ":".join(identity.split(":", 3)[:3])


def shard(key: str, shards: int) -> int:
    """Which of `shards` equal parts `key` belongs to; the same in every process."""
    return crc32(key.encode()) % shards


def lane(budget: str, account: str, priority: int, job: str, shards: int) -> str:
    """Where a queued job waits: what waits together is limited together, and held together.

    Where accounts share a budget, each has lanes of its own: the work of a broken one never stands before another's.
    """
    return f"{budget}#{priority}#{_part(budget, account, job, shards)}"


def lanes_of(budget: str, account: str, priority: int, shards: int) -> list[str]:
    """All lanes in which jobs of an account wait with this priority."""
    behind = "" if account == budget else f"@{account}"
    return [f"{budget}#{priority}#{number}{behind}" for number in range(shards)]


def poll_lane(budget: str, account: str, job: str, shards: int) -> str:
    """Where a job waits to be checked again, while the marketplace works on its operation."""
    return f"{budget}#{POLL}#{_part(budget, account, job, shards)}"


def _part(budget: str, account: str, job: str, shards: int) -> str:
    number = shard(job, shards)
    return str(number) if account == budget else f"{number}@{account}"


def is_poll_lane(name: str) -> bool:
    """Whether the operation poller, and not the scheduler, serves this lane."""
    return lane_priority(name) == POLL


def lane_priority(name: str) -> str:
    """The priority of the jobs in this lane as text, or `poll`."""
    return name.rsplit("#", 2)[1]


def lane_budget(name: str) -> str:
    """The budget that a lane belongs to."""
    return name.rsplit("#", 2)[0]


def lane_account(name: str) -> str:
    """The account whose jobs wait in this lane."""
    return name.rpartition("@")[2] if "@" in name else lane_budget(name)


def leased_lane(job: str) -> str:
    """Where a running job waits for its rescue."""
    return f"leased#{shard(job, LEASED_SHARDS)}"


def leased_lanes() -> list[str]:
    """All lanes of running jobs."""
    return [f"leased#{number}" for number in range(LEASED_SHARDS)]


def account(marketplace: str, tenant: str) -> str:
    """The one connection of `tenant` to `marketplace`."""
    return f"{marketplace}:{tenant}"


def marketplace_of(account_id: str) -> str:
    """The marketplace that an account belongs to."""
    return account_id.split(":", 1)[0]


def tenant_of(account_id: str) -> str:
    """Whose account it is."""
    return account_id.partition(":")[2]


def service_of(budget: str) -> str:
    """What the limits of a budget are configured for: a marketplace, or a service of one that counts apart."""
    return budget.split(":", 1)[0]


def budget(account_id: str, *, by_account: bool, service: str = "") -> str:
    """What a job of this account is stored with: the account's own budget, or the service whose calls it makes.

    Where it is only a service, the account's application is added when the job is admitted: see `charged_to`.
    """
    marketplace, _, tenant = account_id.partition(":")
    name = service or marketplace
    return f"{name}:{tenant}" if by_account else name


def charged_to(stored: str, application: str | None) -> str:
    """The budget that is charged for a job that is stored with the budget `stored`.

    ```
     stored         application of its account    charged to
     stockx:acme    any                           stockx:acme      the account's own budget
     ebay           3f9c21aa                      ebay:app.3f9c21aa   its application's, which others may share
     ebay           not known                     ebay             one budget for all accounts of which it is not known
    ```
    It is found out anew in each round, because an account may be connected to another application while its jobs wait.
    """
    return f"{stored}:{APPLICATION}{application}" if application and is_shared(stored) else stored


def is_shared(stored: str) -> bool:
    """Whether the stored budget of a job is only a service, so that accounts may share what is charged."""
    return ":" not in stored


def application_of(budget_id: str) -> str | None:
    """The application whose budget this is; None where it is an account's, or that of a whole service."""
    name = budget_id.partition(":")[2]
    return name.removeprefix(APPLICATION) if name.startswith(APPLICATION) else None


def spoken(budget_id: str) -> str:
    """How messages name a budget: an account by its id, an application as such, because its key says nothing."""
    return f"{service_of(budget_id)} (this application)" if application_of(budget_id) else budget_id


def budget_of_another(budget_id: str, tenant: str) -> str:
    """The budget that stands for `tenant` where `budget_id` stands for another: the same one, where all share it."""
    service, by_account, _ = budget_id.partition(":")
    return f"{service}:{tenant}" if by_account else budget_id
