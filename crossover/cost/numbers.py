"""Numbers: one for one scenario or an array for many, and how people read them."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Amount = float | NDArray[Any]  # the model's functions take either, element by element


def clip_above(quantity: Amount, start: float, end: float) -> Amount:
    """The part of a quantity that is between `start` and `end`."""
    return np.clip(np.asarray(quantity) - start, 0.0, end - start)


def number(value: float) -> str:
    """Three significant digits, and never less than the whole number: 0.0612, 43.5, 1,234. As page.js shows it."""
    if value == 0:
        return "0"
    digits = max(3, math.floor(math.log10(abs(value))) + 1)
    return f"{significant(value, digits):,.12g}"


def usd(value: float) -> str:
    """With cents below 1,000 USD, and with more digits where it is less than ten cents."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.2f}" if value >= 0.1 or value == 0 else number(value)


def significant(value: float, digits: int) -> float:
    """Rounded to so many significant digits."""
    return float(f"{value:.{digits}g}")
