"""Attribute types that PynamoDB lacks."""

from pynamodb.attributes import Attribute
from pynamodb.constants import NUMBER


class IntAttribute(Attribute[int]):
    """A whole number. PynamoDB's own number attribute is a float to the type checker."""

    attr_type = NUMBER

    def serialize(self, value: int) -> str:
        return str(int(value))

    def deserialize(self, value: str) -> int:
        return int(value)
