"""The one value for a refusal: what was asked for cannot be done as it was asked, and nothing of it was done."""

from collections.abc import Sequence
from typing import Final

from sluice.platform.http.errors import Conflict, FieldError, Invalid, Unavailable

INVALID: Final = Invalid.code
CONFLICT: Final = Conflict.code
UNAVAILABLE: Final = Unavailable.code


class Refused(Exception):  # noqa: N818 - an answer to the caller
    """Refused when asking. What fails later, when it runs, is a `sluice.jobs.model.outcomes.Failure`.

    It is raised where one thing was asked for, and is an answer among others where many were.

    field: what of the request is wrong, as the API spells it.
    message: why, for a person; with the field before it, it is a sentence.
    code: a word for machines. `INVALID`: asking again is refused again. `CONFLICT`: the thing is in a state in which it
        cannot be done. `UNAVAILABLE`: for a reason of ours, and the same may succeed later.
    fields: all that is wrong, where that is more than one field; `field` and `message` are the first.
    """

    def __init__(self, field: str, message: str, *, code: str = INVALID, others: Sequence[FieldError] = ()) -> None:
        self.fields = (FieldError(field, message), *others)
        super().__init__(", ".join(f"{one.field} {one.message}" for one in self.fields))
        self.field, self.message, self.code = field, message, code

    @classmethod
    def of(cls, fields: Sequence[FieldError]) -> "Refused":
        """The refusal of a request in which all of `fields` are wrong; there is at least one."""
        first, *others = fields
        return cls(first.field, first.message, others=others)
