"""Every policy statement is needed, none is missing, and every metric that is drawn is emitted.

The local cloud enforces the functions' policies and records each call, so what was granted can be compared with what
was used. Whoever adds a call adds its statement, and an event of the day that makes it: for certain, however slow the
machine is, and not only where a minute's run or another's request comes at the right moment.
"""

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

import pytest

from local.cloud import template as templates
from local.cloud.template import resources
from local.laptop import Laptop
from tests.integration.after_day import AfterDay
from tests.integration.dashboard_day import DashboardDay, browse
from tests.integration.day import FAST, Day
from tests.integration.ebay_record_day import EbayRecordDay
from tests.integration.inventory_day import InventoryDay
from tests.integration.listing_day import ListingDay
from tests.integration.notification_day import NotificationDay
from tests.integration.operator_day import OperatorDay
from tests.integration.page_day import PageDay
from tests.integration.promotion_day import PromotionDay
from tests.integration.publish_day import PublishDay
from tests.support import stack
from tests.support.browser import CHROMIUM, WHY_NOT

FUNCTIONS = [
    function["FunctionName"]["Fn::Sub"].removeprefix("${AWS::StackName}-")
    for _, function in resources(templates.load(), "AWS::Serverless::Function")
]


@pytest.fixture(scope="module")
def laptop() -> Iterator[Laptop]:
    """A stack with a day behind it."""
    with stack.deployed(latency_ms=0, configuration=FAST) as laptop:
        mistake(laptop)
        Day(laptop).live()
        ListingDay(laptop).live()
        InventoryDay(laptop).live()
        PromotionDay(laptop).live()
        PublishDay(laptop).live()
        PageDay(laptop).live()
        EbayRecordDay(laptop).live()
        AfterDay(laptop).live()
        NotificationDay(laptop).live()
        OperatorDay(laptop).live()
        DashboardDay(laptop).live()
        yield laptop


def mistake(laptop: Laptop) -> None:
    """The newest configuration is not valid, so that each function looks back for the one that is in force."""
    name = laptop.stack.outputs["ConfigurationParameterName"]
    laptop.cloud.client("ssm").put_parameter(Name=name, Value='{"engine": {"batch": 0}}', Overwrite=True)


def granted(laptop: Laptop) -> set[tuple[str, str, str]]:
    """(function, action, ARN) of every statement of this stack's own policies, as IAM has them."""
    iam, found = laptop.cloud.client("iam"), set()
    for name in FUNCTIONS:
        function = laptop.cloud.client("lambda").get_function_configuration(FunctionName=laptop.stack.function(name))
        role = function["Role"].rpartition("/")[2]
        documents = [
            iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
            for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]
        ]
        documents += [
            iam.get_policy_version(PolicyArn=policy["PolicyArn"], VersionId="v1")["PolicyVersion"]["Document"]
            for policy in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
            if ":aws:policy/" not in policy["PolicyArn"]  # AWS's own, for logs and streams
        ]
        for document in documents:
            for statement in document["Statement"]:
                actions = statement["Action"]
                actions = [actions] if isinstance(actions, str) else actions  # a text in those that SAM writes
                found |= {(name, action, statement["Resource"]) for action in actions}
    return found


def test_no_function_is_denied_a_call(laptop: Laptop) -> None:
    assert {call for call in laptop.cloud.calls() if not call.allowed} == set()


# What Lambda itself does with a function's role, when a stream's record could not be handled.
BY_LAMBDA = {("job-events", "sqs:SendMessage"), ("job-counts", "sqs:SendMessage")}


def test_every_call_that_is_granted_is_made(laptop: Laptop) -> None:
    made = {(c.function.removeprefix(f"{laptop.stack.name}-"), c.action, c.resource) for c in laptop.cloud.calls()}

    def is_made(grant: tuple[str, str, str]) -> bool:
        # What a name ends in may be open, for what is made while it runs.
        return any(call[:2] == grant[:2] and fnmatchcase(call[2], grant[2]) for call in made)

    unused = {grant for grant in granted(laptop) if not is_made(grant) and grant[:2] not in BY_LAMBDA}
    assert not unused, "\n".join(map(str, sorted(unused)))


@pytest.mark.skipif(CHROMIUM is None, reason=WHY_NOT)
def test_every_page_shows_that_day_in_a_browser(laptop: Laptop) -> None:
    browse(laptop)


def test_dashboard_and_alarms_name_only_metrics_that_are_emitted(laptop: Laptop) -> None:
    emitted = {
        (service, metric)
        for service in FUNCTIONS
        for line in laptop.cloud.logs(laptop.stack.function(service))
        if line.startswith('{"_aws"')
        for metrics in json.loads(line)["_aws"]["CloudWatchMetrics"]
        for metric in (one["Name"] for one in metrics["Metrics"])
    }
    template = templates.load()
    body = json.loads(template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])
    drawn = [metric for widget in body["widgets"] for metric in widget["properties"].get("metrics", ())]
    named = {(metric[3], metric[1]) for metric in drawn if metric[0].startswith("Sluice/")}
    assert named
    assert named <= emitted
    assert ("scheduler", "OldestDueAge") in emitted


def test_no_function_needs_more_memory_than_it_has(laptop: Laptop) -> None:
    memory = laptop.cloud.peak_memory()
    limit = templates.load()["Globals"]["Function"]["MemorySize"] * 1024 * 1024
    assert {name: peak for name, peak in memory.functions.items() if peak > limit} == {}
    # All functions have run in the day, some several at once: what a laptop can spare, whatever the bundle grows to.
    assert memory.total < 3 * 1024**3


def test_no_log_holds_a_credential_or_a_token(laptop: Laptop) -> None:
    lines = [line for name in FUNCTIONS for line in laptop.cloud.logs(laptop.stack.function(name))]
    assert lines
    secret = re.compile(r"eyJ[\w-]+\.|Bearer \S|refresh_token[^\w]{1,5}\w|client_secret[^\w]{1,5}\w")
    assert [line for line in lines if secret.search(line)] == []
