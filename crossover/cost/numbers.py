"""Numbers: one for one scenario or an array for many, and how people read them."""

import math
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

Amount = float | NDArray[Any]  # the model's functions take either, element by element

MAX_KEPT, MAX_ELEMENTS = 64, 20_000  # results of a function, and elements of an argument

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def keep_latest(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Compute what the same numbers and arrays give only once, and keep the latest results.

    Variants that differ in their prices alone ask for the same instances and cold shares: half of all calls, and a
    tenth of the time that `crossover report --cost` takes. Callers must not modify a result.
    """
    results: dict[tuple[object, ...], Result] = {}

    @wraps(function)
    def kept(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        values = (*args, *kwargs.values())
        if any(np.size(value) > MAX_ELEMENTS for value in values):  # type: ignore[arg-type]
            return function(*args, **kwargs)
        key = (*kwargs, *map(_content, values))
        if key not in results:
            if len(results) == MAX_KEPT:
                del results[next(iter(results))]
            results[key] = function(*args, **kwargs)
        return results[key]

    return kept


def _content(value: Any) -> Any:
    return (value.shape, value.dtype, value.tobytes()) if isinstance(value, np.ndarray) else value


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
