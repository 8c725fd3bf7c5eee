"""The stack as a whole: it is valid, watched, and gives each function what that function needs."""

import json
import re
from typing import Any

import pytest

from local.cloud import template as templates
from local.cloud.cloud import ROOT
from local.cloud.template import Template, resources
from sluice.platform import settings
from tests.support.http import route_functions

FUNCTIONS = dict(resources(templates.load(), "AWS::Serverless::Function"))


def alarms_on(template: Template, metric: str) -> list[dict[str, Any]]:
    return [alarm for _, alarm in resources(template, "AWS::CloudWatch::Alarm") if alarm["MetricName"] == metric]


@pytest.mark.slow
def test_cloudformation_linter_finds_nothing_in_the_expanded_template(expanded: Template) -> None:
    # Not above: it takes seconds, which each process of the tests would spend.
    from cfnlint.api import lint

    found = lint(json.dumps(expanded))
    assert [f"{match.rule.id} {match.message} ({'/'.join(map(str, match.path))})" for match in found] == []


def test_each_function_folder_is_deployed_once() -> None:
    folders = {f"functions/{path.parent.name}/" for path in ROOT.glob("functions/*/handler.py")}
    deployed = [function["CodeUri"] for function in FUNCTIONS.values()]
    assert sorted(deployed) == sorted(folders)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_has_a_log_group_with_retention(template: Template, name: str) -> None:
    group = template["Resources"][FUNCTIONS[name]["LoggingConfig"]["LogGroup"]["Ref"]]["Properties"]
    assert group["LogGroupName"]["Fn::Sub"] == f"/aws/lambda/{FUNCTIONS[name]['FunctionName']['Fn::Sub']}"
    assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_has_an_alarm_on_its_errors(template: Template, name: str) -> None:
    watched = [alarm["Dimensions"] for alarm in alarms_on(template, "Errors")]
    assert watched.count([{"Name": "FunctionName", "Value": FUNCTIONS[name]["FunctionName"]}]) == 1


def test_alarm_when_a_message_is_set_aside(template: Template) -> None:
    found = alarms_on(template, "ApproximateNumberOfMessagesVisible")
    watched = [alarm["Dimensions"][0]["Value"]["Fn::GetAtt"][0] for alarm in found]
    assert sorted(watched) == ["DeadLetterQueue", "JobEventsFailedQueue"]
    for alarm in found:
        assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")


