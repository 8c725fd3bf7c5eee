"""What a page comes to: something to show, or somewhere to go on."""

from dataclasses import dataclass

from markupsafe import Markup

from sluice.dashboard.table import Table


@dataclass(frozen=True)
class Page:
    """What a page shows. refreshes: it is worth looking at again by itself. tables: that can be downloaded as CSV."""

    title: str
    body: Markup
    status: int = 200
    refreshes: bool = False
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True)
class Redirect:
    """Where to go on, within the dashboard."""

    to: str
