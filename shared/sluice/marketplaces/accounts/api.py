"""The routes of marketplace accounts: connect one, and see how it fares. No answer holds a credential."""

from pydantic import ConfigDict
from typing_extensions import TypedDict

from sluice.jobs.model import keys
from sluice.jobs.queue.nudge import nudge
from sluice.marketplaces import registry
from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.accounts.table import AccountView, InvalidCredentials
from sluice.platform.http.auth import Permission
from sluice.platform.http.errors import FieldError, Invalid, NotFound
from sluice.platform.http.models import Body
from sluice.platform.http.routing import Request, Route


class Credentials(Body):
    """What to connect with.

    StockX: `api_key`, `client_id`, `client_secret`, `refresh_token`. Alias: `personal_access_token`. eBay: `client_id`,
    `client_secret`; for promotions also `refresh_token`, given by a seller with the scope `sell.marketing`.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, str]


class AccountList(TypedDict):
    """The marketplaces that are connected."""

    accounts: list[AccountView]


def connect_account(request: Request[Credentials, None]) -> AccountView:
    """Connect a marketplace account, or connect it again. Jobs that waited for it run at once."""
    marketplace = _marketplace(request.path["marketplace"])
    try:
        account = accounts.connect(marketplace, request.tenant, request.body.model_extra or {}, request.now)
    except InvalidCredentials as refused:
        raise Invalid("the credentials are not valid", fields=[FieldError(refused.field, refused.message)]) from None
    nudge(request.now)
    return accounts.view(account)


def get_account(request: Request[None, None]) -> AccountView:
    """How a connection fares."""
    marketplace = _marketplace(request.path["marketplace"])
    account = accounts.find(keys.account(marketplace, request.tenant))
    if account is None:
        raise NotFound(f"no {marketplace} account is connected; connect one with PUT /v1/accounts/{marketplace}")
    return accounts.view(account)


def list_accounts(request: Request[None, None]) -> AccountList:
    """The caller's connections."""
    found = (accounts.find(keys.account(marketplace, request.tenant)) for marketplace in registry.MARKETPLACES)
    return {"accounts": [accounts.view(account) for account in found if account]}


def _marketplace(name: str) -> str:
    if name not in registry.MARKETPLACES:
        raise NotFound(f"there is no such marketplace; there are {', '.join(registry.MARKETPLACES)}")
    return name


ROUTES = (
    Route(
        "PUT",
        "/v1/accounts/{marketplace}",
        "Connect an account",
        connect_account,
        AccountView,
        Permission.ACCOUNTS_WRITE,
        body=Credentials,
    ),
    Route(
        "GET",
        "/v1/accounts/{marketplace}",
        "Show how an account fares",
        get_account,
        AccountView,
        Permission.ACCOUNTS_READ,
    ),
    Route("GET", "/v1/accounts", "List your accounts", list_accounts, AccountList, Permission.ACCOUNTS_READ),
)
