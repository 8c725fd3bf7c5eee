"""The HTTP API's routes on ministack, which ignores the OpenAPI document that SAM writes them into.

The document is read back from the processed template, so what runs here are the routes that AWS would get.
"""

import json
import re
from typing import Any

from local.cloud.cloud import LocalCloud

HTTP_METHODS = {"get", "put", "post", "delete", "patch", "head", "options"}


def create_routes(cloud: LocalCloud, stack: str) -> str:
    """Give the HTTP API of `stack` its routes and authorizers; returns the address of the API."""
    body = cloud.client("cloudformation").get_template(StackName=stack, TemplateStage="Processed")["TemplateBody"]
    template = body if isinstance(body, dict) else json.loads(body)
    apis = {name: r for name, r in template["Resources"].items() if r["Type"] == "AWS::ApiGatewayV2::Api"}
    [(logical_id, api)] = apis.items()
    api_id = _physical(cloud, stack, logical_id)
    document = api["Properties"]["Body"]
    schemes = document.get("components", {}).get("securitySchemes", {})
    _forget(cloud, api_id)
    authorizers = {name: _authorizer(cloud, stack, api_id, name, scheme) for name, scheme in schemes.items()}
    if origins := _parameter(cloud, stack, "CorsOrigins"):
        cors = _cors(document["x-amazon-apigateway-cors"], origins.split(","))
        cloud.client("apigatewayv2").update_api(ApiId=api_id, CorsConfiguration=cors)
    integrations = dict[str, str]()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in HTTP_METHODS:
                uri = _function_uri(cloud, stack, operation["x-amazon-apigateway-integration"]["uri"])
                if uri not in integrations:
                    integrations[uri] = _integration(cloud, api_id, uri)
                _route(cloud, api_id, f"{method.upper()} {path}", integrations[uri], operation, authorizers)
    # %24 is the dollar sign of the stage $default, written so that a shell leaves it alone.
    return f"{cloud.endpoint_url}/_aws/execute-api/{api_id}/%24default"


def _parameter(cloud: LocalCloud, stack: str, name: str) -> str:
    """What the parameter `name` of the stack is; empty where it has none."""
    [described] = cloud.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    given = {one["ParameterKey"]: one["ParameterValue"] for one in described.get("Parameters", [])}
    return str(given.get(name, ""))


def _cors(told: dict[str, Any], origins: list[str]) -> dict[str, Any]:
    """Who may call from a browser, as API calls write it (`AllowOrigins` of `allowOrigins`)."""
    told = told["Fn::If"][1] if "Fn::If" in told else told
    return {f"{name[:1].upper()}{name[1:]}": value for name, value in told.items()} | {"AllowOrigins": origins}


def _forget(cloud: LocalCloud, api_id: str) -> None:
    """Take away what an earlier run has left, routes first."""
    api = cloud.client("apigatewayv2")
    for route in api.get_routes(ApiId=api_id)["Items"]:
        api.delete_route(ApiId=api_id, RouteId=route["RouteId"])
    for integration in api.get_integrations(ApiId=api_id)["Items"]:
        api.delete_integration(ApiId=api_id, IntegrationId=integration["IntegrationId"])
    for authorizer in api.get_authorizers(ApiId=api_id)["Items"]:
        api.delete_authorizer(ApiId=api_id, AuthorizerId=authorizer["AuthorizerId"])


def _physical(cloud: LocalCloud, stack: str, logical_id: str) -> str:
    detail = cloud.client("cloudformation").describe_stack_resource(StackName=stack, LogicalResourceId=logical_id)
    physical: str = detail["StackResourceDetail"]["PhysicalResourceId"]
    return physical


def _function_uri(cloud: LocalCloud, stack: str, uri: dict[str, Any]) -> str:
    """The ARN of the function that the OpenAPI document names as `…/functions/${LogicalId.Arn}/invocations`."""
    found = re.search(r"functions/\$\{(\w+)\.Arn\}/invocations", json.dumps(uri))
    if not found:
        # An authorizer names its function by a variable of the substitution.
        found = re.search(r'"Fn::GetAtt": \["(\w+)", "Arn"\]', json.dumps(uri))
    if not found:
        raise ValueError(f"the API's document names a function in a way that is not known here: {uri}")
    function = cloud.client("lambda").get_function(FunctionName=_physical(cloud, stack, found[1]))
    arn: str = function["Configuration"]["FunctionArn"]
    return arn


def _authorizer(cloud: LocalCloud, stack: str, api_id: str, name: str, scheme: dict[str, Any]) -> str:
    settings = scheme["x-amazon-apigateway-authorizer"]
    created = cloud.client("apigatewayv2").create_authorizer(
        ApiId=api_id,
        Name=name,
        AuthorizerType="REQUEST",
        AuthorizerUri=_function_uri(cloud, stack, settings["authorizerUri"]),
        AuthorizerPayloadFormatVersion=str(settings["authorizerPayloadFormatVersion"]),
        EnableSimpleResponses=settings["enableSimpleResponses"],
        AuthorizerResultTtlInSeconds=settings["authorizerResultTtlInSeconds"],
        IdentitySource=settings["identitySource"],
    )
    authorizer_id: str = created["AuthorizerId"]
    return authorizer_id


def _integration(cloud: LocalCloud, api_id: str, uri: str) -> str:
    created = cloud.client("apigatewayv2").create_integration(
        ApiId=api_id, IntegrationType="AWS_PROXY", IntegrationUri=uri, PayloadFormatVersion="2.0"
    )
    integration_id: str = created["IntegrationId"]
    return integration_id


def _route(
    cloud: LocalCloud, api_id: str, key: str, integration: str, operation: dict[str, Any], authorizers: dict[str, str]
) -> None:
    named = {name for requirement in operation.get("security", []) for name in requirement}
    guard = next((authorizers[name] for name in named if name in authorizers), None)
    security = {"AuthorizationType": "CUSTOM", "AuthorizerId": guard} if guard else {"AuthorizationType": "NONE"}
    cloud.client("apigatewayv2").create_route(
        ApiId=api_id, RouteKey=key, Target=f"integrations/{integration}", **security
    )
