"""The tables of template.yaml alone, for tests and benchmarks that need no functions."""

from functools import cache
from typing import Any

from local.cloud import template as templates

NAME = "${AWS::StackName}-"


@cache
def definitions(stack: str) -> list[dict[str, Any]]:
    """The arguments of CreateTable for each table of the template, named as in the stack `stack`."""
    return [
        {
            "TableName": table["TableName"]["Fn::Sub"].replace(NAME, f"{stack}-"),
            "BillingMode": table["BillingMode"],
            "AttributeDefinitions": table["AttributeDefinitions"],
            "KeySchema": table["KeySchema"],
            **{name: table[name] for name in ("GlobalSecondaryIndexes",) if name in table},
            **_stream(table),
        }
        for _, table in templates.resources(templates.load(), "AWS::DynamoDB::Table")
    ]


def _stream(table: templates.Template) -> dict[str, Any]:
    """CloudFormation's word for a stream says how; CreateTable's says that there is one, too."""
    stream = table.get("StreamSpecification")
    return {"StreamSpecification": {"StreamEnabled": True, **stream}} if stream else {}


def create_tables(dynamodb: Any, stack: str) -> None:
    """Create every table with the boto3 client `dynamodb`."""
    for definition in definitions(stack):
        dynamodb.create_table(**definition)


def delete_tables(dynamodb: Any, stack: str) -> None:
    """Delete every table and all that is in it."""
    for definition in definitions(stack):
        dynamodb.delete_table(TableName=definition["TableName"])
