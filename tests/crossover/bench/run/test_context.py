"""How far AWS's clock is ahead of this machine's."""

import math

import pytest

from crossover.bench.run.context import clock_offset


def test_the_clock_offset_is_unknown_without_answers() -> None:
    assert clock_offset([]) == (-math.inf, math.inf)


def test_one_answer_bounds_the_clock_offset() -> None:
    assert clock_offset([(100.25, 100.5, 105.0)]) == (4.5, 5.75)


def test_more_answers_narrow_the_clock_offset() -> None:
    """Clocks 5.2 s apart: the Dates are cut to the second."""
    answers = [(at, at + 0.1, math.floor(at + 0.05 + 5.2)) for at in (100.0, 100.3, 100.55, 100.77, 101.9)]
    low, high = clock_offset(answers)
    assert low < 5.2 < high
    assert high - low == pytest.approx(0.2, abs=0.16)
