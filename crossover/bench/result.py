"""The result file of `crossover bench run`: one JSON document with every observation, and their statistics."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Literal, NamedTuple, NotRequired, TypedDict, cast, get_args

from crossover import documents
from crossover.bench import statistics
from crossover.bench.run.deployment import DeploymentJson
from crossover.bench.run.endpoint_metrics import EndpointMetrics
from crossover.bench.run.observation import Observation, ObservationJson, Outcome
from crossover.bench.run.plan import Phase, PlanJson
from crossover.bench.run.report_lines import Report
from crossover.bench.statistics import Summary
from crossover.cost.variants import VARIANTS, Measurement
from crossover.errors import UsageError

SCHEMA = 2
KIND = "crossover bench run"
MB = 1e6  # as the cost model counts files

Measure = Callable[[Observation], float | None]


def _reported(name: str) -> Measure:
    """A field of the first REPORT line."""
    return lambda each: getattr(each.reports[0], name) if each.reports else None


# What is measured of a request that succeeded, each a number or None.
MEASURES: dict[str, Measure] = {
    "latency_ms": lambda each: each.latency_ms,
    "upload_ms": lambda each: each.upload_ms,
    "item_ms": lambda each: each.item_ms,
    "handler_ms": lambda each: each.item["timings_ms"].get("total"),
    "inference_ms": lambda each: each.item["timings_ms"].get("inference"),
    "duration_ms": _reported("duration_ms"),
    "billed_ms": lambda each: each.billed_ms,
    "init_ms": _reported("init_ms"),
    "restore_ms": _reported("restore_ms"),
    "billed_restore_ms": _reported("billed_restore_ms"),
    "max_memory_mb": _reported("max_memory_mb"),
}


class ByStart(TypedDict):
    """A measure's statistics: of warm requests, of cold ones, and of both at the load's cold share."""

    warm: Summary | None
    cold: Summary | None
    together: Summary | None


class UsdByStart(TypedDict):
    """USD per million requests: warm, cold, and both at the load's cold share."""

    warm: float | None
    cold: float | None
    together: float | None


Start = Literal["warm", "cold", "together"]
STARTS: tuple[Start, ...] = get_args(Start)


class LoadCounts(TypedDict):
    """Requests of the load that succeeded, and how many of them were cold; no share where none succeeded."""

    succeeded: int
    cold: int
    cold_share: float | None


class ForcedCounts(TypedDict):
    """Requests that were forced to be cold, and how many of them were."""

    sent: int
    cold: int


class Step(TypedDict):
    """One concurrency of a closed loop, in one segment: requests, requests/s and latency."""

    concurrency: int
    segment: int
    requests: int
    per_second: float | None
    latency_ms: Summary


class VariantCounts(TypedDict):
    """The statistics of one variant, without prices."""

    observations: int
    outcomes: dict[str, int]
    without_report: int
    retried_invocations: int
    retried_uploads: int
    load: LoadCounts
    cold_share_of: str
    forced: ForcedCounts
    measures: dict[str, ByStart]
    by_file: dict[str, Summary]
    throughput: list[Step]


class VariantStatistics(VariantCounts):
    """The statistics of one variant; earlier versions wrote `endpoint_usd_per_hour` for `idle_usd_per_hour`."""

    function_usd_per_million: UsdByStart
    idle_usd_per_hour: float | None


def idle_usd_per_hour(figures: VariantStatistics) -> float | None:
    """What a variant costs an hour, idle or not, USD; None for nothing.

    Raises:
        KeyError: neither the field nor its earlier name is there.
    """
    found = cast(Mapping[str, float | None], figures)
    return found["idle_usd_per_hour" if "idle_usd_per_hour" in found else "endpoint_usd_per_hour"]


class Statistics(TypedDict):
    """The statistics of all variants, and how their intervals were made."""

    method: str
    seed: int
    discarded: int
    variants: dict[str, VariantStatistics]


class Environment(TypedDict):
    """Where the benchmark ran, and on what; `aws_clock_ahead_s` are the bounds of the clocks' difference."""

    crossover: str
    python: str
    boto3: str
    system: str
    region: str
    aws_clock_ahead_s: list[float] | None
    model_sha256: list[str]
    variants: dict[str, DeploymentJson]


