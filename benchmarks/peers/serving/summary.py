"""The sum-up of a comparison: medians over the turns, and what each is of this project's and of the limit's."""

from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import Any

from benchmarks.peers.serving.limit import DECODE_AND_RUN
from benchmarks.peers.serving.observations import Loop, Pace, Start, Step
from benchmarks.peers.serving.servers import OURS
from crossover.bench.statistics import summarize

Figures = dict[str, float | None]

# What is measured of a step, each a number or None.
OF_A_STEP: dict[str, Callable[[Step], float | None]] = {
    "requests_per_second": lambda step: step.requests_per_second,
    "p50_ms": lambda step: step.percentile_ms(50),
    "p99_ms": lambda step: step.percentile_ms(99),
    "cpu_seconds_per_request": lambda step: step.cpu_seconds_per_request,
    "wrk_cpu_share": lambda step: step.wrk_cpu_seconds / step.seconds,
    "other_cpu_share": lambda step: step.other_cpu_share,
}
OF_A_START: dict[str, Callable[[Start], float | None]] = {
    "ready_seconds": lambda start: start.ready_seconds,
    "first_prediction_seconds": lambda start: start.first_prediction_seconds,
}
OF_A_LOOP: dict[str, Callable[[Loop], float | None]] = {
    "requests_per_second": lambda loop: loop.per_second,
    "p50_ms": lambda loop: loop.percentile_ms(50),
    "p99_ms": lambda loop: loop.percentile_ms(99),
    "cpu_seconds_per_request": lambda loop: loop.cpu_seconds_per_prediction,
    "memory_mb": lambda loop: loop.memory_mb,
    "first_prediction_seconds": lambda loop: loop.first_prediction_seconds,
}
# What is compared; the rest tells under which circumstances.
COMPARED = (
    "requests_per_second",
    "p50_ms",
    "p99_ms",
    "cpu_seconds_per_request",
    "memory_mb",
    "ready_seconds",
    "first_prediction_seconds",
)

SEED = 1  # of the bootstrap
LATENCIES = ("p50_ms", "p99_ms")
STANDING = ("memory_mb", "ready_seconds", "first_prediction_seconds")  # the same under every load
MOVING = tuple(name for name in COMPARED if name not in STANDING)  # with the machine's speed


def sum_up(
    steps: Sequence[Step], starts: Sequence[Start], loops: Sequence[Loop], paces: Sequence[Pace]
) -> list[dict[str, Any]]:
    """One row for each server under each load, in the order in which they were first observed.

    Each row has `server`, `clients`, `turns`, `errors` (their number in all turns), `figures`, and the figures as
    ratios: `to_ours`, and `to_limit` with the name of the `limit`. Where a figure hangs on the machine's speed, it is
    compared by what it was of the limit beside its own step. `to_limit_between` has the 95 % interval of throughput's
    (`statistics.METHOD`). A ratio is None where one side is missing, an interval where there is a single turn.
    """
    pairs = dict.fromkeys((step.server, step.clients) for step in steps)
    figures = {pair: _figures_of(*pair, steps, starts) for pair in pairs}
    beside = {pair: _beside_limit(*pair, steps, paces) for pair in pairs}
    relative = {pair: {name: _median(each[name] for each in beside[pair]) for name in MOVING} for pair in pairs}
    rows = []
    for server, clients in pairs:
        mine = [step for step in steps if (step.server, step.clients) == (server, clients)]
        ours = {**figures.get((OURS, clients), {}), **relative.get((OURS, clients), {})}
        limit = _limit_of(clients, paces)
        standing = loop_figures(limit, DECODE_AND_RUN, loops) if limit else {}
        rows.append(
            {
                "server": server,
                "clients": clients,
                "turns": len(mine),
                "errors": sum(sum(step.errors.values()) for step in mine),
                "figures": figures[server, clients],
                "to_ours": ratios({**figures[server, clients], **relative[server, clients]}, ours),
                "limit": limit,
                "to_limit": {
                    **ratios(figures[server, clients], {name: standing.get(name) for name in STANDING}),
                    # A bare loop does not tell how long a request of a crowd waits at least.
                    **{
                        name: None if clients > 1 and name in LATENCIES else value
                        for name, value in relative[server, clients].items()
                    },
                },
                "to_limit_between": _interval(each["requests_per_second"] for each in beside[server, clients]),
            }
        )
    return rows


