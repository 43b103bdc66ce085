"""Processes that were never started, with figures that are easy to check by hand."""

from crossover.bench.cgroup import Throttling
from crossover.bench.micro.workbench import COLD_PHASES, WARM_PHASES, ColdStart, Process, WarmCall


def cold_start(*, init_ms: float = 300.0, first_ms: float = 20.0, cpu_share: float = 1.0) -> ColdStart:
    """INIT in the first phase, the first call in its own; processor time is that share of each."""
    phases = dict.fromkeys(COLD_PHASES, 0.0) | {"interpreter": init_ms, "first run": first_ms}
    return ColdStart(
        total_ms=init_ms + first_ms,
        phases_ms=phases,
        fetch_begin_ms=100.0,
        fetch_end_ms=150.0,
        init_ms=init_ms,
        init_cpu_ms=init_ms * cpu_share,
        first_call_ms=first_ms,
        first_call_cpu_ms=first_ms * cpu_share,
        handler_ms={"total": first_ms},
    )


def process(
    *,
    threads: int = 1,
    init_ms: float = 300.0,
    first_ms: float = 20.0,
    warm_ms: tuple[float, ...] = (10.0, 12.0, 17.0),
    cpu_share: float = 1.0,
    throttled_periods: int | None = None,
) -> Process:
    """All of a warm call is inference; without throttled periods it had no quota, else it ran in ten."""
    warm = tuple(
        WarmCall(
            total_ms=each,
            cpu_ms=each * cpu_share,
            phases_ms=dict.fromkeys(WARM_PHASES, 0.0) | {"inference": each},
        )
        for each in warm_ms
    )
    return Process(
        threads=threads,
        cold=cold_start(init_ms=init_ms, first_ms=first_ms, cpu_share=cpu_share),
        warm=warm,
        throttling=None
        if throttled_periods is None
        else Throttling(periods=10, throttled_periods=throttled_periods, throttled_seconds=0.1),
    )
