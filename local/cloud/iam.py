"""Four additions to ministack's IAM: it keeps a record of what was asked, it knows KMS's encryption context, it takes a
batch of messages for what it is to AWS, `sqs:SendMessage`, and it reads a policy once, not twice for each call.

They run inside the ministack process, and hang on three functions of the ministack release that the lock pins.
"""

import json
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

from ministack.core import iam_actions, iam_evaluator

from local.cloud.calls import Call


def install(record: Path) -> None:
    """Make this process's ministack write each kind of call to `record`, and check encryption contexts."""
    _know_encryption_context()
    _read_policies_once()
    _keep_record(record)


def _read_policies_once() -> None:
    read = iam_evaluator.parse_policy_document
    of_text = lru_cache(maxsize=1_000)(read)
    iam_evaluator.parse_policy_document = lambda document: (of_text if type(document) is str else read)(document)


def _keep_record(record: Path) -> None:
    enforce = iam_evaluator.enforce
    seen = set[Call]()

    def recording(
        access_key_id: str, iam_action: str, service: str, region: str, resource_arn: str = "*", **context: Any
    ) -> Any:
        iam_action = iam_action.removesuffix("Batch") if service == "sqs" else iam_action
        denied = enforce(access_key_id, iam_action, service, region, resource_arn=resource_arn, **context)
        identity = iam_evaluator.resolve_caller_identity(access_key_id) or {}
        # arn:aws:sts::ACCOUNT:assumed-role/ROLE/FUNCTION; whoever deploys is no such role
        role, _, function = str(identity.get("userArn", "")).rpartition("/")
        call = Call(function, iam_action, resource_arn, denied is None)
        if ":assumed-role/" in role and call not in seen:
            seen.add(call)
            with record.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(call)) + "\n")
        return denied

    iam_evaluator.enforce = recording


def _know_encryption_context() -> None:
    request_tag_context = iam_actions.request_tag_context

    def with_encryption_context(service: str, iam_action: str, body: bytes, params: dict[str, Any]) -> dict[str, Any]:
        context: dict[str, Any] = request_tag_context(service, iam_action, body, params)
        if service == "kms":
            pairs = json.loads(body).get("EncryptionContext", {})
            context |= {f"kms:EncryptionContext:{name}": [value] for name, value in pairs.items()}
        return context

    iam_actions.request_tag_context = with_encryption_context