def relative(step: Step, paces: Sequence[Pace]) -> Figures:
    """What a step made of the limit beside it: throughput and processor time as parts of the limit's, latencies in
    predictions that the limit makes in that time.

    Args:
        paces: of the limit, before and after this step.
    """
    if not paces:
        return dict.fromkeys(MOVING)
    rate = _rate(paces)
    cpu_seconds = sum(pace.cpu_seconds for pace in paces) / sum(pace.predictions for pace in paces)
    p50, p99, each = step.percentile_ms(50), step.percentile_ms(99), step.cpu_seconds_per_request
    return {
        "requests_per_second": step.requests_per_second / rate,
        "p50_ms": None if p50 is None else p50 * rate / 1000,
        "p99_ms": None if p99 is None else p99 * rate / 1000,
        "cpu_seconds_per_request": None if each is None else each / cpu_seconds,
    }


def _beside_limit(server: str, clients: int, steps: Iterable[Step], paces: Sequence[Pace]) -> list[Figures]:
    """What each step made of the limit beside it."""
    limit = _limit_of(clients, paces)
    return [
        relative(
            step,
            [pace for pace in paces if (pace.server, pace.turn, pace.clients, pace.name) == (*_of(step), limit)],
        )
        for step in steps
        if (step.server, step.clients) == (server, clients)
    ]


def _of(step: Step) -> tuple[str, int, int]:
    """Which step it is."""
    return step.server, step.turn, step.clients


def _limit_of(clients: int, paces: Iterable[Pace]) -> str | None:
    """The kind of loop that was fastest beside all steps of so many clients."""
    kinds: dict[str, list[Pace]] = {}
    for pace in paces:
        if pace.clients == clients:
            kinds.setdefault(pace.name, []).append(pace)
    return max(kinds, key=lambda name: _rate(kinds[name])) if kinds else None


def _rate(paces: Sequence[Pace]) -> float:
    """Predictions a second."""
    return sum(pace.predictions for pace in paces) / sum(pace.seconds for pace in paces)


def loop_figures(name: str, part: str, loops: Iterable[Loop]) -> Figures:
    """The medians of one kind of loop."""
    mine = [loop for loop in loops if (loop.name, loop.part) == (name, part)]
    return {figure: _median(measure(loop) for loop in mine) for figure, measure in OF_A_LOOP.items()}


def ratios(mine: Figures, others: Figures) -> Figures:
    """What each of the compared figures is of the other side's."""
    pairs = {name: (mine.get(name), others.get(name)) for name in COMPARED}
    return {name: a / b if a is not None and b else None for name, (a, b) in pairs.items()}


def _figures_of(server: str, clients: int, steps: Iterable[Step], starts: Iterable[Start]) -> Figures:
    every = [step for step in steps if step.server == server]
    mine = [step for step in every if step.clients == clients]
    begun = [start for start in starts if start.server == server]
    peaks = {step.turn: max(each.memory_mb for each in every if each.turn == step.turn) for step in every}
    return {
        **{name: _median(measure(step) for step in mine) for name, measure in OF_A_STEP.items()},
        "memory_mb": _median(peaks.values()),  # of a whole turn: memory that was taken is seldom given back
        **{name: _median(measure(start) for start in begun) for name, measure in OF_A_START.items()},
    }


def _interval(values: Iterable[float | None]) -> list[float] | None:
    """Of the median of those that are there."""
    summary = summarize([value for value in values if value is not None], seed=SEED)
    if summary is None or summary.median.low is None or summary.median.high is None:
        return None
    return [summary.median.low, summary.median.high]


def _median(values: Iterable[float | None]) -> float | None:
    """Of those that are there."""
    known = [value for value in values if value is not None]
    return median(known) if known else None
