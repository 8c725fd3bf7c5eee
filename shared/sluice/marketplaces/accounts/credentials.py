"""What an account is connected with, as far as its text alone says whether it can be right. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sluice.marketplaces.registry import CredentialField, Marketplace


class Problem(NamedTuple):
    """What is wrong with a field. The message never repeats its value."""

    field: str
    message: str


class InvalidCredentials(Exception):  # noqa: N818 - an answer to the caller
    """Fields of the credentials cannot be right; `problems` names all of them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{one.field} {one.message}" for one in problems))
        self.problems = tuple(problems)


class CredentialsRefused(Exception):  # noqa: N818 - an answer to the caller
    """The marketplace does not accept them; `problems` says which, as far as it tells, and what to do."""

    def __init__(self, message: str, problems: Sequence[Problem]) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


def check_fields(marketplace: Marketplace, credentials: Mapping[str, Any]) -> dict[str, str]:
    """The credentials, if each field that is needed is there and can be right.

    Raises:
        InvalidCredentials: they are not; names every field at once.
    """
    fields = {field.name: field for field in marketplace.credentials}
    unknown = f"is unknown; {marketplace.name} takes {', '.join(fields)}"
    problems = [Problem(name[:64], unknown) for name in sorted(credentials.keys() - fields.keys())]
    given = [field for field in marketplace.credentials if field.name in credentials or not field.optional]
    wrong = ((field.name, _wrong(credentials.get(field.name), field, marketplace)) for field in given)
    problems += [Problem(name, why) for name, why in wrong if why]
    if problems:
        raise InvalidCredentials(problems)
    return {field.name: credentials[field.name] for field in given}


def _wrong(value: object, field: CredentialField, marketplace: Marketplace) -> str | None:
    if not isinstance(value, str) or not value:
        return f"is missing; {marketplace.name} needs it as text"
    if len(value) > field.most:
        return f"must have at most {field.most} characters, not {len(value)}"
    if not all("!" <= letter <= "~" and letter not in '"\\' for letter in value):
        return "may hold visible ASCII characters only, no blanks, quotes or \\"
    return None
