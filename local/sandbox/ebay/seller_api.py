"""What every call to an API of sellers has in common: who calls, what is counted, how errors look."""

from collections.abc import Mapping
from hashlib import sha256

from local.sandbox.accounts import Accounts
from local.sandbox.call import Answer, Call, Routes
from local.sandbox.ebay.errors import ApiError
from local.sandbox.ebay.tokens import USER
from local.sandbox.limits import Limits


class SellerApi:
    """An API that sellers call with their own token.

    audience: whose tokens it takes. refused: its errors. no_such, failed: the error of an unknown path, and of a fault
    of the marketplace. needs_body: a POST without a body, not even an empty one, is a 411.
    """

    name = ""
    prefixes: tuple[str, ...] = ()
    limits = Limits(retry_after=False)
    audience = USER
    refused: type[ApiError]
    no_such = 2002
    failed = 25001
    needs_body = True

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._routes = Routes()

    def account(self, call: Call) -> str:
        token = call.bearer()
        if not token:
            return "anonymous"
        known = self._accounts.of_token(token, call.at_ms, self.audience)
        return known or f"unknown-{sha256(token.encode()).hexdigest()[:8]}"

    def payer(self, call: Call) -> str:
        return self._accounts.application_of(self.account(call))

    def counted(self, _: str) -> bool:
        return True

    def cacheable(self, _: Call) -> bool:
        return False

    def route(self, call: Call) -> str:
        return self._routes.template(call.path) or call.path

    def answer(self, call: Call) -> Answer:
        try:
            if self._accounts.of_token(call.bearer(), call.at_ms, self.audience) is None:
                application = self._accounts.of_token(call.bearer(), call.at_ms, "ebay")
                raise self.refused(1100 if application else 1001)
            if (found := self._routes.find(call)) is None:
                raise self.refused(self.no_such)
            if self.needs_body and call.method == "POST" and "content-length" not in call.headers:
                return Answer(411, None)
            handler, parameters = found
            return handler(call, **parameters)
        except ApiError as refused:
            return Answer(refused.status, {"errors": [refused.body()]})

    def error(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> Answer:
        refused = self.refused({401: 1001, 403: 1100, 404: self.no_such, 429: 2001}.get(status, self.failed))
        return Answer(status, {"errors": [{**refused.body(), "message": message}]}, headers or {})

    def expire_token(self, call: Call, *, for_good: bool) -> Answer:
        if for_good:
            self._accounts.expire_token(call.bearer(), self.audience)
        return self.error(401, "Invalid access token")

    def refuse_refresh(self, _: Call) -> Answer | None:
        return None
