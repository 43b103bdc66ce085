"""Numbers as the page shows them."""

import pytest

from crossover.cost.numbers import number, significant, usd


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
def test_a_number_has_three_digits_and_never_less_than_the_whole(value: float, shown: str) -> None:
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
