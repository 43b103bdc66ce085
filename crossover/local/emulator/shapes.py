"""What ministack takes and returns, as far as it has a shape."""

from typing import Any

Properties = dict[str, Any]
Created = tuple[str, dict[str, Any]]  # a resource's physical id and its attributes
