"""Credentials that are offered and not stored yet: whether the marketplace accepts them.

```
 a token, then a call with it ──┬─ answered        accepted: stored with the token, verified
                                ├─ refused         CredentialsRefused: nothing is stored, an earlier connection stays
                                └─ no answer, 429  not known: stored, and its first use tells
```
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sluice.jobs.model.outcomes import Failure
from sluice.marketplaces.accounts.access_tokens import Refresh, Tokens
from sluice.marketplaces.accounts.credentials import CredentialsRefused
from sluice.marketplaces.accounts.table import Proof
from sluice.marketplaces.accounts.token_cache import Access
from sluice.marketplaces.http.errors import Forbidden, GrantRefused, Unauthorized
from sluice.platform.clock import Clock
from sluice.platform.http.errors import FieldError


@dataclass(frozen=True)
class Offer:
    """What is to be stored. proofs: of the account's grants, in the registry's order.

    user_id: the marketplace's own name of the user in whose name it acts; None where that is not known.
    """

    credentials: Mapping[str, str] = field(repr=False)
    proofs: tuple[Proof, ...] = ()
    user_id: str | None = None


class OfferedTokens(Tokens):
    """The token that the offered credentials give. It is made once, and never another one in its place."""

    def __init__(self, credentials: Mapping[str, str], refresh: Refresh, clock: Clock) -> None:
        self.credentials = dict(credentials)
        self._mint = refresh
        self._time = clock
        self._access: Access | None = None

    def get(self) -> Access:
        """The token. Raises what making it raises."""
        if self._access is None:
            began = self._time.now()
            fresh = self._mint(self.credentials)
            if fresh.refresh_token:
                self.credentials["refresh_token"] = fresh.refresh_token
            self._access = Access(self.credentials, fresh.token, 0, began + fresh.lives)
        return self._access

    def replace(self, refused: Access) -> Access:  # noqa: ARG002 - there is no other
        """Raises Unauthorized: a token that was just made is refused."""
        raise Unauthorized("a token that these credentials have just given is not accepted")

    def accepted(self, access: Access) -> None:
        """Nothing is stored yet."""


def prove(
    tokens: OfferedTokens,
    call: Callable[[], object] | None,
    refused_token: Sequence[str],
    refused_call: Sequence[str] = (),
    *,
    keep: bool = True,
) -> Proof:
    """Whether the credentials give a token, and the marketplace answers `call` with it.

    refused_token, refused_call: the fields that are wrong when there is no token, or the call is refused.
    keep: the token is worth storing.

    Raises:
        CredentialsRefused: they do not.
    """
    try:
        access = tokens.get()
    except GrantRefused as refused:
        wrong = ["refresh_token"] if refused.code == "invalid_grant" else [*refused_token]
        raise _refused(refused, [name for name in wrong if name in tokens.credentials]) from None
    except Failure as failure:
        return Proof(reason=_unknown(failure))
    known = Proof(True, None, *((access.token, access.expires_at) if keep else ()))
    try:
        if call:
            call()
    except (Unauthorized, Forbidden) as refused:
        raise _refused(refused, refused_call) from None
    except Failure as failure:
        return Proof(False, _unknown(failure), known.token, known.expires_at)
    return known


def _refused(refused: Failure, wrong: Sequence[str]) -> CredentialsRefused:
    why = "is not accepted by the marketplace: copy it anew, or make a new one"
    return CredentialsRefused(refused.message, [FieldError(name, why) for name in wrong])


def _unknown(failure: Failure) -> str:
    return f"the marketplace could not be asked whether it accepts these credentials; their first use tells: {failure}"
