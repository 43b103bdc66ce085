"""Arrivals: seeded, in batches, and from a file."""

import time
from pathlib import Path

import pytest

from crossover.cost import arrivals
from crossover.errors import UsageError


def test_random_arrivals_are_the_same_for_the_same_seed_and_have_the_rate() -> None:
    times = arrivals.poisson(2.0, 20_000, seed=7)
    assert times == arrivals.poisson(2.0, 20_000, seed=7) != arrivals.poisson(2.0, 20_000, seed=8)
    assert times == sorted(times)
    assert 20_000 / times[-1] == pytest.approx(2.0, rel=0.03)


def test_a_trace_takes_seconds_and_dates_in_any_order(tmp_path: Path) -> None:
    trace = tmp_path / "trace.txt"
    trace.write_text("# when\n1763629201.5\n\n2025-11-20T09:00:00Z\n2025-11-20T10:00:02+01:00\n2025-11-20T09:00:04\n")
    assert arrivals.read_trace(trace) == [0.0, 1.5, 2.0, 4.0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"1\nnoon\n", "line 2 of .* is 'noon'"),
        (b"nan\n", "line 1 of .* is 'nan'; it must be a finite number"),
        (b"# nothing\n", "holds no time"),
        (b"\xff\xfe", "cannot be read as text"),
    ],
)
def test_refuses_a_file_that_is_not_a_trace(tmp_path: Path, content: bytes, said: str) -> None:
    trace = tmp_path / "trace.txt"
    trace.write_bytes(content)
    with pytest.raises(UsageError, match=said):
        arrivals.read_trace(trace)


def test_names_a_missing_trace(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gone\.txt cannot be read"):
        arrivals.read_trace(tmp_path / "gone.txt")


def test_a_batch_is_spread_evenly() -> None:
    assert arrivals.batches(2, 100, 2) == [0.0, 0.0, 100.0, 100.0]
    assert arrivals.batches(3, 100, 2, spread_seconds=30) == [0.0, 10.0, 20.0, 100.0, 110.0, 120.0]


def test_a_date_without_a_zone_is_in_utc_wherever_the_machine_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        trace = tmp_path / "trace.txt"
        trace.write_text("2025-11-20T09:00:00\n2025-11-20T09:00:01Z\n")
        assert arrivals.read_trace(trace) == [0.0, 1.0]
    finally:
        monkeypatch.undo()
        time.tzset()
