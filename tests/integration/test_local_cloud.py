"""The local cloud itself: it tells what failed, and it leaves nothing running."""

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.cloud import CloudError, DeployError, LocalCloud, deploy
from local.cloud.cloud import ROOT, free_port
from local.cloud.starts import can_start
from tests.support.stack import empty_cloud, until

ECHO = "def handler(event, context):\n    return event['number'] + 1\n"
TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  EchoFunction:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: !Sub ${AWS::StackName}-echo
      CodeUri: echo/
      Handler: handler.handler
      Runtime: python3.13
      Events:
        Get: { Type: HttpApi, Properties: { ApiId: !Ref Api, Method: GET, Path: /echo } }
  Api:
    Type: AWS::Serverless::HttpApi
"""
# A function of a table's stream that ends only when the function of a queue has run; each says so by a file.
APART = """
import os, pathlib, time
import botocore.session

def handler(event, context):
    folder = pathlib.Path(os.environ["FOLDER"])
    if "dynamodb" in event["Records"][0]:
        (folder / "began").touch()
        while not (folder / "released").exists():
            time.sleep(0.01)
        (folder / "ended").touch()
    else:
        sqs = botocore.session.get_session().create_client("sqs", region_name="us-east-1")
        sqs.send_message(QueueUrl=os.environ["OTHER"], MessageBody="{}")
        (folder / "released").touch()
"""
SOURCES = """
Transform: AWS::Serverless-2016-10-31
Parameters: { Folder: { Type: String } }
Globals:
  Function:
    Handler: handler.handler
    Runtime: python3.13
    Timeout: 300
    Environment: { Variables: { FOLDER: !Ref Folder, OTHER: !Ref Other } }
Resources:
  Api: { Type: AWS::Serverless::HttpApi }
  Queue: { Type: AWS::SQS::Queue, Properties: { QueueName: wanted, VisibilityTimeout: 600 } }
  Other: { Type: AWS::SQS::Queue, Properties: { QueueName: other } }
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: streamed
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{ AttributeName: id, AttributeType: S }]
      KeySchema: [{ AttributeName: id, KeyType: HASH }]
      StreamSpecification: { StreamViewType: NEW_IMAGE }
  StreamFunction:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: stream
      CodeUri: apart/
      Events:
        Table: { Type: DynamoDB, Properties: { Stream: !GetAtt Table.StreamArn, StartingPosition: TRIM_HORIZON } }
  QueueFunction:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: queue
      CodeUri: apart/
      Policies:
        - Version: "2012-10-17"
          Statement: [{ Effect: Allow, Action: "sqs:SendMessage", Resource: !GetAtt Other.Arn }]
      Events:
        Queue: { Type: SQS, Properties: { Queue: !GetAtt Queue.Arn, BatchSize: 1 } }
        Get: { Type: HttpApi, Properties: { ApiId: !Ref Api, Method: GET, Path: /queue } }
