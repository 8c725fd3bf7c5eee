"""The environment of a function as one typed value, read once."""

import os
from functools import cache
from typing import NamedTuple


class SettingsError(Exception):
    """An environment variable that the function needs is not set."""


class Settings(NamedTuple):
    """What `template.yaml` gives a function. A function is given only what it uses, so each value may be empty."""

    stack: str
    stage: str
    config_parameter: str
    work_queue_url: str
    manual_queue_url: str
    wake_queue_url: str
    poll_queue_url: str
    dead_queue_url: str
    webhook_queue_url: str
    inventory_queue_url: str
    scheduler_function: str
    page_worker_function: str
    operator_worker_function: str
    pages_contact: str
    event_bus: str
    operator_topic: str
    token_key: str
    stockx_api_url: str
    stockx_auth_url: str
    alias_api_url: str
    ebay_api_url: str
    jwt_issuer: str
    jwt_audience: str
    jwks_url: str
    jwt_max_seconds: str
    jwt_claim_prefix: str
    dashboard_client_id: str

    @property
    def on_a_laptop(self) -> bool:
        """Whether this is the local cloud, where what others reach by the internet is on the same machine."""
        return self.stage == "local"

    def require(self, name: str) -> str:
        """The setting `name`.

        Raises:
            SettingsError: it is empty, naming the environment variable that must be set.
        """
        value = str(getattr(self, name))
        if not value:
            raise SettingsError(f"environment variable {variable(name)} is not set, and this function needs it")
        return value


# The variables that belong to Sluice as a whole carry its name; the others say themselves what they are.
_PREFIXED = {"stack", "stage", "config_parameter"}
# Where nobody says which stage this is, it is the one in which the least is allowed.
_DEFAULTS = {"SLUICE_STACK": "sluice-local", "SLUICE_STAGE": "prod", "JWT_MAX_SECONDS": "86400"}


def variable(name: str) -> str:
    """The environment variable that holds the setting `name`."""
    return f"SLUICE_{name.upper()}" if name in _PREFIXED else name.upper()


def read() -> Settings:
    """The settings as the environment has them now."""
    return Settings(
        **{name: os.environ.get(variable(name), _DEFAULTS.get(variable(name), "")) for name in Settings._fields}
    )


@cache
def settings() -> Settings:
    """The settings of this process."""
    return read()
