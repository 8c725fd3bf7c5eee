"""One account's calls to one marketplace: with its token, which is renewed once when it is not accepted."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from sluice.jobs.model.run import Calls
from sluice.marketplaces.accounts.access_tokens import Tokens
from sluice.marketplaces.accounts.token_cache import Access
from sluice.marketplaces.http import fields
from sluice.marketplaces.http.errors import Unauthorized, before_sending
from sluice.marketplaces.http.exchange import Answer, Call
from sluice.marketplaces.http.fields import Value
from sluice.marketplaces.http.transport import Transport

# The headers that say who calls.
Sign = Callable[[Access], Mapping[str, str]]


class Session:
    """What every adapter calls through."""

    def __init__(self, transport: Transport, tokens: Tokens, sign: Sign, calls: Calls) -> None:
        self._transport = transport
        self._tokens = tokens
        self._sign = sign
        self._calls = calls

    def prepare(self) -> None:
        """Have a token at hand, so that the call that follows has to wait for none. Raises as `Tokens.get`."""
        with before_sending():
            self._tokens.get()

    def call(self, request: Call) -> Value:
        """The JSON answer to `request`. Raises as `exchange`."""
        return fields.read(self.exchange(request))

    def exchange(self, request: Call) -> Answer:
        """The answer to `request`, for those that say something outside a JSON body, or have none.

        A 401 renews the token and repeats the call, which is charged again; the second 401 breaks the grant that the
        token belongs to. It means that nothing was carried out, so repeating is safe for any request. A 403 is about
        this one call and breaks nothing.

        Raises:
            AccountBroken: the account is not, or no longer, accepted.
            MarketplaceFailure, BudgetClosed, BudgetEmpty, OutOfTime: see `Transport.call` and `Tokens.get`.
        """
        with before_sending():
            access = self._tokens.get()
        try:
            answer = self._send(request, access)
        except Unauthorized:
            with before_sending():
                access = self._tokens.replace(access)
            answer = self._send_again(request, access)
        self._tokens.accepted(access)
        return answer

    def _send_again(self, request: Call, access: Access) -> Answer:
        try:
            return self._send(request, access)
        except Unauthorized as refused:
            raise self._tokens.give_up(access, refused.message) from None

    def _send(self, request: Call, access: Access) -> Answer:
        signed = replace(request, headers={**request.headers, **self._sign(access)})
        return self._transport.call(signed, self._calls)