class PricesUsed(TypedDict):
    """The region and dates of the prices, and which of them are unconfirmed."""

    region: str
    dates: list[str]
    unconfirmed: list[str]


class Document(TypedDict):
    """The whole result. `stopped` says why it ended early; `left_behind` what could not be removed or put back;
    `scenario_from` which variant measured a field of `scenario` (earlier versions did not write it).
    """

    schema: int
    kind: str
    rehearsal: bool
    started: str
    ended: str
    segments: list[str]
    stopped: str | None
    environment: Environment
    prices: PricesUsed
    spent_usd: float
    left_behind: list[str]
    seed: int
    plan: PlanJson
    statistics: Statistics
    scenario: dict[str, float]
    scenario_from: NotRequired[dict[str, str]]
    endpoint_metrics: dict[str, EndpointMetrics | None]
    observations: list[ObservationJson]


def read(path: Path) -> Document:
    """A result, as it was written; only its schema and kind are checked.

    Raises:
        UsageError: the file cannot be read, or is not such a result.
    """
    document: Document = documents.read(path)
    if not isinstance(document, dict) or (document.get("schema"), document.get("kind")) != (SCHEMA, KIND):
        raise UsageError(f"{path} is not a result of `{KIND}` of schema {SCHEMA}.")
    return document


def observations_of(document: Document) -> list[Observation]:
    """The observations of a result.

    Raises:
        KeyError, TypeError, ValueError: the document does not hold observations.
    """
    return [Observation.from_json(values) for values in document["observations"]]


def sum_up(observations: Iterable[Observation], *, is_open_loop: bool, seed: int) -> VariantCounts:
    """The statistics of one variant: warm, cold, and together at the cold share of the load.

    Forced cold starts show how long a cold start takes, not how often one occurs. Requests that failed are counted,
    and have no latency.
    """
    every = list(observations)
    good = [each for each in every if each.succeeded]
    load = [each for each in good if each.phase is Phase.LOAD]
    warm, cold = [each for each in good if not each.is_cold], [each for each in good if each.is_cold]
    share = fmean(each.is_cold for each in load) if load else None
    counts = Counter(each.outcome for each in every)
    return {
        "observations": len(every),
        "outcomes": {outcome.value: counts[outcome] for outcome in Outcome},
        "without_report": sum(not each.reports for each in every if each.outcome is not Outcome.NOT_UPLOADED),
        "retried_invocations": sum(len(each.reports) > 1 for each in every),
        "retried_uploads": sum(each.upload_retries > 0 for each in every),
        "load": {"succeeded": len(load), "cold": sum(each.is_cold for each in load), "cold_share": share},
        "cold_share_of": "open loop" if is_open_loop else "closed loop",
        "forced": {
            "sent": sum(each.phase is Phase.COLD for each in every),
            "cold": sum(each.phase is Phase.COLD for each in cold),
        },
        "measures": {
            name: _by_start(_numbers(warm, measure), _numbers(cold, measure), share, seed)
            for name, measure in MEASURES.items()
        },
        "by_file": _by_file(warm, seed),
        "throughput": [] if is_open_loop else _throughput(load, seed),
    }


def usd_per_million(
    observations: Iterable[Observation], attempt_usd: Callable[[Report], float], share: float | None
) -> UsdByStart:
    """The function's cost of a million requests, from its billed durations: warm, cold, and both at a cold share.

    Args:
        observations: of one variant.
        attempt_usd: the cost of an attempt, from its REPORT line.
        share: of cold requests.
    """

    def mean(each: list[Observation]) -> float | None:
        costs = [sum(map(attempt_usd, one.reports)) for one in each if one.reports]
        return 1e6 * fmean(costs) if costs else None

    good = [each for each in observations if each.succeeded]
    warm, cold = mean([each for each in good if not each.is_cold]), mean([each for each in good if each.is_cold])
    both = None
    if share is not None and not (warm is None and share < 1) and not (cold is None and share > 0):
        both = (1 - share) * (warm or 0.0) + share * (cold or 0.0)
    return {"warm": warm, "cold": cold, "together": both}


class Measurements(NamedTuple):
    """Fields of a scenario as they were measured, and which variant measured each; files have no variant."""

    values: dict[str, float]
    variants: dict[str, str]