def test_alarm_when_a_due_job_grows_old(template: Template) -> None:
    [alarm] = alarms_on(template, "OldestDueAge")
    namespace = template["Globals"]["Function"]["Environment"]["Variables"]["POWERTOOLS_METRICS_NAMESPACE"]
    service = FUNCTIONS["SchedulerFunction"]["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
    assert alarm["Namespace"] == namespace
    assert alarm["Dimensions"] == [{"Name": "service", "Value": service}]


def test_alarm_when_one_that_finds_due_jobs_is_silent_for_five_minutes(template: Template) -> None:
    alarms = alarms_on(template, "Invocations")
    watched = [alarm["Dimensions"] for alarm in alarms]
    finders = (
        "SchedulerFunction",
        "PromotionWorkerFunction",
        "PageSchedulerFunction",
        "PageWorkerFunction",
        "ReconcilerFunction",
        "NotifierFunction",
    )
    names = [[{"Name": "FunctionName", "Value": FUNCTIONS[function]["FunctionName"]}] for function in finders]
    assert sorted(watched, key=str) == sorted(names, key=str)
    for alarm in alarms:
        assert alarm["Period"] * alarm["EvaluationPeriods"] == 300
        assert alarm["TreatMissingData"] == "breaching"


def test_every_alarm_goes_to_the_topic_when_there_is_one(template: Template) -> None:
    topic = {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
    for _, alarm in resources(template, "AWS::CloudWatch::Alarm"):
        assert alarm["AlarmActions"] == alarm["OKActions"] == topic


@pytest.mark.parametrize("name", ["WorkQueue", "ManualQueue"])
def test_work_is_hidden_six_times_as_long_as_a_worker_may_run(template: Template, name: str) -> None:
    queue = template["Resources"][name]["Properties"]
    assert queue["VisibilityTimeout"] >= 6 * FUNCTIONS["WorkerFunction"]["Timeout"]
    assert queue["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]},
        "maxReceiveCount": 5,
    }


def test_the_worker_answers_for_each_message_alone() -> None:
    for event in FUNCTIONS["WorkerFunction"]["Events"].values():
        assert event["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_manual_work_has_workers_of_its_own_at_every_stage(template: Template) -> None:
    events = FUNCTIONS["WorkerFunction"]["Events"].values()
    sources = {event["Properties"]["Queue"]["Fn::GetAtt"][0]: event["Properties"]["ScalingConfig"] for event in events}
    assert sources == {
        queue: {"MaximumConcurrency": {"Fn::FindInMap": ["Stages", {"Ref": "Stage"}, workers]}}
        for queue, workers in (("WorkQueue", "Workers"), ("ManualQueue", "ManualWorkers"))
    }
    # Two is the least that SQS takes.
    assert all(stage["ManualWorkers"] >= 2 for stage in template["Mappings"]["Stages"].values())


def reserved(function: str) -> str:
    """The name under which the mapping has what is reserved for the function."""
    return function.removesuffix("Function")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_has_a_share_of_the_account_of_its_own(name: str) -> None:
    share = {"Fn::FindInMap": ["Functions", reserved(name), {"Ref": "Stage"}]}
    assert FUNCTIONS[name]["ReservedConcurrentExecutions"] == share


def test_all_stages_together_leave_the_account_what_it_must_keep(template: Template) -> None:
    shares = template["Mappings"]["Functions"]
    assert shares.keys() == {reserved(name) for name in FUNCTIONS}
    for name, share in shares.items():
        assert share.keys() == {"Name", *template["Mappings"]["Stages"]}, name
        assert min(share[stage] for stage in template["Mappings"]["Stages"]) >= 1
    assert sum(share["dev"] + share["prod"] for share in shares.values()) <= 1_000 - 100


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_queue_starts_more_of_a_function_than_may_run(template: Template, name: str) -> None:
    """What SQS starts beyond it is refused, and would be set aside after five refusals."""
    queues = [event["Properties"] for event in FUNCTIONS[name].get("Events", {}).values() if event["Type"] == "SQS"]
    for stage, sizes in template["Mappings"]["Stages"].items():
        most = [
            sizes[queue["ScalingConfig"]["MaximumConcurrency"]["Fn::FindInMap"][2]]
            for queue in queues
            if "ScalingConfig" in queue
        ]
        assert len(most) in (0, len(queues))
        assert sum(most) <= template["Mappings"]["Functions"][reserved(name)][stage]


def test_schedule_is_a_parameter(template: Template) -> None:
    for function, parameter in (
        ("Scheduler", "ScheduleExpression"),
        ("PromotionWorker", "PromotionScheduleExpression"),
        ("PageScheduler", "PageScheduleExpression"),
        ("PageWorker", "PageScheduleExpression"),
        ("Reconciler", "ScheduleExpression"),
    ):
        schedule = FUNCTIONS[f"{function}Function"]["Events"]["EachMinute"]["Properties"]
        assert schedule == {"Schedule": {"Ref": parameter}, "State": {"Ref": "ScheduleState"}}
        assert template["Parameters"][parameter]["Default"] == "rate(1 minute)"


def test_only_health_the_document_images_and_pages_need_no_token(expanded: Template) -> None:
    paths = expanded["Resources"]["Api"]["Properties"]["Body"]["paths"]
    public = {
        f"{method.upper()} {path}"
        for path, item in paths.items()
        for method, operation in item.items()
        if operation["security"] != [{"Tokens": []}]
    }
    # The dashboard knows by its own sessions who may see a page.
    pages = {"GET /dashboard", "GET /dashboard/{page+}", "POST /dashboard/{page+}"}
    assert public == {"GET /health", "GET /v1/openapi.json", "GET /v1/images/{name}"} | pages


def test_no_origin_may_call_from_a_browser_unless_it_is_listed(expanded: Template, template: Template) -> None:
    whole = expanded["Resources"]["Api"]["Properties"]["Body"]["x-amazon-apigateway-cors"]
    condition, cors, otherwise = whole["Fn::If"]
    assert (condition, otherwise) == ("HasCorsOrigins", {"Ref": "AWS::NoValue"})
    assert template["Parameters"]["CorsOrigins"]["Default"] == ""
    assert cors["allowOrigins"] == {"Fn::Split": [",", ""]}  # SAM fills in what is given for a parameter
    assert {"authorization", "idempotency-key", "if-match", "if-none-match"} <= set(cors["allowHeaders"])
    assert set(cors["allowMethods"]) == {key.split()[0] for key in route_functions()}
    assert "allowCredentials" not in cors


def test_a_domain_of_ones_own_is_there_only_with_its_certificate(expanded: Template, template: Template) -> None:
    assert [template["Parameters"][name]["Default"] for name in ("DomainName", "CertificateArn")] == ["", ""]
    mapping, domain = expanded["Resources"]["ApiDomainMapping"], expanded["Resources"]["ApiDomain"]
    assert {mapping["Condition"], domain["Condition"]} == {"HasDomain"}
    assert mapping["Properties"]["ApiId"] == {"Ref": "Api"}
    stage = expanded["Resources"][mapping["Properties"]["Stage"]["Ref"]]
    assert (stage["Type"], stage["Properties"]["StageName"]) == ("AWS::ApiGatewayV2::Stage", "$default")
    [configuration] = domain["Properties"]["DomainNameConfigurations"]
    assert configuration["SecurityPolicy"] == "TLS_1_2"
    assert "HasDomain" in json.dumps(expanded["Outputs"]["ApiUrl"])


def test_memory_stays_within_256_mb(template: Template) -> None:
    assert template["Globals"]["Function"]["MemorySize"] == 256
    assert not [name for name, function in FUNCTIONS.items() if "MemorySize" in function]


def test_tracing_is_on_for_every_function(template: Template) -> None:
    assert template["Globals"]["Function"]["Tracing"] == "Active"


def test_settings_and_environment_have_the_same_names(template: Template) -> None:
    given = set(template["Globals"]["Function"]["Environment"]["Variables"])
    for function in FUNCTIONS.values():
        given |= set(function["Environment"]["Variables"])
    read = {settings.variable(name) for name in settings.Settings._fields}
    assert {name for name in given if not name.startswith("POWERTOOLS_")} == read


def widgets(template: Template) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(
        template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    )["widgets"]
    return found


def alarm_names(template: Template) -> set[str]:
    """The names of all alarms, without the stack's name."""
    found = [alarm["AlarmName"]["Fn::Sub"] for _, alarm in resources(template, "AWS::CloudWatch::Alarm")]
    return {name.removeprefix("${AWS::StackName}-") for name in found}


def test_dashboard_is_json_and_draws_the_engine(template: Template) -> None:
    drawn = {metric[1] for widget in widgets(template) for metric in widget["properties"].get("metrics", ())}
    jobs = {"JobsAdmitted", "JobsSucceeded", "JobsSnoozed", "JobsFailed", "JobsDead", "OldestDueAge"}
    assert jobs | {"CallsMade", "CallsRefused"} <= drawn


def test_dashboard_begins_with_every_alarm_and_its_widgets_do_not_overlap(template: Template) -> None:
    shown = widgets(template)
    [alarms] = [widget for widget in shown if widget["type"] == "alarm"]
    assert {arn.rpartition(":alarm:${AWS::StackName}-")[2] for arn in alarms["properties"]["alarms"]} == alarm_names(
        template
    )
    assert shown.index(alarms) < min(shown.index(widget) for widget in shown if widget["type"] == "metric")
    places = [
        (column, row)
        for widget in shown
        for column in range(widget["x"], widget["x"] + widget["width"])
        for row in range(widget["y"], widget["y"] + widget["height"])
    ]
    assert len(places) == len(set(places))
    assert max(column for column, _ in places) < 24


def test_every_alarm_has_a_section_that_says_what_to_do(template: Template) -> None:
    page = (ROOT / "docs" / "operate" / "alarms.md").read_text(encoding="utf-8")
    sections = {section.partition("`")[0]: section for section in page.split("\n## `")[1:]}
    assert {re.sub("^.*-(errors|silent)$", r"<function>-\1", name) for name in alarm_names(template)} == set(sections)
    for section in sections.values():
        assert all(part in section for part in ("**Means:**", "**Look at**", "**Do:**", "```sh"))
    for _, alarm in resources(template, "AWS::CloudWatch::Alarm"):
        assert "docs/operate/alarms.md" in str(alarm["AlarmDescription"])
