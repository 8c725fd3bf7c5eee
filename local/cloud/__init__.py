"""The local cloud: template.yaml on an AWS emulator, with no container engine and no AWS account.

with LocalCloud() as cloud:
    stack = deploy(cloud, "sluice-local", {"JwtIssuer": ..., "JwksUrl": ...})
    httpx.get(f"{stack.api_url}/health")
"""

from local.cloud.calls import Call
from local.cloud.cloud import CloudError, LocalCloud
from local.cloud.deploy import DeployError, Stack, deploy
from local.cloud.memory import Memory

__all__ = ["Call", "CloudError", "DeployError", "LocalCloud", "Memory", "Stack", "deploy"]