def scenario(
    observations: Sequence[Observation],
    *,
    memory_mb: Mapping[str, int],
    file_bytes: Mapping[str, int],
    is_open_loop: bool,
) -> Measurements:
    """What was measured, as fields of cost.scenario.Scenario; what was not is left out.

    Means of billed durations go with billing_ms 0: they are rounded already. What several variants measure is that of
    the first in the registry, where `standard` is before all others.

    Args:
        observations: of all variants.
        memory_mb: of each variant's function.
        file_bytes: sizes of the files by their names.
        is_open_loop: only then does the cold share apply to other traffic.
    """

    def seconds(variant: str, *, cold: bool, measure: str) -> float | None:
        chosen = [each for each in observations if each.variant == variant and each.succeeded and each.is_cold == cold]
        values = _numbers(chosen, MEASURES[measure])
        return round(fmean(values) / 1000, 6) if values else None

    def value(variant: str, measurement: Measurement) -> float | None:
        match measurement:
            case Measurement.WARM_BILLED_SECONDS:
                return seconds(variant, cold=False, measure="billed_ms")
            case Measurement.COLD_INIT_SECONDS:
                return seconds(variant, cold=True, measure="init_ms")
            case Measurement.COLD_BILLED_RESTORE_SECONDS:
                return seconds(variant, cold=True, measure="billed_restore_ms")
            case Measurement.MEMORY_MB:
                return float(memory_mb[variant]) if variant in memory_mb else None
            case Measurement.COLD_SHARE:
                load = [each for each in observations if each.variant == variant and each.succeeded]
                load = [each for each in load if each.phase is Phase.LOAD]
                return fmean(each.is_cold for each in load) if load and is_open_loop else None

    found: dict[str, float] = {}
    variants: dict[str, str] = {}
    is_rounded = False
    for name in (name for name in VARIANTS if name in memory_mb):
        for measurement, scenario_field in VARIANTS[name].measured.items():
            measured = value(name, measurement)
            if measured is None or scenario_field in found:
                continue
            found[scenario_field] = measured
            variants[scenario_field] = name
            is_rounded |= measurement is Measurement.WARM_BILLED_SECONDS
    sizes = [file_bytes[each.file] for each in observations if each.phase is Phase.LOAD]
    if sizes:
        found["file_mb"] = round(fmean(sizes) / MB, 6)
    if is_rounded:
        found["billing_ms"] = 0.0
    return Measurements(found, variants)


def _numbers(observations: Iterable[Observation], measure: Measure) -> list[float]:
    return [value for each in observations if (value := measure(each)) is not None]


def _by_start(warm: list[float], cold: list[float], share: float | None, seed: int) -> ByStart:
    return {
        "warm": statistics.summarize(warm, seed=seed),
        "cold": statistics.summarize(cold, seed=seed),
        "together": None if share is None else statistics.together(warm, cold, share, seed=seed),
    }


def _by_file(warm: Iterable[Observation], seed: int) -> dict[str, Summary]:
    """From the upload to the item, ms, of warm requests, by file."""
    times: dict[str, list[float]] = {}
    for each in warm:
        times.setdefault(each.file, []).append(each.item_ms)
    summaries = {name: statistics.summarize(values, seed=seed) for name, values in sorted(times.items())}
    return {name: summary for name, summary in summaries.items() if summary}


def _throughput(load: Sequence[Observation], seed: int) -> list[Step]:
    """Requests/s at each concurrency of a closed loop."""
    steps: dict[tuple[int, int], list[Observation]] = {}
    for each in load:
        steps.setdefault((each.concurrency or 0, each.segment), []).append(each)
    rows: list[Step] = []
    for (concurrency, segment), step in sorted(steps.items()):
        # By AWS's clocks the item was there this long after the upload.
        ends = [(each.uploaded_s or 0.0) + each.item_ms / 1000 for each in step]
        latency = statistics.summarize([each.latency_ms for each in step], seed=seed)
        assert latency  # a step has at least one request
        rows.append(
            {
                "concurrency": concurrency,
                "segment": segment,
                "requests": len(step),
                "per_second": statistics.throughput(ends, min(each.sent_s for each in step)),
                "latency_ms": latency,
            }
        )
    return rows
