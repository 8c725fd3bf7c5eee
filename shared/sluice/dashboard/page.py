"""What a page comes to: something to show, or somewhere to go on."""

from typing import NamedTuple

from markupsafe import Markup

from sluice.dashboard.table import Table


class Page(NamedTuple):
    """What a page shows. refreshes: it is worth looking at again by itself. tables: that can be downloaded as CSV."""

    title: str
    body: Markup
    status: int = 200
    refreshes: bool = False
    tables: tuple[Table, ...] = ()


class Redirect(NamedTuple):
    """Where to go on, within the dashboard."""

    to: str
