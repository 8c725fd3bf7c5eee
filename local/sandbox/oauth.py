"""The token call as every marketplace here has it: a POST, whose errors are OAuth's and not the API's."""

from collections.abc import Callable, Mapping

from local.sandbox.accounts import Accounts, GrantRefusedError
from local.sandbox.call import Answer, Call

Grant = Callable[[Accounts, Call], Mapping[str, str | int]]


def answer(accounts: Accounts, call: Call, grant: Grant) -> Answer:
    """What `grant` gives, or why it gives nothing."""
    try:
        if call.method != "POST":
            raise GrantRefusedError("invalid_request", "The token call is a POST", 404)
        return Answer(200, grant(accounts, call))
    except GrantRefusedError as refused:
        return refusal(refused)


def refusal(refused: GrantRefusedError) -> Answer:
    return Answer(refused.status, {"error": refused.error, "error_description": refused.description})
