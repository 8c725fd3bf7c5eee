"""What eBay's APIs for sellers answer with when they refuse. Each has a table of its own error ids."""

from typing import Any

Json = dict[str, Any]


class ApiError(Exception):
    """The call is answered with this error of the API's table. status: of the answer."""

    status: int

    def __init__(self, error_id: int) -> None:
        super().__init__(error_id)

    def body(self) -> Json:
        """The error as an answer shows it."""
        raise NotImplementedError
