"""Each table of the template is the table that its model reads and writes."""

from functools import cache
from typing import Any

import pytest
from pynamodb.models import Model

from local.cloud import template as templates
from local.cloud.template import Template, resources
from sluice.platform import tables
from sluice.platform.settings import settings
from tests.support.process import models

TABLES = {
    table["TableName"]["Fn::Sub"].replace("${AWS::StackName}", settings().stack): table
    for _, table in resources(templates.load(), "AWS::DynamoDB::Table")
}


@cache
def model(table: str) -> type[Model]:
    """The model that reads and writes the table."""
    [found] = [model for model in models() if model.Meta.table_name == table]
    return found


def shape(keys: Any, attributes: Any) -> dict[str, tuple[str, str]]:
    """Name and type of the hash and range key."""
    types = {attribute["AttributeName"]: attribute["AttributeType"] for attribute in attributes}
    return {key["KeyType"]: (key["AttributeName"], types[key["AttributeName"]]) for key in keys}


def test_each_table_has_one_model() -> None:
    assert [model.Meta.table_name for model in models()] == sorted(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_keys_equal_the_models(name: str) -> None:
    table, schema = TABLES[name], model(name)._get_schema()
    in_template = shape(table["KeySchema"], table["AttributeDefinitions"])
    assert in_template == shape(schema["key_schema"], schema["attribute_definitions"])


@pytest.mark.parametrize("name", TABLES)
def test_indexes_equal_the_models(name: str) -> None:
    table, schema = TABLES[name], model(name)._get_schema()
    in_template = {
        index["IndexName"]: (shape(index["KeySchema"], table["AttributeDefinitions"]), index["Projection"])
        for index in table.get("GlobalSecondaryIndexes", [])
    }
    in_model = {
        index["index_name"]: (shape(index["key_schema"], schema["attribute_definitions"]), index["projection"])
        for index in schema["global_secondary_indexes"]
    }
    assert in_template == in_model


@pytest.mark.parametrize("name", TABLES)
def test_what_ends_ends_by_the_attribute_that_the_table_watches(name: str) -> None:
    assert TABLES[name]["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert not {"ttl", "expires", "expiry"} & set(model(name).get_attributes())


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_on_demand_and_protected_by_stage(template: Template, name: str) -> None:
    protected = {"Fn::FindInMap": ["Stages", {"Ref": "Stage"}, "Protected"]}
    assert TABLES[name]["BillingMode"] == "PAY_PER_REQUEST"
    assert TABLES[name]["SSESpecification"] == {"SSEEnabled": True}
    assert TABLES[name]["DeletionProtectionEnabled"] == protected
    assert TABLES[name]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": protected}


def test_production_keeps_its_data(template: Template) -> None:
    kept = ("AWS::DynamoDB::Table", "AWS::KMS::Key")
    by_stage = {"Fn::FindInMap": ["Stages", {"Ref": "Stage"}, "DeletionPolicy"]}
    for resource in template["Resources"].values():
        if resource["Type"] in kept:
            assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == by_stage
    stages = template["Mappings"]["Stages"]
    assert (stages["prod"]["Protected"], stages["prod"]["DeletionPolicy"]) == (True, "Retain")
    assert (stages["dev"]["Protected"], stages["dev"]["DeletionPolicy"]) == (False, "Delete")


def test_physical_names_are_those_that_the_code_asks_for() -> None:
    assert tables.name("dead_letters") in TABLES
