"""How much of an item's 400 KB a value takes in DynamoDB.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
"""

from collections.abc import Mapping
from typing import Any

ITEM_BYTES = 300_000
"""What a result may take of an item; the rest is for the item's other attributes, a key of 1,024 bytes among them."""
LIST_BYTES = 4
"""What a list within a list takes but for its elements."""


def item_size(value: Any) -> int:
    """Bytes, at most: of a number's digits those that DynamoDB would cut off are counted as well."""
    match value:
        case str():
            return len(value.encode())
        case bool():
            return 1
        case int() | float():
            return len(repr(value)) // 2 + 2
        case Mapping():
            return 3 + sum(1 + len(name.encode()) + item_size(each) for name, each in value.items())
    return 3 + sum(1 + item_size(each) for each in value)
