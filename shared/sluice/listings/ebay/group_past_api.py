"""The routes of what was of a group: those of a listing's past, under the group's path."""

from typing import Final

from sluice.listings.ebay import snapshots_api as past
from sluice.listings.ebay.api import READ, WRITE, one
from sluice.listings.ebay.bodies import DiffQuery
from sluice.listings.ebay.groups_api import GROUP
from sluice.listings.ebay.views import ChangeList, Difference, SnapshotList, SnapshotState, SnapshotView
from sluice.platform.http.errors import Conflict
from sluice.platform.http.models import PageQuery
from sluice.platform.http.routing import HttpRequest, Route


def get_ebay_group_history(request: HttpRequest[None, PageQuery]) -> ChangeList:
    """Every change of a group's own record, and who made it."""
    return past.get_ebay_history(request)


def list_ebay_group_snapshots(request: HttpRequest[None, PageQuery]) -> SnapshotList:
    """What was published of a group, newest first. Its members have snapshots of their own."""
    return past.list_ebay_snapshots(request)


def get_ebay_group_snapshot(request: HttpRequest[None, None]) -> SnapshotState:
    """What was published of a group once."""
    return past.get_ebay_snapshot(request)


def diff_ebay_group_snapshots(request: HttpRequest[None, DiffQuery]) -> Difference:
    """What differs between two snapshots of a group."""
    return past.diff_ebay_snapshots(request)


def force_ebay_group_snapshot(request: HttpRequest[None, None]) -> SnapshotView:
    """Keep what is published of a group now, whether or not it was kept before."""
    return past.force_ebay_snapshot(request)


SNAPSHOTS: Final = f"{GROUP}/snapshots"

ROUTES = (
    Route(
        "GET",
        f"{GROUP}/history",
        "Show every change of a group",
        get_ebay_group_history,
        ChangeList,
        READ,
        query=PageQuery,
    ),
    Route(
        "GET",
        SNAPSHOTS,
        "List what was published of a group",
        list_ebay_group_snapshots,
        SnapshotList,
        READ,
        query=PageQuery,
    ),
    Route(
        "POST",
        SNAPSHOTS,
        "Keep what is published of a group now",
        force_ebay_group_snapshot,
        SnapshotView,
        WRITE,
        status=201,
        errors=(Conflict,),
        asks=one,
    ),
    Route(
        "GET",
        f"{SNAPSHOTS}/diff",
        "Show what differs between two snapshots of a group",
        diff_ebay_group_snapshots,
        Difference,
        READ,
        query=DiffQuery,
    ),
    Route(
        "GET",
        f"{SNAPSHOTS}/{{number}}",
        "Show what was published of a group once",
        get_ebay_group_snapshot,
        SnapshotState,
        READ,
    ),
)
