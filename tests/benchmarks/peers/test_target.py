"""How a target is printed."""

import pytest

from benchmarks.peers.target import Target


@pytest.mark.parametrize(("value", "holds"), [(0.94, False), (0.95, True), (None, False)])
def test_at_least(value: float | None, holds: bool) -> None:
    assert Target.at_least("throughput", value, 0.95).holds is holds


@pytest.mark.parametrize(("value", "holds"), [(1.2, True), (1.21, False), (None, False)])
def test_at_most(value: float | None, holds: bool) -> None:
    assert Target.at_most("p99 of p50", value, 1.2).holds is holds


def test_it_reads_as_a_sentence_with_its_interval_where_there_is_one() -> None:
    sure = Target.at_least("throughput", 0.9561, 0.95, (0.941, 0.972))
    assert str(sure) == "throughput: 0.96 (95 %: 0.94 to 0.97), at least 0.95: holds."
    assert str(Target.at_most("cold start", 0.4, 0.36)) == "cold start: 0.40, at most 0.36: missed."
    assert str(Target.at_most("cold start", None, 0.36)) == "cold start: not measured, at most 0.36: missed."
