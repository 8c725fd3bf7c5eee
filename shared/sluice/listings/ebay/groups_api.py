"""The routes of groups: several skus that are one listing, of which buyers pick one."""

from collections.abc import Sequence
from typing import Any, Final

from typing_extensions import TypedDict

from sluice.jobs.model import keys
from sluice.listings.ebay import asking, dry_run, dry_run_api, group_views, known, rules, sellers, taking, views
from sluice.listings.ebay import table as records
from sluice.listings.ebay.api import MOST_BYTES, READ, WRITE, asker, edit, find, one, refusals_told, sku_of, take
from sluice.listings.ebay.desired import Group, PolicyIds
from sluice.listings.ebay.dry_run_api import CallView
from sluice.listings.ebay.group_bodies import GroupBody, GroupDryRunBody, GroupEdit, GroupsQuery
from sluice.listings.ebay.group_plan import GroupKnown, Member, needs_policies, over
from sluice.listings.ebay.group_views import GroupList, GroupView, TakenGroup
from sluice.listings.ebay.plan import ended_words
from sluice.listings.ebay.table import Record
from sluice.listings.ebay.views import Revisions
from sluice.platform.http import paging
from sluice.platform.http.errors import Conflict, Invalid, NotFound
from sluice.platform.http.routing import HttpRequest, Route

GROUPS: Final = "/v1/ebay/groups"
GROUP: Final = f"{GROUPS}/{{key}}"


class GroupDryRunView(TypedDict):
    """What publishing a group would do now, with its members as they are stored.

    calls: in their order; none where eBay has it already. costs: revisions of the listing. waits: by sku, the field
    groups for which the listing has no revisions left today. lookedUpThen: by sku, the policies whose names are looked
    up when it is published; in the calls stands the name.
    """

    key: str
    calls: list[CallView]
    costs: int
    revisions: Revisions | None
    waits: dict[str, list[str]]
    lookedUpThen: dict[str, list[str]]


def put_ebay_group(request: HttpRequest[GroupBody, None]) -> TakenGroup:
    """Say how a group is to be."""
    key = sku_of(request)
    if request.body.key not in (None, key):
        raise Invalid.field("key", "is another one than the path names")
    return group_views.taken(key, take(request, "put", lambda: taking.group(request.body.document(key))))


def patch_ebay_group(request: HttpRequest[GroupEdit, None]) -> TakenGroup:
    """Change some of how a group is to be."""
    return group_views.taken(sku_of(request), edit(request, request.body.changes(), taking.edited_group))


def delete_ebay_group(request: HttpRequest[None, None]) -> TakenGroup:
    """End the group's listing, and archive the group. Its members' records stay."""
    found = find(request, archived=True)
    return group_views.taken(found.sku, take(request, "delete", lambda: asking.ended(found), archive=True))


def get_ebay_group(request: HttpRequest[None, None]) -> GroupView:
    """A group, its members, and what is known of them at eBay."""
    found = find(request, archived=True)
    return group_views.view(found, [one for one in _members(found) if not one.archived_at], request.now)


def list_ebay_groups(request: HttpRequest[None, GroupsQuery]) -> GroupList:
    """The caller's groups."""
    query, owner = request.query, records.group_owner(request.tenant)
    start = paging.start(query.cursor, request.tenant, rules.NAME)
    condition = records.matching(status=query.status, marketplace=query.marketplace)
    page = records.page(owner, query.limit, start, condition)
    shown = [group_views.summary(row) for row in page if row.archived_at is None or query.state == views.ARCHIVED]
    wanted = [row for row in shown if query.state in (None, row["state"])]
    return {"groups": wanted, "next": page.cursor(request.tenant)}


def dry_run_ebay_group(request: HttpRequest[GroupDryRunBody, None]) -> GroupDryRunView:
    """Say what publishing a group would do."""
    key = sku_of(request)
    record = records.find_group(request.tenant, key)
    group, rows = _wanted(request, key, record), _members(record) if record else []
    members, unknown = list[Member](), dict[str, list[str]]()
    read = sellers.known(keys.account("ebay", request.tenant), group.marketplace)  # members are of the group's site
    for row in rows:
        want, of_row = row.wanted, known.of_record(row, request.now)
        policies = of_row.policies or PolicyIds("", "", "")
        if needs_policies(group, want, of_row):
            policies, lost = dry_run_api.policies_of(read, want)
            unknown |= {row.sku: lost} if lost else {}
        members.append(Member(want, policies, of_row))
    there = known.of_group(record, request.now) if record else GroupKnown()
    if sku := over(group, there, members):
        raise Conflict(ended_words(sku))
    made = dry_run.run_group(group, there, members)
    return {
        "key": key,
        "calls": [dry_run_api.call_view(call) for call in made.calls],
        "costs": made.plan.revisions if there.live else 0,
        "revisions": views.revisions(record, request.now) if record else None,
        "waits": {
            member.want.sku: sorted(plan.waits)
            for member, plan in zip(members, made.plan.members, strict=True)
            if plan.waits
        },
        "lookedUpThen": unknown,
    }


def _wanted(request: HttpRequest[GroupDryRunBody, None], key: str, record: Record | None) -> Group:
    said = request.body.record
    if said is None:
        if record is None or record.archived_at:
            raise NotFound.of("group", "key")
        return record.wanted_group
    with refusals_told():
        wanted = taking.group(said.document(key))
        asking.change_of(asker(request, "dry-run"), wanted, archive=False).check()
    return wanted


def _members(record: Record) -> Sequence[Record]:
    """The records of its members, by sku; also those that were archived, which stay in a live listing."""
    found = records.find_many(record.owner, sorted(record.members or ()))
    return [row for _, row in sorted(found.items()) if row.group == record.sku]


def _write(method: str, summary: str, call: Any, body: Any = None) -> Route[Any, Any]:
    return Route(
        method,
        GROUP,
        summary,
        call,
        TakenGroup,
        WRITE,
        body=body,
        status=202,
        errors=(Conflict,),
        asks=one,
        versioned=True,
        most_bytes=MOST_BYTES,
    )


ROUTES = (
    Route("GET", GROUPS, "List your groups", list_ebay_groups, GroupList, READ, query=GroupsQuery),
    Route("GET", GROUP, "Show a group, its members and what is known of them at eBay", get_ebay_group, GroupView, READ),
    _write("PUT", "Say how a group is to be", put_ebay_group, GroupBody),
    _write("PATCH", "Change some of how a group is to be", patch_ebay_group, GroupEdit),
    _write("DELETE", "End a group's listing and archive the group", delete_ebay_group),
    Route(
        "POST",
        f"{GROUP}/dry-run",
        "Say what publishing a group would do, and do nothing",
        dry_run_ebay_group,
        GroupDryRunView,
        WRITE,
        body=GroupDryRunBody,
        errors=(Conflict,),
        asks=one,
        most_bytes=MOST_BYTES,
    ),
)
