"""Lines of a bill: tiers, what is free, discounts; and what makes a variant impossible."""

import numpy as np
import pytest

from crossover.cost.bill import Bill, Line, Problem, line
from tests.crossover.cost.by_hand import price

TIERED = price("tiered", [(0, 3.0), (100, 2.0), (150, 1.0)])


@pytest.mark.parametrize(
    ("quantity", "usd"),
    [
        (0, 0),
        (40, 40 * 3),
        (100, 100 * 3),
        (101, 100 * 3 + 1 * 2),
        (150, 100 * 3 + 50 * 2),
        (1000, 100 * 3 + 50 * 2 + 850 * 1),
    ],
)
def test_each_tier_is_charged_at_its_own_price(quantity: float, usd: float) -> None:
    assert line("x", quantity, TIERED).usd == pytest.approx(usd)


def test_the_free_tier_is_subtracted_before_the_first_tier() -> None:
    quantity = np.array([10.0, 20.0, 60.0, 140.0])
    free = line("x", quantity, TIERED, free=20)
    assert free.usd == pytest.approx([0, 0, 40 * 3, 100 * 3 + 20 * 2])
    assert free.quantity == pytest.approx(quantity)  # what is used is shown, paid or not


def test_a_discount_is_taken_off_all_tiers() -> None:
    assert line("x", 150, TIERED, discount=0.25).usd == pytest.approx(0.75 * (100 * 3 + 50 * 2))
    assert line("x", 150, TIERED, free=50, discount=np.array([0.0, 0.5, 1.0])).usd == pytest.approx([300, 150, 0])


def one(usd: object) -> Line:
    return Line(name="x", quantity=1.0, price=TIERED, usd=usd)  # type: ignore[arg-type]


def test_a_bill_is_the_sum_of_its_lines() -> None:
    assert Bill(lines=()).usd == 0
    bill = Bill(lines=(one(1.5), one(np.array([1.0, 2.0])), one(np.array([0.25, 0.0]))))
    assert bill.usd == pytest.approx([2.75, 3.5])


def test_a_fatal_problem_makes_a_variant_infinitely_expensive_in_its_scenarios_only() -> None:
    usd = np.array([1.0, 2.0, 3.0])
    problems = (
        Problem(text="First.", where=np.array([True, False, False])),
        Problem(text="Only to be known.", where=np.array([True, True, True]), fatal=False),
        Problem(text="Third.", where=np.array([False, False, True])),
        Problem(text="Nowhere.", where=False),
    )
    bill = Bill(lines=(one(usd),), problems=problems)
    assert np.asarray(bill.is_possible).tolist() == [False, True, False]
    assert np.asarray(bill.comparable).tolist() == [np.inf, 2.0, np.inf]
    assert np.asarray(bill.usd).tolist() == [1.0, 2.0, 3.0]  # the sum itself stays


def test_a_problem_is_fatal_and_everywhere_unless_it_says_otherwise() -> None:
    bill = Bill(lines=(one(np.array([1.0, 2.0])),), problems=(Problem(text="No."),))
    assert not bill.is_possible
    assert np.asarray(bill.comparable).tolist() == [np.inf, np.inf]
    assert Bill(lines=(one(1.0),)).comparable == 1.0
