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
