"""Updates whose expressions are made once, for writes of which a request makes hundreds that differ by their values.

PynamoDB makes the text of an expression anew for each write, which costs more than the rest of what it does. Values are
given as DynamoDB has them (`{"S": "queued"}`, as `value` makes them), which PynamoDB's expressions take too; so what is
prepared and what is not come from the same function:

```
 fill(marks) ──► text, and which mark became which placeholder          once
 fill(values) ─► the same text with the values in those placeholders    what a caller without a prepared update does
```
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pynamodb.attributes import Attribute
from pynamodb.constants import EXPRESSION_ATTRIBUTE_VALUES, KEY, TABLE_NAME
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action as Update
from pynamodb.models import Model

# A value as DynamoDB has it, `{type: value}`. PynamoDB takes it for any attribute, which its types do not say.
Raw = Any
Fill = Callable[[Mapping[str, Raw]], tuple[Sequence[Update], Condition]]


def value(attribute: Attribute[Any], made: Any) -> Raw:
    """`made` as DynamoDB has it in `attribute`."""
    return {attribute.attr_type: attribute.serialize(made)}


class Prepared:
    """One update of `model`. fill: its actions and condition, of values by name. types: the type of each value."""

    def __init__(self, model: type[Model], fill: Fill, types: Mapping[str, str]) -> None:
        marks = {name: _mark(name, type_) for name, type_ in types.items()}
        actions, condition = fill(marks)
        self.model = model
        self._made: dict[str, Any] = model._get_connection().get_operation_kwargs(
            "",
            key=KEY,
            actions=list(actions),
            condition=condition,
            return_values_on_condition_failure="ALL_OLD",
        )
        found = self._made.pop(EXPRESSION_ATTRIBUTE_VALUES)
        names = {str(mark): name for name, mark in marks.items()}
        self._names = {place: names[str(raw)] for place, raw in found.items() if str(raw) in names}
        self._constants = {place: raw for place, raw in found.items() if place not in self._names}

    def request(self, key: str, values: Mapping[str, Raw]) -> dict[str, Any]:
        """The UpdateItem of the item with the hash key `key`."""
        connection = self.model._get_connection()
        [name] = self._made[KEY]
        return {
            **self._made,
            TABLE_NAME: connection.table_name,
            KEY: {name: {"S": key}},
            EXPRESSION_ATTRIBUTE_VALUES: {
                **self._constants,
                **{place: values[name] for place, name in self._names.items()},
            },
        }


def _mark(name: str, type_: str) -> Raw:
    """What stands for the value `name`; no value is like it, for none has a control character in front."""
    text = f"\0{name}"
    return {type_: [text] if type_ in ("SS", "NS") else text}
