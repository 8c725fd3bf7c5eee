"""What an answer that is no success means, as one sentence: what was wrong and how to mend it. Pure.

The stage has one shape of error (docs/api.md, "Errors"). Its gateway has another, `{"message": …}`: it answers before
the stage does, when a token is not good, a path is unknown or too much is asked.
"""

from collections.abc import Mapping
from typing import Any

from sluice_command.errors import ApiError, CommandError, NotNow, NotSignedIn
from sluice_command.wording import as_commands

SIGN_IN = "`sluice login` signs in again"
# What lists the things that may be named at a path.
LISTS = {
    "/v1/jobs": "sluice jobs",
    "/v1/dead-letters": "sluice dead",
    "/v1/operator/actions": "sluice actions",
    "/v1/operator/budgets": "sluice budgets",
    "/v1/operator/pauses": "sluice pauses",
    "/v1/operator/configuration/revert": "sluice config history",
    "/v1/operator/configuration/what-if": "sluice budgets",
    "/v1/stockx/listings": "sluice list stockx show",
    "/v1/ebay/listings": "sluice list ebay show",
    "/v1/promotions": "sluice promotions",
    "/v1/inventory": "sluice inventory",
    "/v1/accounts": "sluice accounts",
}


def explain(
    asked: str, status: int, text: str, body: Any, headers: Mapping[str, str], expired: str | None
) -> CommandError:
    """The error for an answer.

    asked: method and path. text: the body as it came, without anything secret. body: its JSON; None if it is none.
    expired: since when the token is not good any more, for people; None if it still is, or nobody knows.
    """
    if not isinstance(body, Mapping):
        return _no_api(asked, status, text)
    error = body.get("error")
    if not isinstance(error, Mapping):
        return _of_gateway(asked, status, body, headers, expired)
    said = as_commands(_sentence(error))
    if status == 401:
        return NotSignedIn(f"the stage does not know who asks: {said}; {SIGN_IN}")
    if status == 403:
        return ApiError(f"not allowed: {said}; ask whoever runs the stage for a token with such a role", status, body)
    if status == 404:
        return ApiError(_not_there(error, asked), status, body)
    if status == 429:
        return NotNow(str(error.get("message", said)), status, body, _seconds(headers))
    if status >= 500:
        fault = f"{said} ({status}, request {body.get('requestId', 'unknown')}); try again in a minute"
        return NotNow(fault, status, body, _seconds(headers))
    return ApiError(said, status, body)


def _of_gateway(
    asked: str, status: int, body: Mapping[str, Any], headers: Mapping[str, str], expired: str | None
) -> CommandError:
    if status in (401, 403):
        why = f": it was good until {expired}" if expired else ""
        return NotSignedIn(f"the stage does not accept your token{why}; {SIGN_IN}")
    if status == 404:
        return ApiError(f"the stage has no {asked}: it is older than this command, or its URL is wrong", status, body)
    if status == 429:
        after = _seconds(headers)
        when = f"in {after:g} s" if after else "in some seconds"
        return NotNow(f"the stage gets more requests than it takes; try again {when}", status, body, after)
    said = f"the stage answered {asked} with {status}: {body.get('message', 'no reason given')}"
    return NotNow(f"{said}; try again in a minute", status, body) if status >= 500 else ApiError(said, status, body)


def _no_api(asked: str, status: int, text: str) -> CommandError:
    said = f"{asked} was answered with {status} and no JSON: {text}"
    if status >= 500:
        return NotNow(f"{said}; try again in a minute", status)
    return ApiError(f"{said}; is this the URL of a stage's API? `sluice use` shows it", status)


def _sentence(error: Mapping[str, Any]) -> str:
    """An error of the one shape: its message, and each field with what is wrong with it."""
    message = str(error.get("message", error.get("code", "refused")))
    fields = [f"{one['field']} {one['message']}" for one in error.get("fields", []) if one["message"] not in message]
    return f"{message}: {'; '.join(fields)}" if fields else message


def _not_there(error: Mapping[str, Any], asked: str) -> str:
    """What is not found, and what lists those that are."""
    path = asked.partition(" ")[2]
    lists = next((command for begins, command in LISTS.items() if f"{path}/".startswith(f"{begins}/")), None)
    said = as_commands(str(error.get("message", "there is no such thing")))
    return f"{said}; `{lists}` lists those that there are" if lists else said


def _seconds(headers: Mapping[str, str]) -> float | None:
    """How long to wait, by `Retry-After`."""
    said = headers.get("retry-after", "")
    return float(said) if said.isdigit() else None
