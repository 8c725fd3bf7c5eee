"""A SAM template on the local cloud: pack the code, create the stack, give its API the routes."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import ClientError, WaiterError

from local.cloud import template as templates
from local.cloud.cloud import LocalCloud
from local.cloud.routes import create_routes

BUCKET = "sluice-code"
# A tenth of a second apart: only what never ends takes as long, however busy this machine is.
MOST_LOOKS = 3_000


class DeployError(Exception):
    """The stack could not be created. Says which resources failed, and why."""


@dataclass(frozen=True)
class Stack:
    """A deployed stack. `outputs` are the template's; `api_url` is where the API answers on this machine."""

    name: str
    outputs: Mapping[str, str]
    api_url: str

    def function(self, name: str) -> str:
        """The physical name of the function whose folder is functions/`name`."""
        return f"{self.name}-{name}"


def deploy(cloud: LocalCloud, name: str, parameters: Mapping[str, str], path: Path = templates.TEMPLATE) -> Stack:
    """Create the stack `name` from the template at `path`, or bring the one that is there up to date.

    Code folders are relative to the template.

    Raises:
        DeployError: a resource could not be created.
    """
    template = templates.load(path)
    cloud.client("s3").create_bucket(Bucket=BUCKET)
    for _, function in templates.resources(template, "AWS::Serverless::Function"):
        function["CodeUri"] = _upload(cloud, templates.pack_function(path.parent / function["CodeUri"]))
    for _, layer in templates.resources(template, "AWS::Serverless::LayerVersion"):
        layer["ContentUri"] = _upload(cloud, templates.pack_layer())
    return Stack(name, _create(cloud, name, template, parameters), create_routes(cloud, name))


def _is_there(cloud: LocalCloud, name: str) -> bool:
    """Whether the cloud has the stack from an earlier run."""
    try:
        cloud.client("cloudformation").describe_stacks(StackName=name)
    except ClientError:
        return False
    return True


def _upload(cloud: LocalCloud, content: bytes) -> str:
    key = hashlib.sha256(content).hexdigest()
    cloud.client("s3").put_object(Bucket=BUCKET, Key=key, Body=content)
    return f"s3://{BUCKET}/{key}"


def _create(
    cloud: LocalCloud, name: str, template: templates.Template, parameters: Mapping[str, str]
) -> dict[str, str]:
    cloudformation = cloud.client("cloudformation")
    # A call holds 51,200 bytes of template at most, so it goes by way of a bucket, as `sam deploy` does it.
    address = _upload(cloud, json.dumps(template).encode()).replace("s3:/", cloud.endpoint_url)
    there = _is_there(cloud, name)
    change = cloudformation.update_stack if there else cloudformation.create_stack
    change(
        StackName=name,
        TemplateURL=address,
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    try:
        waiter = cloudformation.get_waiter("stack_update_complete" if there else "stack_create_complete")
        waiter.wait(StackName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": MOST_LOOKS})
    except WaiterError as error:
        events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
        failed = [e for e in events if e["ResourceStatus"].endswith("FAILED")]
        reasons = [f"{e['LogicalResourceId']}: {e.get('ResourceStatusReason', 'no reason given')}" for e in failed]
        raise DeployError(f"stack {name} could not be deployed\n" + "\n".join(reasons)) from error
    [stack] = cloudformation.describe_stacks(StackName=name)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