"""
KILLED_PARENT = """
import sys
from local.cloud import LocalCloud
cloud = LocalCloud().start()
print(cloud.port, cloud.folder, flush=True)
sys.stdin.read()
"""


def answers(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def template(tmp_path: Path) -> Path:
    (tmp_path / "echo").mkdir()
    (tmp_path / "echo" / "handler.py").write_text(ECHO)
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    return tmp_path / "template.yaml"


def test_a_function_is_deployed_invoked_and_logged(cloud: LocalCloud, template: Path) -> None:
    stack = deploy(cloud, "echo", {}, template)
    assert cloud.invoke(stack.function("echo"), {"number": 41}) == 42
    assert any(line.startswith("REPORT") for line in cloud.logs(stack.function("echo")))


@pytest.mark.skipif(not can_start(), reason="here ministack starts processes by itself")
def test_a_functions_process_is_forked_from_one_that_has_its_libraries_loaded(
    cloud: LocalCloud, template: Path
) -> None:
    stack = deploy(cloud, "forked", {}, template)
    cloud.invoke(stack.function("echo"), {"number": 1})
    [process] = [one for one, name in cloud.processes().items() if name == stack.function("echo")]
    assert b"local/cloud/starter.py" in (Path("/proc") / str(process) / "cmdline").read_bytes()


def test_a_failing_function_says_why(cloud: LocalCloud, template: Path) -> None:
    stack = deploy(cloud, "failing", {}, template)
    with pytest.raises(CloudError, match="number"):
        cloud.invoke(stack.function("echo"), {})


def test_a_stack_that_cannot_be_created_says_which_resource(cloud: LocalCloud, template: Path) -> None:
    template.write_text(TEMPLATE + "  Broken: { Type: 'AWS::Logs::LogStream', Properties: {} }\n")
    with pytest.raises(DeployError, match="Broken"):
        deploy(cloud, "broken", {}, template)


def test_memory_is_told_by_function(cloud: LocalCloud, template: Path) -> None:
    stack = deploy(cloud, "measured", {}, template)
    cloud.invoke(stack.function("echo"), {"number": 1})
    memory = cloud.peak_memory()
    assert 0 < memory.functions[stack.function("echo")] < memory.total


def test_messages_arrive_while_a_streams_function_runs_and_a_probed_cloud_says_where_the_time_went(
    tmp_path: Path,
) -> None:
    """Else whatever one tenant writes much of holds up all others' messages, which no AWS does."""
    (tmp_path / "apart").mkdir()
    (tmp_path / "apart" / "handler.py").write_text(APART)
    (tmp_path / "template.yaml").write_text(SOURCES)
    with LocalCloud(probed=True) as cloud:
        deploy(cloud, "apart", {"Folder": str(tmp_path)}, tmp_path / "template.yaml")
        cloud.client("dynamodb").put_item(TableName="streamed", Item={"id": {"S": "1"}})
        until((tmp_path / "began").exists, "the stream's function runs")
        sqs = cloud.client("sqs")
        sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="wanted")["QueueUrl"], MessageBody="{}")
        until((tmp_path / "ended").exists, "it has ended, which it does when the queue's function has run")
        until(lambda: sum(one["what"] == "run" for one in _told(cloud)) == 2, "both runs are told")
        [call] = [one for one in _told(cloud) if one["what"] != "run"]
    assert (call["function"], call["what"], call["on"]) == ("queue", "SendMessage", "other")
    assert call["began"] <= call["sent"] < call["answered"] < call["ended"]
    assert 0 < call["served"] <= call["answered"] - call["sent"]
    assert call["cpu"][0] < call["cpu"][1]
    assert 0 <= call["waited"][0] <= call["waited"][1]


def _told(cloud: LocalCloud) -> list[dict[str, Any]]:
    """The whole lines of a probed cloud's record."""
    lines = cloud.probe_file.read_text("utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("}\n")]


def test_a_port_that_somebody_took_just_before_the_cloud_did_is_left_to_them(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ports = [taken.getsockname()[1], free_port()]
        monkeypatch.setattr("local.cloud.cloud.free_port", lambda: ports.pop(0))
        other = ports[1]
        with empty_cloud() as cloud:
            assert cloud.port == other
            assert cloud.client("sqs").list_queues()


def test_a_stopped_cloud_leaves_nothing_behind() -> None:
    with empty_cloud() as cloud:
        assert answers(cloud.port)
    assert not cloud.folder.exists()
    assert not answers(cloud.port)


def test_a_killed_parent_takes_its_cloud_with_it() -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED_PARENT], cwd=ROOT, stdin=-1, stdout=-1) as parent:
        assert parent.stdout
        number, folder = parent.stdout.readline().decode().split()
        port = int(number)
        assert answers(port)
        parent.kill()
    until(lambda: not answers(port), "the local cloud ends with the process that started it")
    assert not Path(folder).exists()
