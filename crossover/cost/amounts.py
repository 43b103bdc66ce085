"""A number, or an array of them, one for each scenario: the model counts with both alike."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Amount = float | NDArray[Any]


def clip_above(quantity: Amount, start: float, end: float) -> Amount:
    """What of a quantity lies between `start` and `end`."""
    return np.clip(np.asarray(quantity) - start, 0.0, end - start)
