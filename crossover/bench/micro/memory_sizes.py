"""The cost and speed of each memory size: its share of vCPUs as a quota, billed durations, and prices.

Lambda gives a function one vCPU for each 1,769 MB (cost.scenario.MB_PER_VCPU). It is reported to let INIT run faster
than that up to 3 GB (bitesizedserverless.com/bite/lambda-cold-start-bootstrap): here INIT has the same quota, so the
small sizes may start slower than there. Lambda is reported to show a function two processors up to 3,008 MB and three
up to 5,307 MB (github.com/rwnx/lambda-cpuinfo), whatever its share of them; the handler takes as many threads as it
sees processors. Hence the sweep over threads.
"""

import math
from collections.abc import Sequence
from statistics import fmean, median

from crossover.bench.cgroup import within_quota
from crossover.bench.micro.document import Choice, Row, RowKey
from crossover.bench.micro.workbench import Process
from crossover.cost.prices import Prices
from crossover.cost.scenario import MB_PER_VCPU, Scenario
from crossover.cost.variants.common import function_lines

MILLION = 1e6
NEAR_FASTEST = 1.05  # times the fastest median


def vcpus_of(memory_mb: int) -> float:
    """Lambda's share of vCPUs at a memory size."""
    return memory_mb / MB_PER_VCPU


def derived_ms(wall_ms: float, cpu_ms: float, vcpus: float) -> float:
    """How long something would take with a share of vCPUs, from how long it took without a quota.

    max(t, max(0, t - c) + c / s), with the wall time t, the CPU time of all threads c and the share s. It assumes
    that waiting, t - c, takes the same time, that work takes c / s with any number of threads, and that nothing becomes
    faster. A real quota slows down work that fits into one period less than that.
    """
    return max(wall_ms, max(0.0, wall_ms - cpu_ms) + cpu_ms / vcpus)


def row(memory_mb: int, processes: Sequence[Process], prices: Prices, *, processors: int) -> Row:
    """A memory size, from processes that ran with its quota, or without one where none can be set.

    Args:
        processes: at least one, all with the same number of threads, each with a warm call.
        prices: of the region.
        processors: of this machine.
    """
    vcpus = vcpus_of(memory_mb)
    throttlings = [process.throttling for process in processes if process.throttling]
    is_derived = not throttlings

    def duration(wall_ms: float, cpu_ms: float) -> float:
        return round(derived_ms(wall_ms, cpu_ms, vcpus), 3) if is_derived else wall_ms

    init = [duration(process.cold.init_ms, process.cold.init_cpu_ms) for process in processes]
    first = [duration(process.cold.first_call_ms, process.cold.first_call_cpu_ms) for process in processes]
    warm = [duration(call.total_ms, call.cpu_ms) for process in processes for call in process.warm]
    cold = [a + b for a, b in zip(init, first, strict=True)]
    billed = {"warm": fmean(map(billed_ms, warm)), "cold": fmean(map(billed_ms, cold))}
    periods = sum(each.periods for each in throttlings)
    return {
        "memory_mb": memory_mb,
        "vcpus": round(vcpus, 3),
        "threads": processes[0].threads,
        "derived": is_derived,
        "capped": vcpus > processors,
        "quota_held": None if is_derived else all(_held(process, min(vcpus, processors)) for process in processes),
        "throttled_share": round(sum(each.throttled_periods for each in throttlings) / periods, 3) if periods else None,
        "init_ms": init,
        "first_call_ms": first,
        "warm_ms": warm,
        "median_ms": {"init": median(init), "first_call": median(first), "warm": median(warm)},
        "billed_ms": {name: round(value, 3) for name, value in billed.items()},
        "gb_seconds": {name: round(value / 1000 * memory_mb / 1024, 6) for name, value in billed.items()},
        "usd_per_million": {
            name: round(usd_per_million(memory_mb, value, prices), 4) for name, value in billed.items()
        },
    }


def billed_ms(duration_ms: float) -> int:
    """A duration as Lambda bills it: rounded up to a whole millisecond. That of a cold start includes INIT."""
    return math.ceil(duration_ms)


def usd_per_million(memory_mb: int, mean_billed_ms: float, prices: Prices) -> float:
    """A million requests of this mean billed duration, in the first tier of the prices, requests included, USD."""
    lines = function_lines(
        Scenario(billing_ms=0.0),  # the mean is of rounded durations
        prices,
        requests=MILLION,
        memory_mb=memory_mb,
        warm_seconds=mean_billed_ms / 1000,
        init_seconds=0.0,
        cold_share=0.0,
    )
    return float(sum(each.usd for each in lines))


def choose(rows: Sequence[Row]) -> Choice:
    """The cheapest and the fastest of some rows; among equals the smaller and the earlier one."""

    def usd(row: Row) -> tuple[float, int]:
        return row["usd_per_million"]["warm"], row["memory_mb"]

    def key(row: Row) -> RowKey:
        return {"memory_mb": row["memory_mb"], "threads": row["threads"]}

    fastest = min(rows, key=lambda row: (row["median_ms"]["warm"], *usd(row)))
    enough = NEAR_FASTEST * fastest["median_ms"]["warm"]
    return {
        "cheapest": key(min(rows, key=usd)),
        "fastest": key(fastest),
        "cheapest_near_fastest": key(min((row for row in rows if row["median_ms"]["warm"] <= enough), key=usd)),
    }


def _held(process: Process, vcpus: float) -> bool:
    """Of the cold start, during which the process hardly waits."""
    cpu_ms = process.cold.init_cpu_ms + process.cold.first_call_cpu_ms
    return within_quota(vcpus, cpu_seconds=cpu_ms / 1000, wall_seconds=process.cold.total_ms / 1000)
