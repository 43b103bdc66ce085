"""Numbers as the page shows them, and functions of numbers that keep their results."""

import numpy as np
import pytest

from crossover.cost.numbers import MAX_ELEMENTS, MAX_KEPT, Amount, keep_latest, number, significant, usd


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (0.06123, "0.0612"),
        (1, "1"),
        (71.93, "71.9"),
        (78.0000001, "78"),
        (236.96, "237"),
        (999.96, "1,000"),
        (1234.5678, "1,235"),
        (10_378_675.2, "10,378,675"),
    ],
)
def test_a_number_has_three_digits_or_its_whole_part(value: float, shown: str) -> None:
    assert number(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0.00"), (0.0123456, "0.0123"), (0.1, "0.10"), (43.505, "43.51"), (999.994, "999.99"), (1234.5, "1,234")],
)
def test_money_has_cents_where_they_matter(value: float, shown: str) -> None:
    assert usd(value) == shown


def test_significant_digits_count_from_the_first() -> None:
    assert significant(123456.0, 3) == 123000
    assert significant(0.00123456, 3) == 0.00123


def test_results_are_kept_by_the_content_of_arrays() -> None:
    calls = []

    @keep_latest
    def plus(one: Amount, *, other: Amount) -> Amount:
        calls.append((one, other))
        return one + other

    array = np.array([1.0, 2.0])
    assert plus(array, other=1.0) is plus(array.copy(), other=1.0)
    array[0] = 5.0
    assert np.array_equal(plus(array, other=1.0), [6.0, 3.0])
    assert np.array_equal(plus(array, other=np.array([1.0, 2.0])), [6.0, 4.0])
    assert np.shape(plus(array[:, None], other=1.0)) == (2, 1)
    assert len(calls) == 4


def test_only_the_latest_results_are_kept_and_none_of_large_arrays() -> None:
    calls: list[Amount] = []
    record = keep_latest(calls.append)
    for value in range(MAX_KEPT + 1):
        record(float(value))
    record(1.0)
    assert len(calls) == MAX_KEPT + 1
    record(0.0)
    assert len(calls) == MAX_KEPT + 2
    for _ in range(2):
        record(np.zeros(MAX_ELEMENTS + 1))
    assert len(calls) == MAX_KEPT + 4
