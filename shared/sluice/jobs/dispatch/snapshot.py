"""What a dispatcher knows when it begins: the time, the configuration with its pauses, how to ask after accounts."""

from collections.abc import Callable, Collection, Mapping, Set
from typing import NamedTuple

from sluice.platform.config.document import Config

# The status of each of these accounts for the calls of a service, by account id.
Statuses = Callable[[Collection[str], str], Mapping[str, str]]
# The application of each of these accounts, by account id; one that is not known is left out.
Applications = Callable[[Collection[str]], Mapping[str, str]]
# Which of these accounts can be given work of others for the calls of a service: they work, and have shown it.
Working = Callable[[Collection[str], str], Set[str]]


def none_known(_: Collection[str]) -> Mapping[str, str]:
    """Of no account is an application known."""
    return {}


def none_work(_: Collection[str], __: str) -> Set[str]:
    """Nobody's account is known to work."""
    return frozenset()


class Accounts(NamedTuple):
    """What the engine asks after accounts; whoever knows them answers."""

    statuses: Statuses
    applications: Applications = none_known
    working: Working = none_work


class Snapshot(NamedTuple):
    """What holds for one round or tick. now: epoch ms."""

    now: int
    config: Config
    accounts: Accounts
