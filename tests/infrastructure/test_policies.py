"""What each function may do: named calls on named resources of its own stack, and nothing by wildcard."""

import re
from typing import Any

import pytest

from local.cloud import template as templates
from local.cloud.template import Template, resources, statements

TEMPLATE = templates.load()
# (function, statement id) → statement
STATEMENTS: dict[tuple[str, str], Any] = {
    (name, statement["Sid"]): statement
    for name, function in resources(TEMPLATE, "AWS::Serverless::Function")
    for statement in statements(TEMPLATE, function)
}

# What a text takes from a resource; `${AWS::Region}` and its like are none.
NAMED = re.compile(r"\$\{(\w+)[.}]")

# The functions that call a marketplace with somebody's token.
CALLERS = {"OperationPollerFunction", "PromotionWorkerFunction", "PromotionsFunction", "WorkerFunction"}


def test_no_function_is_granted_the_same_twice() -> None:
    for name, function in resources(TEMPLATE, "AWS::Serverless::Function"):
        granted = [statement["Sid"] for statement in statements(TEMPLATE, function)]
        assert len(granted) == len(set(granted)), name


def test_each_managed_policy_has_several_bearers() -> None:
    borne = [
        policy["Ref"]
        for _, function in resources(TEMPLATE, "AWS::Serverless::Function")
        for policy in function.get("Policies", [])
        if "Ref" in policy
    ]
    managed = [name for name, _ in resources(TEMPLATE, "AWS::IAM::ManagedPolicy")]
    assert managed
    assert not [name for name in managed if borne.count(name) < 2]


@pytest.mark.parametrize("key", STATEMENTS, ids="-".join)
def test_a_statement_allows_named_calls_on_one_resource_of_the_stack(template: Template, key: tuple[str, str]) -> None:
    statement = STATEMENTS[key]
    assert statement["Effect"] == "Allow"
    assert all(action.count(":") == 1 and "*" not in action for action in statement["Action"])
    resource = statement["Resource"]
    named = (
        resource["Fn::GetAtt"][:1] if "Fn::GetAtt" in resource else re.findall(r"\$\{(\w+)[.}]", resource["Fn::Sub"])
    )
    assert len(named) == 1
    assert named[0] in template["Resources"]


def test_the_token_key_is_used_only_for_a_named_account_or_a_named_webhook() -> None:
    named = {"Tokens": "account", "Secrets": "webhook"}
    using = {key: s for key, s in STATEMENTS.items() if any(action.startswith("kms:") for action in s["Action"])}
    assert using
    for (_, sid), statement in using.items():
        assert statement["Condition"] == {"StringLike": {f"kms:EncryptionContext:{named[sid]}": "*"}}


def test_who_seals_the_secrets_of_webhooks_cannot_open_them() -> None:
    actions = {function: s["Action"] for (function, sid), s in STATEMENTS.items() if sid == "Secrets"}
    assert actions == {"WebhooksFunction": ["kms:Encrypt"], "WebhookSenderFunction": ["kms:Decrypt"]}


def test_only_functions_that_hold_tokens_may_use_their_key() -> None:
    assert {function for function, sid in STATEMENTS if sid == "Tokens"} == CALLERS | {"AccountsFunction"}


def test_only_functions_that_call_a_marketplace_may_decrypt() -> None:
    decrypting = {
        function for (function, sid), s in STATEMENTS.items() if "kms:Decrypt" in s["Action"] and sid != "Secrets"
    }
    assert decrypting == CALLERS
