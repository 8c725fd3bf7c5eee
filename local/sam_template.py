"""A template for `sam local invoke`: the functions as they are deployed here, with every value filled in.

SAM passes a container only those variables that a template declares, and cannot know what the local cloud has made of
`!Ref`; so this template says both.
"""

from collections.abc import Mapping
from typing import Any

from local.cloud import template as templates
from local.cloud.cloud import ROOT
from local.laptop import Laptop

# What of a function a container needs.
KEPT = ("CodeUri", "Handler", "Runtime", "MemorySize", "Timeout", "Architectures")
LAYER = "CommonLayer"
# Where `make build` puts the layer.
BUILT = ROOT / ".aws-sam" / "build" / LAYER


def made(laptop: Laptop) -> dict[str, Any]:
    """The template, with what the functions of `laptop` have in their environment."""
    client = laptop.cloud.client("lambda")
    template = templates.load()
    functions = dict[str, Any]()
    for logical_id, function in templates.resources(template, "AWS::Serverless::Function"):
        name = laptop.stack.function(_name(function["CodeUri"]))
        deployed = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        functions[logical_id] = _function(
            {**template["Globals"]["Function"], **function}, {**deployed, **laptop.cloud.environment}
        )
    layer = {"Type": "AWS::Serverless::LayerVersion", "Properties": {"ContentUri": str(BUILT)}}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Transform": "AWS::Serverless-2016-10-31",
        "Resources": {LAYER: layer, **functions},
    }


def _function(properties: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    kept = {name: properties[name] for name in KEPT if name in properties}
    kept["CodeUri"] = str(ROOT / kept["CodeUri"])
    return {
        "Type": "AWS::Serverless::Function",
        "Properties": {**kept, "Layers": [{"Ref": LAYER}], "Environment": {"Variables": dict(environment)}},
    }


def _name(folder: str) -> str:
    """Of functions/job_events/: `job-events`."""
    return folder.rstrip("/").rpartition("/")[2].replace("_", "-")
