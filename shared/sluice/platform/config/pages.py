"""How product pages are watched: the section `pages` of the configuration. Pure."""

from dataclasses import dataclass

from sluice.platform.config.section import flag, number


@dataclass(frozen=True)
class Pages:
    """Every number of product pages that an operator may change.

    enable_check_scheduler: whether pages are checked by themselves; `run-now` works either way.
    check_scheduler_interval_minutes: how far apart the scheduler's runs are.
    min_check_interval_minutes: how long a page is left alone after a check; one that confirms another comes earlier.
    max_products_per_run: how many checks one run asks for.
    check_lock_timeout_seconds: how long a check belongs to its worker before it is rescued.
    confirm_minutes: how soon a second check confirms what the first has read.
    check_retention_days, price_retention_days: how long checks and the history of prices are kept.
    """

    enable_check_scheduler: bool = flag(default=True)
    check_scheduler_interval_minutes: int = number(30, least=1, most=1_440)
    min_check_interval_minutes: int = number(30, least=0, most=10_080)
    max_products_per_run: int = number(50, least=1, most=500)
    check_lock_timeout_seconds: int = number(300, least=60, most=3_600)
    confirm_minutes: int = number(5, least=0, most=60)
    check_retention_days: int = number(30, least=1, most=365)
    price_retention_days: int = number(400, least=1, most=3_650)
