"""The cold share of batches and traces, as the command line names them."""

from pathlib import Path

import pytest

from crossover.cost import traffic
from crossover.cost.scenario import MINUTES_PER_MONTH, SECONDS_PER_MONTH, Scenario
from crossover.errors import UsageError

SCENARIO = Scenario(warm_seconds=0.1, idle_seconds=300.0)


def test_a_batch_after_a_long_pause_is_all_cold() -> None:
    batch = traffic.parse("batches:50:600", SCENARIO)
    assert batch.share is not None
    assert (batch.share.low, batch.share.high) == (1.0, 1.0)
    assert batch.requests == pytest.approx(50 / 600 * SECONDS_PER_MONTH)


def test_the_same_batch_spread_over_ten_minutes_is_all_warm() -> None:
    # One every 11.8 s: a single environment never rests for long. The very first request is left out.
    batch = traffic.parse("batches:50:600:590", SCENARIO)
    assert batch.share is not None and batch.share.high == 0.0


def test_batches_before_the_environments_are_gone_find_them_all() -> None:
    batch = traffic.parse("batches:50:200", SCENARIO)
    assert batch.share is not None and batch.share.high == 0.0


def test_a_trace_gives_share_and_volume(tmp_path: Path) -> None:
    trace = tmp_path / "trace.txt"
    trace.write_text("0\n10\n20\n1000\n")  # cold at 0 and at 1000
    played = traffic.parse(f"trace:{trace}", SCENARIO)
    assert played.share is not None
    assert played.share.low == played.share.high == 0.5
    assert played.requests == pytest.approx(3 / 1000 * SECONDS_PER_MONTH)


def test_poisson_arrivals_need_no_simulation() -> None:
    assert traffic.parse("poisson", SCENARIO).share is None


def test_the_exact_bracket_is_left_out_where_it_would_take_long() -> None:
    assert traffic.exact(SCENARIO) is not None
    assert traffic.exact(Scenario(requests=1e6 * MINUTES_PER_MONTH)) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bursts", "The arrivals are 'bursts'; they must be poisson, batches:"),
        ("poisson:3", "The arrivals are 'poisson:3'"),
        ("batches:10", "The arrivals are 'batches:10'"),
        ("batches:a:b", "The arrivals are 'batches:a:b'"),
        ("trace:", "The arrivals are 'trace:'"),
        ("batches:10:60:60", "there must be 1 to 1,000 at a time, spread over less than the interval"),
        ("batches:0:60", "there must be 1 to 1,000"),
        ("batches:5:nan", "there must be 1 to 1,000"),
        ("trace:gone.txt", "The trace gone.txt cannot be read"),
    ],
)
def test_an_invalid_value_is_one_sentence(text: str, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        traffic.parse(text, SCENARIO)
    assert message in str(refused.value)


def test_a_trace_with_a_single_time_has_no_rate(tmp_path: Path) -> None:
    trace = tmp_path / "trace.txt"
    trace.write_text("5\n5\n")
    with pytest.raises(UsageError, match="holds a single time"):
        traffic.parse(f"trace:{trace}", SCENARIO)
