"""The summary of a comparison: medians over the turns, and their ratios to this project's and to the baseline's."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median
from typing import TypedDict

from benchmarks.peers.serving.baseline import DECODE_AND_RUN
from benchmarks.peers.serving.server_observations import Loop, Start, Step, StepBaseline
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
# What is compared; the rest describes the conditions.
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
PER_SERVER = ("memory_mb", "ready_seconds", "first_prediction_seconds")  # the same under every load
PER_STEP = tuple(name for name in COMPARED if name not in PER_SERVER)  # with the machine's speed


class Row(TypedDict):
    """One server under one load: medians over its turns.

    `errors` is their number in all turns. `ratio_to_ours` and `ratio_to_baseline` are ratios to our figures and to the
    baseline's, whose kind of loop is `baseline`. Figures that depend on the machine's speed are compared by their
    ratios to the baseline of their own steps. `ratio_to_baseline_interval` is the 95 % interval of throughput's
    (`statistics.METHOD`). A ratio is None where a figure is missing, an interval where there is a single turn.
    """

    server: str
    clients: int
    turns: int
    errors: int
    figures: Figures
    ratio_to_ours: Figures
    baseline: str | None
    ratio_to_baseline: Figures
    ratio_to_baseline_interval: list[float] | None


class About(TypedDict):
    """A server in one setting."""

    peer: str
    workers: int
    versions: dict[str, str]


class LoopRow(TypedDict):
    """The medians of one kind of bare loop."""

    name: str
    part: str
    figures: Figures


class Section(TypedDict):
    """The servers in a result: settings, every observation, and what was made of them."""

    settings: Mapping[str, object]
    servers: dict[str, About]
    loops: list[Mapping[str, object]]
    starts: list[Mapping[str, object]]
    steps: list[Mapping[str, object]]
    step_baselines: list[Mapping[str, object]]
    failures: list[Mapping[str, object]]
    baselines: list[LoopRow]
    summary: list[Row]


def sum_up(
    steps: Sequence[Step], starts: Sequence[Start], loops: Sequence[Loop], baselines: Sequence[StepBaseline]
) -> list[Row]:
    """One row for each server under each load, in the order in which they were first observed."""
    pairs = dict.fromkeys((step.server, step.clients) for step in steps)
    figures = {pair: _figures_of(*pair, steps, starts) for pair in pairs}
    by_turn = {pair: _relative_steps(*pair, steps, baselines) for pair in pairs}
    relative = {pair: {name: _median(turn[name] for turn in by_turn[pair]) for name in PER_STEP} for pair in pairs}
    rows: list[Row] = []
    for pair in pairs:
        server, clients = pair
        ours = {**figures.get((OURS, clients), {}), **relative.get((OURS, clients), {})}
        baseline = _fastest_baseline(clients, baselines)
        per_server = loop_figures(baseline, DECODE_AND_RUN, loops) if baseline else {}
        # A bare loop cannot say how long a request among many clients waits at least.
        per_step = {
            name: None if clients > 1 and name in LATENCIES else value for name, value in relative[pair].items()
        }
        turns = [step for step in steps if (step.server, step.clients) == pair]
        rows.append(
            {
                "server": server,
                "clients": clients,
                "turns": len(turns),
                "errors": sum(sum(step.errors.values()) for step in turns),
                "figures": figures[pair],
                "ratio_to_ours": ratios({**figures[pair], **relative[pair]}, ours),
                "baseline": baseline,
                "ratio_to_baseline": {
                    **ratios(figures[pair], {name: per_server.get(name) for name in PER_SERVER}),
                    **per_step,
                },
                "ratio_to_baseline_interval": _interval(turn["requests_per_second"] for turn in by_turn[pair]),
            }
        )
    return rows


def relative(step: Step, baselines: Sequence[StepBaseline]) -> Figures:
    """A step's figures relative to its own baseline: throughput and CPU time as ratios, latencies as the number of
    predictions that the baseline makes in that time.

    Args:
        step: one server under one load.
        baselines: before and after this step, all of one kind.
    """
    if not baselines:
        return dict.fromkeys(PER_STEP)
    rate = _rate(baselines)
    cpu_seconds = sum(each.cpu_seconds for each in baselines) / sum(each.predictions for each in baselines)
    p50, p99, cpu = step.percentile_ms(50), step.percentile_ms(99), step.cpu_seconds_per_request
    return {
        "requests_per_second": step.requests_per_second / rate,
        "p50_ms": None if p50 is None else p50 * rate / 1000,
        "p99_ms": None if p99 is None else p99 * rate / 1000,
        "cpu_seconds_per_request": None if cpu is None else cpu / cpu_seconds,
    }


def _relative_steps(
    server: str, clients: int, steps: Iterable[Step], baselines: Sequence[StepBaseline]
) -> list[Figures]:
    """Each step of a server under a load, relative to its own baseline."""
    kind = _fastest_baseline(clients, baselines)
    return [
        relative(step, [each for each in baselines if each.name == kind and _is_of(each, step)])
        for step in steps
        if (step.server, step.clients) == (server, clients)
    ]


def _is_of(baseline: StepBaseline, step: Step) -> bool:
    return (baseline.server, baseline.turn, baseline.clients) == (step.server, step.turn, step.clients)


def _fastest_baseline(clients: int, baselines: Iterable[StepBaseline]) -> str | None:
    """The kind of loop that was fastest over all steps with this number of clients."""
    kinds: dict[str, list[StepBaseline]] = {}
    for each in baselines:
        if each.clients == clients:
            kinds.setdefault(each.name, []).append(each)
    return max(kinds, key=lambda name: _rate(kinds[name])) if kinds else None


def _rate(baselines: Sequence[StepBaseline]) -> float:
    """Predictions/s."""
    return sum(each.predictions for each in baselines) / sum(each.seconds for each in baselines)


def loop_figures(name: str, part: str, loops: Iterable[Loop]) -> Figures:
    """The medians of one kind of loop."""
    mine = [loop for loop in loops if (loop.name, loop.part) == (name, part)]
    return {figure: _median(measure(loop) for loop in mine) for figure, measure in OF_A_LOOP.items()}


def ratios(mine: Figures, others: Figures) -> Figures:
    """The ratios of the compared figures to the others."""
    pairs = {name: (mine.get(name), others.get(name)) for name in COMPARED}
    return {name: a / b if a is not None and b else None for name, (a, b) in pairs.items()}


def _figures_of(server: str, clients: int, steps: Iterable[Step], starts: Iterable[Start]) -> Figures:
    every = [step for step in steps if step.server == server]
    mine = [step for step in every if step.clients == clients]
    begun = [start for start in starts if start.server == server]
    peaks = {step.turn: max(each.memory_mb for each in every if each.turn == step.turn) for step in every}
    return {
        **{name: _median(measure(step) for step in mine) for name, measure in OF_A_STEP.items()},
        "memory_mb": _median(peaks.values()),  # of a whole turn: memory is seldom returned to the system
        **{name: _median(measure(start) for start in begun) for name, measure in OF_A_START.items()},
    }


def _interval(values: Iterable[float | None]) -> list[float] | None:
    """The interval of the median of the known values."""
    summary = summarize([value for value in values if value is not None], seed=SEED)
    if summary is None or summary["median"]["low"] is None or summary["median"]["high"] is None:
        return None
    return [summary["median"]["low"], summary["median"]["high"]]


def _median(values: Iterable[float | None]) -> float | None:
    """The median of the known values."""
    known = [value for value in values if value is not None]
    return median(known) if known else None
