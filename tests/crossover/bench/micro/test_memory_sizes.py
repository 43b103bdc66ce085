"""What a memory size costs, from processes whose figures are made up."""

import pytest

from crossover.bench.micro import memory_sizes
from crossover.bench.micro.document import Row, RowKey
from crossover.cost.prices import load
from tests.crossover.bench.micro.example_process import process

PRICES = load("us-east-1")
GB_SECOND, REQUEST = PRICES["lambda.gb_second"].value, PRICES["lambda.request"].value


@pytest.mark.parametrize(
    ("wall", "cpu", "vcpus", "expected"),
    [
        (10.0, 10.0, 1.0, 10.0),  # nothing but work on a whole vCPU
        (10.0, 10.0, 0.5, 20.0),
        (10.0, 6.0, 0.5, 4.0 + 12.0),  # waiting stays
        (10.0, 15.0, 0.5, 30.0),  # two threads' work on half a vCPU
        (10.0, 15.0, 1.5, 10.0),
        (10.0, 15.0, 2.0, 10.0),  # no faster than it was
        (10.0, 2.0, 4.0, 10.0),
    ],
)
def test_a_derived_duration_scales_the_work_but_not_the_waiting(
    wall: float, cpu: float, vcpus: float, expected: float
) -> None:
    assert memory_sizes.derived_ms(wall, cpu, vcpus) == pytest.approx(expected)


@pytest.mark.parametrize(("duration", "billed"), [(10.0, 10), (10.001, 11), (0.2, 1)])
def test_durations_are_billed_up_to_the_next_ms(duration: float, billed: int) -> None:
    assert memory_sizes.billed_ms(duration) == billed


def test_a_million_requests_cost_their_gb_seconds_and_the_requests() -> None:
    assert memory_sizes.usd_per_million(2048, 50.0, PRICES) == pytest.approx(1e6 * (2 * 0.05 * GB_SECOND + REQUEST))


def test_a_row_under_a_quota_keeps_the_durations_and_adds_up_the_bill() -> None:
    ran = [
        process(init_ms=300.5, first_ms=20.2, warm_ms=(10.2, 12.0), throttled_periods=4, cpu_share=0.5),
        process(init_ms=310.0, first_ms=21.0, warm_ms=(17.0, 19.5), throttled_periods=9, cpu_share=0.5),
        process(init_ms=350.0, first_ms=30.0, warm_ms=(11.0, 13.0), throttled_periods=2, cpu_share=0.5),
    ]
    row = memory_sizes.row(1024, ran, PRICES, processors=2)
    assert (row["memory_mb"], row["threads"]) == (1024, 1)
    assert row["vcpus"] == pytest.approx(1024 / 1769, abs=1e-3)
    assert not row["derived"] and not row["capped"]
    assert row["quota_held"] is True
    assert row["throttled_share"] == 0.5
    assert row["init_ms"] == [300.5, 310.0, 350.0]
    assert row["first_call_ms"] == [20.2, 21.0, 30.0]
    assert row["warm_ms"] == [10.2, 12.0, 17.0, 19.5, 11.0, 13.0]
    assert row["median_ms"] == {"init": 310.0, "first_call": 21.0, "warm": 12.5}
    assert row["billed_ms"]["warm"] == pytest.approx((11 + 12 + 17 + 20 + 11 + 13) / 6)
    assert row["billed_ms"]["cold"] == pytest.approx((321 + 331 + 380) / 3)  # INIT and first call, rounded once
    assert row["gb_seconds"] == {"warm": 0.014, "cold": 0.344}
    assert row["usd_per_million"]["warm"] == pytest.approx(1e6 * (0.014 * GB_SECOND + REQUEST), abs=1e-4)
    assert row["usd_per_million"]["cold"] == pytest.approx(1e6 * (0.344 * GB_SECOND + REQUEST), abs=1e-4)


def test_a_row_without_a_quota_is_derived_and_says_so() -> None:
    row = memory_sizes.row(512, [process(init_ms=100.0, first_ms=10.0, warm_ms=(10.0,))], PRICES, processors=2)
    factor = 1769 / 512
    assert row["derived"]
    assert row["quota_held"] is None
    assert row["throttled_share"] is None
    assert row["init_ms"] == [pytest.approx(100 * factor, abs=1e-3)]
    assert row["first_call_ms"] == [pytest.approx(10 * factor, abs=1e-3)]
    assert row["warm_ms"] == [pytest.approx(10 * factor, abs=1e-3)]


def test_a_share_beyond_the_machine_is_capped() -> None:
    assert memory_sizes.row(4096, [process(throttled_periods=0)], PRICES, processors=2)["capped"]
    assert not memory_sizes.row(3538, [process(throttled_periods=0)], PRICES, processors=2)["capped"]
    assert not memory_sizes.row(4096, [process(throttled_periods=0)], PRICES, processors=3)["capped"]


def test_a_quota_exceeded_by_one_process_is_detected() -> None:
    within = process(init_ms=500.0, cpu_share=0.25, throttled_periods=5)
    beyond = process(init_ms=500.0, cpu_share=0.5, throttled_periods=5)
    assert memory_sizes.row(512, [within, within], PRICES, processors=2)["quota_held"] is True
    assert memory_sizes.row(512, [within, beyond], PRICES, processors=2)["quota_held"] is False


def row(memory_mb: int, threads: int, warm_ms: float, init_ms: float = 300.0) -> Row:
    ran = process(threads=threads, init_ms=init_ms, warm_ms=(warm_ms,), cpu_share=0.1, throttled_periods=0)
    return memory_sizes.row(memory_mb, [ran], PRICES, processors=2)


def key(row: Row) -> RowKey:
    return {"memory_mb": row["memory_mb"], "threads": row["threads"]}


def test_chooses_the_cheapest_the_fastest_and_the_cheapest_near_the_fastest() -> None:
    # Cold starts, however dear, do not count.
    small, middle, large = row(512, 1, 60.0, init_ms=9000.0), row(1769, 1, 21.0), row(4096, 2, 20.5)
    choice = memory_sizes.choose([large, middle, small])
    assert choice == {"cheapest": key(small), "fastest": key(large), "cheapest_near_fastest": key(middle)}
    assert choice["cheapest_near_fastest"] == {"memory_mb": 1769, "threads": 1}
    assert memory_sizes.choose([large, row(1769, 1, 21.6), small])["cheapest_near_fastest"] == key(large)


def test_among_equals_the_smaller_one_is_chosen() -> None:
    small, large = row(1769, 1, 20.0), row(4096, 2, 20.0)
    assert memory_sizes.choose([large, small])["fastest"] == key(small)
