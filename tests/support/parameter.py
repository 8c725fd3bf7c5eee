"""The SSM parameter of the configuration, played: its versions as AWS keeps them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ConnectTimeoutError

KEPT = 100
PERSON = "arn:aws:iam::123456789012:user/pat"
FUNCTION = "arn:aws:sts::123456789012:assumed-role/operator/operator"


class Parameter:
    """One parameter. before: what happens before a write is done. lose: the next write is done, its answer lost."""

    def __init__(self, text: str = "{}", at: int = 0) -> None:
        self.at = at
        self.versions: list[dict[str, Any]] = []
        self.before: Callable[[], None] = lambda: None
        self.lose = self.down = False
        self.put(text, PERSON)

    def put(self, text: str, by: str = PERSON) -> int:
        """Write past the API, as `aws ssm` does."""
        number = self.versions[-1]["Version"] + 1 if self.versions else 1
        at = datetime.fromtimestamp(self.at / 1_000, UTC)
        self.versions.append({"Version": number, "Value": text, "LastModifiedDate": at, "LastModifiedUser": by})
        self.versions = self.versions[-KEPT:]
        return number

    def answer(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """What SSM answers."""
        if operation == "GetParameter":
            return {"Parameter": self.versions[-1]}
        if operation == "GetParameterHistory":
            start = int(parameters.get("NextToken", 0))
            page = {"Parameters": self.versions[start : start + 50]}
            return page | ({"NextToken": str(start + 50)} if start + 50 < len(self.versions) else {})
        assert operation == "PutParameter"
        assert parameters["Overwrite"] is True
        self.before()
        if self.down:
            raise ConnectTimeoutError(endpoint_url="https://ssm.invalid")
        number = self.put(parameters["Value"], FUNCTION)
        if self.lose:
            self.lose = False
            raise ConnectTimeoutError(endpoint_url="https://ssm.invalid")
        return {"Version": number}
