"""The local cloud itself: it tells what failed, and it leaves nothing running."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from local.cloud import CloudError, DeployError, LocalCloud, deploy
from local.cloud.cloud import ROOT
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
