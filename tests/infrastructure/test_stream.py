"""A record of the jobs stream that cannot be handled blocks nothing, and is told of."""

from local.cloud import template as templates
from local.cloud.template import resources


def test_a_poison_record_stands_alone_soon_is_set_aside_and_rings() -> None:
    loaded = templates.load()["Resources"]
    stream = loaded["JobEventsFunction"]["Properties"]["Events"]["Jobs"]["Properties"]
    assert stream["BisectBatchOnFunctionError"] is True
    assert 1 <= stream["MaximumRetryAttempts"] <= 50
    assert 0 < stream["MaximumRecordAgeInSeconds"] < 86_400, "the stream keeps a record for a day"
    assert stream["DestinationConfig"]["OnFailure"] == {
        "Type": "SQS",
        "Destination": {"Fn::GetAtt": ["JobEventsFailedQueue", "Arn"]},
    }
    [alarm] = [
        alarm
        for _, alarm in resources(templates.load(), "AWS::CloudWatch::Alarm")
        if alarm.get("Dimensions")
        == [{"Name": "QueueName", "Value": {"Fn::GetAtt": ["JobEventsFailedQueue", "QueueName"]}}]
    ]
    assert alarm["Threshold"] == 1
    assert alarm["AlarmActions"]


def test_a_flood_of_one_tenant_stands_before_nobody_elses_events() -> None:
    """Batches of a shard go beside each other, as far as the function has places, and queues of events are fair."""
    loaded = templates.load()
    stream = loaded["Resources"]["JobEventsFunction"]["Properties"]["Events"]["Jobs"]["Properties"]
    assert stream["ParallelizationFactor"] == {"Fn::FindInMap": ["Stages", {"Ref": "Stage"}, "Tellers"]}
    stages, functions = loaded["Mappings"]["Stages"], loaded["Mappings"]["Functions"]["JobEvents"]
    assert all(2 <= stage["Tellers"] <= min(10, functions[name]) for name, stage in stages.items())
    shared = [
        target
        for _, rule in resources(loaded, "AWS::Events::Rule")
        for target in rule["Targets"]
        if "sluice" in rule.get("EventPattern", {}).get("source", ()) and "Queue" in str(target["Arn"])
    ]
    assert {target["Id"] for target in shared} == {"WebhookQueue", "NotificationQueue"}
    assert {target["SqsParameters"]["MessageGroupId"] for target in shared} == {"$.detail.tenant"}
