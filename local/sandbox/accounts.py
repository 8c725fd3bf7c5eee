"""Connected applications and their tokens: OAuth 2 as every marketplace here uses it."""

from dataclasses import dataclass
from itertools import count

from local.sandbox.chance import digest


@dataclass(frozen=True)
class Credentials:
    """All that a client needs to connect. Made up from the seed, worth nothing outside the sandbox."""

    account: str
    api_key: str
    client_id: str
    client_secret: str
    authorization_code: str
    refresh_token: str
    personal_access_token: str


class GrantRefusedError(Exception):
    """The token call is refused. `error` is the OAuth 2 code (RFC 6749, section 5.2)."""

    def __init__(self, error: str, description: str, status: int = 403) -> None:
        super().__init__(description)
        self.error, self.description, self.status = error, description, status


class Accounts:
    """Who may call. Access tokens live `token_seconds`; refresh tokens and personal ones live until they are revoked.

    A token is good at one marketplace: its `audience`.
    """

    def __init__(self, seed: int, token_seconds: int = 43_200) -> None:
        self.token_seconds = token_seconds
        self._seed = seed
        self._serial = count(1)
        self._accounts_by_key: dict[str, str] = {}
        self._applications: dict[str, str] = {}
        self._codes: dict[str, Credentials] = {}
        self._refresh_tokens: dict[str, str] = {}
        self._personal_tokens: dict[str, str] = {}
        self._access_tokens: dict[tuple[str, str], tuple[str, int]] = {}

    def connect(self, account: str, application: str = "") -> Credentials:
        """Credentials of `account`, with a new authorization code and refresh token at each call, as after a log-in.

        application: whose client id it has, where several accounts use one; by itself each has one of its own.
        """
        login = next(self._serial)
        self._applications[account] = application or account
        credentials = Credentials(
            account,
            api_key=digest(self._seed, "api key", account),
            client_id=self._client_id(self._applications[account]),
            client_secret=self._client_secret(self._client_id(self._applications[account])),
            authorization_code=digest(self._seed, "code", account, login),
            refresh_token=f"v1.{digest(self._seed, 'refresh', account, login)}",
            personal_access_token=f"pat_{digest(self._seed, 'personal', account, login)}",
        )
        self._accounts_by_key[credentials.api_key] = account
        self._codes[credentials.authorization_code] = credentials
        self._refresh_tokens[credentials.refresh_token] = account
        self._personal_tokens[credentials.personal_access_token] = account
        return credentials

    def of_key(self, api_key: str) -> str | None:
        """The account of an API key; None when nobody connected with it."""
        return self._accounts_by_key.get(api_key)

    def of_token(self, access_token: str, at_ms: int, audience: str = "stockx") -> str | None:
        """The account of an access token that is valid at `at_ms`."""
        account, ends_ms = self._access_tokens.get((audience, access_token), (None, 0))
        return account if at_ms < ends_ms else None

    def of_personal_token(self, token: str) -> str | None:
        """The account of a personal access token."""
        return self._personal_tokens.get(token)

    def of_client(self, client_id: str) -> str | None:
        """The OAuth application with this client id, by its label."""
        return next((known for known in self._applications.values() if self._client_id(known) == client_id), None)

    def application_of(self, account: str) -> str:
        """The label of the application that `account` uses; that of an application itself is its own."""
        return self._applications.get(account, account)

    def application_token(self, client_id: str, client_secret: str, at_ms: int, audience: str, seconds: int) -> str:
        """An access token for an application itself, by its client credentials. Revoked ones get none."""
        application = self.of_client(client_id)
        connected = {self.application_of(account) for account in self._refresh_tokens.values()}
        if application is None or application not in connected or client_secret != self._client_secret(client_id):
            raise GrantRefusedError("invalid_client", "client authentication failed", 401)
        return self._issue(application, at_ms, audience, min(seconds, self.token_seconds))

    def log_in(self, client_id: str) -> str | None:
        """The code that the browser brings back when a person has agreed; None when nobody knows this client.

        The person is the account that the application is called after.
        """
        application = self.of_client(client_id)
        return self.connect(application, application).authorization_code if application else None

    def exchange_code(
        self, form: dict[str, str], at_ms: int, audience: str = "stockx", seconds: int | None = None
    ) -> tuple[str, str]:
        """An access token and the refresh token of the log-in that the code came from. A code works once."""
        self._check_client(form)
        login = self._codes.pop(form.get("code", ""), None)
        if login is None or login.client_id != form["client_id"]:
            raise GrantRefusedError("invalid_grant", "Invalid authorization code")
        return self._issue(login.account, at_ms, audience, seconds), login.refresh_token

    def refresh(self, form: dict[str, str], at_ms: int, audience: str = "stockx", seconds: int | None = None) -> str:
        """A new access token. Earlier ones stay valid until their own time is up."""
        self._check_client(form)
        account = self._refresh_tokens.get(form.get("refresh_token", ""))
        if account is None or self._client_id(self.application_of(account)) != form["client_id"]:
            raise GrantRefusedError("invalid_grant", "Unknown or invalid refresh token.")
        return self._issue(account, at_ms, audience, seconds)

    def expire(self, account: str) -> None:
        """End the account's access tokens; a refresh gives a new one."""
        self._access_tokens = {token: held for token, held in self._access_tokens.items() if held[0] != account}

    def expire_token(self, token: str, audience: str = "stockx") -> None:
        """End one token, an access token or a personal one."""
        self._access_tokens.pop((audience, token), None)
        self._personal_tokens.pop(token, None)

    def revoke(self, account: str) -> None:
        """End every token and code of the account: only `connect` helps."""
        self.expire(account)
        self._refresh_tokens = {token: owner for token, owner in self._refresh_tokens.items() if owner != account}
        self._personal_tokens = {token: owner for token, owner in self._personal_tokens.items() if owner != account}
        self._codes = {code: login for code, login in self._codes.items() if login.account != account}

    def _issue(self, account: str, at_ms: int, audience: str = "stockx", seconds: int | None = None) -> str:
        serial = next(self._serial)
        # As long as a real JWT (about 1 KB), because what stores it pays by size.
        parts = [digest(self._seed, "access", account, serial, part) for part in range(30)]
        token = f"eyJzYW5kYm94Ijp0cnVlfQ.{''.join(parts)}"
        self._access_tokens[audience, token] = (account, at_ms + (seconds or self.token_seconds) * 1000)
        return token

    def _check_client(self, form: dict[str, str]) -> None:
        known = {self._client_id(application) for application in self._applications.values()}
        client_id = form.get("client_id", "")
        if client_id not in known or form.get("client_secret") != self._client_secret(client_id):
            raise GrantRefusedError("access_denied", "Unauthorized", 401)

    def _client_id(self, account: str) -> str:
        return digest(self._seed, "client id", account)

    def _client_secret(self, client_id: str) -> str:
        return digest(self._seed, "client secret", client_id)
