"""The result of `crossover bench micro`, as it is in its JSON."""

from dataclasses import dataclass
from statistics import median
from typing import TypedDict

from crossover.bench.machine import Machine


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One measurement and its baseline.

    Attributes:
        name: what was measured.
        unit: of the observations.
        observed: one figure per run.
        baseline_name, baseline: what it is compared with, measured in the same run; empty for an absolute max_allowed.
        max_allowed: the largest ratio that is allowed, or without a baseline the largest median; None for no limit.
    """

    name: str
    unit: str
    observed: list[float]
    baseline_name: str
    baseline: list[float]
    max_allowed: float | None

    @property
    def result(self) -> float:
        """The ratio of the medians, or without a baseline the median."""
        return median(self.observed) / (median(self.baseline) if self.baseline else 1.0)

    @property
    def holds(self) -> bool:
        return self.max_allowed is None or self.result <= self.max_allowed

    def to_json(self) -> "MeasurementJson":
        """The measurement in a result."""
        return {
            "name": self.name,
            "unit": self.unit,
            "observed": self.observed,
            "baseline_name": self.baseline_name,
            "baseline": self.baseline,
            "max_allowed": self.max_allowed,
            "result": round(self.result, 4),
            "holds": self.holds,
        }


class MeasurementJson(TypedDict):
    """See Measurement."""

    name: str
    unit: str
    observed: list[float]
    baseline_name: str
    baseline: list[float]
    max_allowed: float | None
    result: float
    holds: bool


class Settings(TypedDict):
    """The options, the model and its file, and which quota was set, or why none was.

    A result from before there were kinds of input has the file as `audio`, and neither `input_kind` nor `model`.
    """

    calls: int
    processes: int
    memory_mb: list[int]
    threads: list[int]
    input_kind: str
    model: str
    file: str
    quota: str
    no_quota_reason: str
    quota_period_ms: float


class ColdStartJson(TypedDict):
    """A cold start; see workbench.ColdStart."""

    total_ms: float
    phases_ms: dict[str, float]
    fetch_begin_ms: float
    fetch_end_ms: float
    init_ms: float
    init_cpu_ms: float
    first_call_ms: float
    first_call_cpu_ms: float
    handler_ms: dict[str, float]


class WarmCallsJson(TypedDict):
    """The warm calls of a process, one list per figure; see workbench.WarmCall."""

    total_ms: list[float]
    cpu_ms: list[float]
    phases_ms: dict[str, list[float]]


class ThrottlingJson(TypedDict):
    """See cgroup.Throttling."""

    periods: int
    throttled_periods: int
    throttled_seconds: float


class ProcessJson(TypedDict):
    """See workbench.Process."""

    threads: int
    cold: ColdStartJson
    warm: WarmCallsJson
    throttling: ThrottlingJson | None


class ObservationJson(ProcessJson):
    """A process, and the quota and threads that it was given; None for no quota, and for the handler's own choice."""

    memory_mb: int | None
    threads_set: int | None


class ColdMedians(TypedDict):
    """`background` is what runs in the background of the phases."""

    total: float
    init: float
    first_call: float
    phases: dict[str, float]
    background: dict[str, float]


class ColdSummary(TypedDict):
    n: int
    threads: int
    median_ms: ColdMedians


class WarmMedians(TypedDict):
    total: float
    cpu: float
    phases: dict[str, float]


class WarmSummary(TypedDict):
    n: int
    threads: int
    median_ms: WarmMedians
    cpu_seconds: dict[str, float]


class Row(TypedDict):
    """One memory size with one number of threads.

    `derived`: there was no quota, and the durations are computed, see memory_sizes.derived_ms. `capped`: the share of
    vCPUs exceeds this machine's processors, which were all that it had. `quota_held`: whether every process kept to its
    quota; `throttled_share`: the share of the periods, among those in which something ran, whose quota was used up;
    both are None without a quota. `init_ms` and `first_call_ms` hold one value per process, `warm_ms` one per warm
    call; `median_ms` has their medians, named init, first_call and warm. `billed_ms` has the means of the billed
    durations, warm and cold: each is rounded up to a whole ms, INIT included. `gb_seconds` and `usd_per_million` are
    those of a request and of a million requests, all warm or all cold, the price of a request included.
    """

    memory_mb: int
    vcpus: float
    threads: int
    derived: bool
    capped: bool
    quota_held: bool | None
    throttled_share: float | None
    init_ms: list[float]
    first_call_ms: list[float]
    warm_ms: list[float]
    median_ms: dict[str, float]
    billed_ms: dict[str, float]
    gb_seconds: dict[str, float]
    usd_per_million: dict[str, float]


class RowKey(TypedDict):
    """Identifies a row."""

    memory_mb: int
    threads: int


class Choice(TypedDict):
    """The rows worth knowing, by their warm calls.

    `cheapest` costs least, `fastest` has the lowest median; `cheapest_near_fastest` costs least of those with a median
    at most 5 % above the fastest one's.
    """

    cheapest: RowKey
    fastest: RowKey
    cheapest_near_fastest: RowKey


class Sweep(Choice):
    """The memory sizes, and the region and dates of the prices."""

    region: str
    price_dates: dict[str, str]
    rows: list[Row]


class Document(TypedDict):
    """The whole result; `scenario` has what is an input of the cost model."""

    schema: int
    kind: str
    measured_at: str
    machine: Machine
    settings: Settings
    measurements: list[MeasurementJson]
    cold: ColdSummary
    warm: WarmSummary
    sweep: Sweep
    scenario: dict[str, float]
    observations: list[ObservationJson]
