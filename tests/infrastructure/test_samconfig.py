"""The environments in samconfig.toml. They do not inherit from each other, so each must be whole."""

import tomllib
from typing import Any

import pytest

from local.cloud.cloud import ROOT
from local.cloud.template import Template

CONFIG = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
ENVIRONMENTS = ("default", "dev", "prod")


def overrides(environment: str) -> dict[str, str]:
    parameters: str = CONFIG[environment]["deploy"]["parameters"]["parameter_overrides"]
    return dict(part.split("=", 1) for part in parameters.split())


def test_environments_are_default_dev_and_prod() -> None:
    assert set(CONFIG) - {"version"} == set(ENVIRONMENTS)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_says_everything(environment: str) -> None:
    deploy: dict[str, Any] = CONFIG[environment]["deploy"]["parameters"]
    assert {"stack_name", "region", "resolve_s3", "capabilities", "confirm_changeset"} <= set(deploy)
    # The first for the roles, the second because the template uses two transforms.
    assert deploy["capabilities"] == ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    assert CONFIG[environment]["validate"]["parameters"]["lint"] is True
    assert "cached" not in CONFIG[environment]["build"]["parameters"]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_overrides_are_parameters_with_allowed_values(template: Template, environment: str) -> None:
    for name, value in overrides(environment).items():
        assert value in map(str, template["Parameters"][name].get("AllowedValues", [value]))


def test_production_is_deployed_as_production_and_asks_first() -> None:
    assert overrides("prod")["Stage"] == "prod"
    assert CONFIG["prod"]["deploy"]["parameters"]["confirm_changeset"] is True
    assert CONFIG["prod"]["deploy"]["parameters"]["stack_name"] != CONFIG["dev"]["deploy"]["parameters"]["stack_name"]
