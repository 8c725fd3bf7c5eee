"""What an account is connected with, as far as its text alone says whether it can be right. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from sluice.marketplaces.registry import CredentialField, Marketplace
from sluice.platform.http.errors import FieldError
from sluice.platform.refused import Refused


class CredentialsRefused(Exception):  # noqa: N818 - an answer to the caller
    """The marketplace does not accept them; `fields` says which, as far as it tells, and what to do."""

    def __init__(self, message: str, fields: Sequence[FieldError]) -> None:
        super().__init__(message)
        self.fields = tuple(fields)


def check_fields(marketplace: Marketplace, credentials: Mapping[str, Any]) -> dict[str, str]:
    """The credentials, if each field that is needed is there and can be right.

    Raises:
        Refused: they are not; names every field at once, and repeats no value.
    """
    fields = {field.name: field for field in marketplace.credentials}
    unknown = f"is unknown; {marketplace.name} takes {', '.join(fields)}"
    wrong_fields = [FieldError(name[:64], unknown) for name in sorted(credentials.keys() - fields.keys())]
    given = [field for field in marketplace.credentials if field.name in credentials or not field.optional]
    wrong = ((field.name, _wrong(credentials.get(field.name), field, marketplace)) for field in given)
    wrong_fields += [FieldError(name, why) for name, why in wrong if why]
    if wrong_fields:
        raise Refused.of(wrong_fields)
    return {field.name: credentials[field.name] for field in given}


def _wrong(value: object, field: CredentialField, marketplace: Marketplace) -> str | None:
    if not isinstance(value, str) or not value:
        return f"is missing; {marketplace.name} needs it as text"
    if len(value) > field.most:
        return f"must have at most {field.most} characters, not {len(value)}"
    if not all("!" <= letter <= "~" and letter not in '"\\' for letter in value):
        return "may hold visible ASCII characters only, no blanks, quotes or \\"
    return None
