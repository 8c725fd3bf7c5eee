"""The template as it is written, and as SAM expands it for CloudFormation."""

import pytest
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from local.cloud import template as templates

MANAGED_POLICIES = (
    "AWSLambdaBasicExecutionRole",
    "AWSLambdaDynamoDBExecutionRole",
    "AWSLambdaSQSQueueExecutionRole",
)


@pytest.fixture(scope="session")
def template() -> templates.Template:
    """template.yaml."""
    return templates.load()


@pytest.fixture(scope="session")
def expanded() -> templates.Template:
    """The plain CloudFormation that SAM makes of template.yaml."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        template = templates.load()
        for name in ("Tables", "OneKeyTables"):  # only loops have used them
            del template["Mappings"][name]
        for _, function in templates.resources(template, "AWS::Serverless::Function"):
            function["CodeUri"] = "s3://code-bucket/function.zip"
        for _, layer in templates.resources(template, "AWS::Serverless::LayerVersion"):
            layer["ContentUri"] = "s3://code-bucket/layer.zip"
        policies = {name: f"arn:aws:iam::aws:policy/service-role/{name}" for name in MANAGED_POLICIES}
        result: templates.Template = Translator(policies, Parser()).translate(template, {})
        return result
