"""The routes of marketplace accounts: connect one, see how it fares, take it away. No answer holds a credential."""

from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict
from typing_extensions import TypedDict

from sluice.jobs.model import keys
from sluice.jobs.queue.nudge import nudge
from sluice.marketplaces import registry
from sluice.marketplaces.accounts import connecting
from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.accounts.credentials import CredentialsRefused
from sluice.marketplaces.accounts.views import AccountView, view
from sluice.marketplaces.registry import Marketplace
from sluice.platform.clock import iso
from sluice.platform.config import live
from sluice.platform.config.services import MARKETPLACES
from sluice.platform.context import Context
from sluice.platform.http import routing
from sluice.platform.http.auth import Permission
from sluice.platform.http.errors import Invalid, NotFound
from sluice.platform.http.models import Body, Example
from sluice.platform.http.routing import HttpRequest, Route
from sluice.platform.http.shapes import Among, Time
from sluice.platform.refused import Refused


def _of(marketplace: Marketplace) -> dict[str, Any]:
    """The schema of a marketplace's credentials."""
    properties = {
        field.name: {"type": "string", "minLength": 1, "maxLength": field.most, "description": field.about}
        for field in marketplace.credentials
    }
    return {
        "title": f"{marketplace.name.capitalize()}Credentials",
        "type": "object",
        "properties": properties,
        "required": [field.name for field in marketplace.credentials if not field.optional],
        "additionalProperties": False,
    }


def _document(schema: dict[str, Any]) -> None:
    """What the document says of the body: which credentials each marketplace takes."""
    schema.clear()
    schema |= {
        "title": "Credentials",
        "description": "What to connect with; the path says which of these.",
        "oneOf": [_of(marketplace) for marketplace in registry.MARKETPLACES.values()],
    }


class Credentials(Body):
    """What to connect with. Which fields there are depends on the marketplace, so they are checked later."""

    example: ClassVar[Example] = {
        "api_key": "the-api-key",
        "client_id": "the-client-id",
        "client_secret": "the-client-secret",
        "refresh_token": "the-refresh-token",
    }

    model_config = ConfigDict(extra="allow", json_schema_extra=_document)


class AccountList(TypedDict):
    """The marketplaces that are connected."""

    accounts: list[AccountView]


class Disconnected(TypedDict):
    """Its credentials and tokens are deleted. message: what becomes of its work."""

    account: str
    marketplace: Annotated[str, Among(MARKETPLACES)]
    disconnectedAt: Time
    message: str


def connect_account(request: HttpRequest[Credentials, None]) -> AccountView:
    """Connect a marketplace account, or connect it again. Jobs that waited for it run at once."""
    marketplace = _marketplace(request.path["marketplace"])
    credentials = request.body.model_extra or {}
    try:
        account = connecting.connect(marketplace, request.tenant, credentials, Context(routing.clock, live.current()))
    except Refused as wrong:
        raise Invalid("the credentials are not valid", fields=wrong.fields) from None
    except CredentialsRefused as refused:
        message = f"{marketplace} does not accept these credentials, and nothing was changed: {refused}"
        raise Invalid(message, code="credentials_refused", fields=refused.fields) from None
    nudge(request.now)
    return view(account)


def get_account(request: HttpRequest[None, None]) -> AccountView:
    """How a connection fares."""
    marketplace = _marketplace(request.path["marketplace"])
    account = accounts.find(keys.account(marketplace, request.tenant))
    if account is None:
        raise _not_connected(marketplace)
    return view(account)


def list_accounts(request: HttpRequest[None, None]) -> AccountList:
    """The caller's connections."""
    found = (accounts.find(keys.account(marketplace, request.tenant)) for marketplace in registry.MARKETPLACES)
    return {"accounts": [view(account) for account in found if account]}


def disconnect_account(request: HttpRequest[None, None]) -> Disconnected:
    """Delete an account's credentials and tokens. What was asked of it waits until it is connected again."""
    marketplace = _marketplace(request.path["marketplace"])
    account_id = keys.account(marketplace, request.tenant)
    if not accounts.disconnect(account_id, request.now):
        raise _not_connected(marketplace)
    return {
        "account": account_id,
        "marketplace": marketplace,
        "disconnectedAt": iso(request.now),
        "message": "the credentials are deleted, and within a minute no call begins with them any more; withdraw them "
        f"at {marketplace} too. Jobs of this account wait until it is connected again, or are cancelled; listings and "
        "ads stay at the marketplace as they are",
    }


def _marketplace(name: str) -> str:
    if name not in registry.MARKETPLACES:
        raise NotFound(f"there is no such marketplace; there are {', '.join(registry.MARKETPLACES)}")
    return name


def _not_connected(marketplace: str) -> NotFound:
    return NotFound(f"no {marketplace} account is connected; connect one with PUT /v1/accounts/{marketplace}")


_READ, _WRITE = Permission.ACCOUNTS_READ, Permission.ACCOUNTS_WRITE
_ALL = "/v1/accounts"
_ONE = f"{_ALL}/{{marketplace}}"
ROUTES = (
    Route(
        "PUT",
        _ONE,
        "Connect an account",
        connect_account,
        AccountView,
        _WRITE,
        body=Credentials,
    ),
    Route("GET", _ONE, "Show how an account fares", get_account, AccountView, _READ),
    Route("GET", _ALL, "List your accounts", list_accounts, AccountList, _READ),
    Route("DELETE", _ONE, "Disconnect an account", disconnect_account, Disconnected, _WRITE),
)
