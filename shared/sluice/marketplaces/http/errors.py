"""What a marketplace's answer means for the job that asked.

```
Failure (jobs.outcomes)
└── MarketplaceFailure
    ├── RateLimited      snooze, whole batch   429: the budget is closed until `retry_at`
    ├── AccountBroken    snooze, whole batch   the account must be connected again; its jobs are held until then
    ├── TokenBusy        snooze, whole batch   another worker renews the account's token; soon there is one
    ├── TokenLimited     snooze, whole batch   429 of the token call: it closes no budget, for its calls are not counted
    ├── Unauthorized     retry                 401: the token is not taken; a session renews it once
    ├── Forbidden        business              403: the account may not make this call; others it may
    ├── GrantRefused     retry                 the token call: the credentials get no token any more
    ├── NotFound         fatal                 404, 410: there is no such thing
    ├── AmbiguousStyle   fatal                 a search found several products that may be the one asked for
    ├── BadRequest       fatal                 any other 4xx: our request is wrong
    ├── Rejected         business              402, 409, 422: the marketplace refused this work
    ├── AlreadyExists    business              what was to be made is there
    ├── NotNow           snooze                refused for a while by the listing's own state; later it is taken
    ├── SellingLimit     snooze                the account may sell no more for now: nothing new is published
    ├── NotSent          retry                 something of ours failed before the call: it was not made
    ├── NotReady         retry                 what this is about is not there yet, and will be
    ├── UnknownReason    retry                 a code of the marketplace that Sluice does not know; counted
    ├── Unavailable      retry                 5xx, 408, 425, or no connection
    ├── TimedOut         retry                 no complete answer in time
    └── BadAnswer        retry                 not what the marketplace promises: no JSON, a wrong shape, too large
```
`Unauthorized` and `GrantRefused` end in `session` and `tokens`; a job sees `AccountBroken` in their place.
`mapping` is the one place that makes these from an HTTP answer or an httpx exception.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from sluice.jobs.model.outcomes import Failure, Then


class Said(NamedTuple):
    """One error of an answer that lists several: its code, its words, and the parameters that it names."""

    code: str | None
    message: str
    parameters: Mapping[str, str]


class MarketplaceFailure(Failure):
    """A call that did not succeed.

    code: the marketplace's own code where it gave one, else the word of the class. status: of the HTTP answer, None
    when there was none. uncertain: the request may have been carried out all the same, so that one which must not
    happen twice has to be looked up before it is sent again. said: each error of the answer, where it lists them.
    """

    code = "marketplace_failure"
    said: tuple[Said, ...] = ()

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        retry_at: int | None = None,
        uncertain: bool = False,
    ) -> None:
        super().__init__(message, code=code, retry_at=retry_at)
        self.status = status
        self.uncertain = uncertain


class RateLimited(MarketplaceFailure):
    """The marketplace takes no calls before `retry_at`. named: the marketplace has said so itself."""

    action = Then.SNOOZE
    code = "rate_limited"
    whole_batch = True
    of_account = True
    named = False


class AccountBroken(MarketplaceFailure):
    """The account cannot be used until its owner connects it again. found: this call is the one that found it out."""

    action = Then.SNOOZE
    code = "account_broken"
    whole_batch = True
    of_account = True

    def __init__(self, message: str, *, found: bool = False) -> None:
        super().__init__(message)
        self.found = found


class TokenBusy(MarketplaceFailure):
    """Another worker is renewing the token and has not finished in the time that this one could wait."""

    action = Then.SNOOZE
    code = "token_busy"
    whole_batch = True
    of_account = True


class TokenLimited(MarketplaceFailure):
    """The token server gives no token before `retry_at`. It says nothing of the calls of the API, or of others."""

    action = Then.SNOOZE
    code = "token_limited"
    whole_batch = True
    of_account = True


class Unauthorized(MarketplaceFailure):
    """The access token was not accepted."""

    code = "unauthorized"


class Forbidden(MarketplaceFailure):
    """The account may not make this call. That says nothing of its token, nor of any other call."""

    action = Then.BUSINESS
    code = "forbidden"


class GrantRefused(MarketplaceFailure):
    """The authorization server gives no token for these credentials. code: OAuth's (RFC 6749, section 5.2)."""

    code = "grant_refused"


class NotFound(MarketplaceFailure):
    """There is no such thing at the marketplace."""

    action = Then.FATAL
    code = "not_found"


class AmbiguousStyle(MarketplaceFailure):
    """Several products may be the one that was asked for, and nobody but the caller knows which."""

    action = Then.FATAL
    code = "product_ambiguous"


class BadRequest(MarketplaceFailure):
    """The marketplace does not understand our request."""

    action = Then.FATAL
    code = "bad_request"


class Rejected(MarketplaceFailure):
    """The marketplace understood, and refuses by its own rules."""

    action = Then.BUSINESS
    code = "rejected"


class AlreadyExists(MarketplaceFailure):
    """What was to be made is there already, and nothing was changed."""

    action = Then.BUSINESS
    code = "already_exists"


class SellerMustAct(Rejected):
    """Only the seller can help, at the marketplace: the message begins with what to do."""


class PolicyRefused(SellerMustAct):
    """A business policy of the seller is not taken: it is gone, or of another site or kind."""


class OnHold(Rejected):
    """The marketplace holds the listing: nobody can change it until it lets go."""


class NotNow(MarketplaceFailure):
    """The listing's own state forbids it for a while: somebody bids on it, or it is about to end."""

    action = Then.SNOOZE
    code = "not_now"


class SellingLimit(MarketplaceFailure):
    """The account has sold, or offers, as much as the marketplace lets it for now."""

    action = Then.SNOOZE
    code = "selling_limit"


class NotSent(MarketplaceFailure):
    """Something of ours failed before the call, so that it was not made."""

    code = "not_sent"


class DoesNotFit(Rejected):
    """Not in the place that was chosen for it; another may take it."""


class WrongSite(DoesNotFit):
    """It belongs to another of the marketplace's sites than the place that was chosen for it."""


class NotReady(MarketplaceFailure):
    """The marketplace does not know yet, or still prepares, what the request is about."""

    code = "not_ready"


class UnknownReason(MarketplaceFailure):
    """The marketplace refused for a reason that has no meaning here yet: it may pass."""

    code = "unknown_reason"


class Unavailable(MarketplaceFailure):
    """The marketplace cannot answer at the moment, or cannot be reached."""

    code = "unavailable"


class TimedOut(MarketplaceFailure):
    """No complete answer came in time."""

    code = "timed_out"


class BadAnswer(MarketplaceFailure):
    """The answer is not what the marketplace promises."""

    code = "bad_answer"


@contextmanager
def before_sending() -> Iterator[None]:
    """What fails in here fails before the call: whoever asked for it may be certain that it was not made.

    Raises:
        NotSent: for what is no failure of the tree: AWS gave no answer, or we have a fault.
    """
    try:
        yield
    except MarketplaceFailure as failure:
        failure.uncertain = False  # of the call for a token, not of the one that waits for it
        raise
    except Failure:
        raise
    except Exception as error:
        raise NotSent(f"{type(error).__name__} before the call was made") from error
