"""Of attributes, what PynamoDB lacks: a type, and the condition that one is as it was read."""

from typing import Any

from pynamodb.attributes import Attribute
from pynamodb.constants import NUMBER
from pynamodb.expressions.condition import Condition


class IntAttribute(Attribute[int]):
    """A whole number. PynamoDB's own number attribute is a float to the type checker."""

    attr_type = NUMBER

    def serialize(self, value: int) -> str:
        return str(int(value))

    def deserialize(self, value: str) -> int:
        return int(value)


def still(attribute: Attribute[Any], value: object) -> Condition:
    """The condition that an attribute is as it was read. value: None where it was not there."""
    same: Condition = attribute.does_not_exist() if value is None else attribute == value
    return same
