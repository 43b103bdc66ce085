"""The cost of a benchmark on AWS: estimated before it begins, and counted while it runs.

Prices are those of the cost model. Reading the tables, CloudWatch's metrics and storing the files meanwhile are left
out: they cost too little to matter.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

from crossover.bench.run.contents import CONTENTS
from crossover.bench.run.context import Control
from crossover.bench.run.deployment import Deployment
from crossover.bench.run.files import File
from crossover.bench.run.observation import Observation, Outcome
from crossover.bench.run.plan import Phase, Plan
from crossover.cost.kinds import scenario_of
from crossover.cost.prices import Prices

MIN_CACHED_SECONDS = 3 * 3600.0  # docs.aws.amazon.com/lambda/latest/dg/snapstart.html, "SnapStart pricing"
DEFAULT_INSTANCE_TYPE = "ml.t2.medium"  # where the account does not report the type
# Guesses, s: how long a forced cold start takes, and the joining at the end.
FORCING_SECONDS, FORCING_SNAPSHOT_SECONDS, JOINING_SECONDS = 10.0, 120.0, 120.0


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of an estimate: what is paid for, its quantity, and USD."""

    name: str
    quantity: str
    usd: float


class Tariff:
    """The cost of single operations of one variant, USD.

    Args:
        deployment: of the variant.
        prices: of the region.
    """

    def __init__(self, deployment: Deployment, prices: Prices) -> None:
        self.deployment = deployment
        self.gb = deployment.memory_mb / 1024
        self._prices = prices
        # An endpoint's instance predicts about as fast as a function of the default memory size; its proxy only waits.
        usual = scenario_of(deployment.variant.input_kind)
        is_proxy = bool(deployment.variant.endpoint)
        self._usual = usual if is_proxy else replace(usual, memory_mb=float(deployment.memory_mb))

    def _usd(self, name: str) -> float:
        return self._prices[name].value

    def invocation(self, billed_ms: float, *, restored: bool) -> float:
        """One attempt of the function."""
        usd = self._usd("lambda.request") + self.gb * billed_ms / 1000 * self._usd("lambda.gb_second")
        return usd + (self.gb * self._usd("lambda.snapstart.restore_gb") if restored else 0.0)

    def upload(self) -> float:
        """A request's cost without its function: object written and read, item written and deleted, log.

        With a results bucket, each result is counted as if it were written there.
        """
        log_gb = float(self._usual.log_kb) / 1024**2
        return (
            (2 if self.deployment.variant.results_bucket else 1) * self._usd("s3.put")
            + self._usd("s3.get")
            + 2 * self._usd("dynamodb.write_unit")
            + log_gb * self._usd("logs.ingest_gb")
        )

    def snapshot(self) -> float:
        """A published version with SnapStart: INIT, and the minimum time that is billed."""
        cached = MIN_CACHED_SECONDS * self._usd("lambda.snapstart.cache_gb_second")
        return self.gb * (cached + float(self._usual.init_seconds) * self._usd("lambda.gb_second"))

    def version(self) -> float:
        """A version published to force a cold start."""
        return self.snapshot() if self.deployment.is_snapshot else 0.0

    def endpoint(self, seconds: float) -> float:
        """The instances of the endpoint for this time."""
        if not self.deployment.variant.endpoint:
            return 0.0
        instance_type = self.deployment.instance_type or DEFAULT_INSTANCE_TYPE
        return (self.deployment.instances or 1) * seconds / 3600 * self._usd(f"sagemaker.host.{instance_type}")

    def guessed_ms(self, file: File, *, cold: bool) -> float:
        """A guess of the billed duration, from the cost model's defaults and the file's facts."""
        usual = replace(self._usual, cpu_seconds=CONTENTS[file.kind].cpu_seconds(file.facts))
        seconds = float(usual.warm())
        added = float(usual.restore_seconds if self.deployment.is_snapshot else usual.init_seconds) if cold else 0.0
        return 1000 * (seconds + added)

    def observation(self, observation: Observation, file: File) -> float:
        """The cost of a request: by its REPORT lines, else by the item's timings, else guessed."""
        if observation.outcome is Outcome.NOT_UPLOADED:
            return 0.0
        cold = observation.is_cold
        restored = cold and self.deployment.is_snapshot
        if observation.reports:
            attempts = sum(
                self.invocation(report.billed_ms, restored=report.restore_ms is not None)
                for report in observation.reports
            )
            return attempts + self.upload()
        guessed = self.guessed_ms(file, cold=cold)
        total = observation.item.get("timings_ms", {}).get("total")
        if total is not None:
            added = guessed - self.guessed_ms(file, cold=False)
            guessed = total + added
        return self.invocation(guessed, restored=restored) + self.upload()


def duration_seconds(plan: Plan, deployments: Sequence[Deployment]) -> float:
    """How long a benchmark may take: the load of each variant, one after the other, and the forcing of cold starts."""
    if plan.is_open_loop:
        load = plan.load[-1].slot.offset or 0.0
    else:
        load = sum(1.0 / (planned.slot.concurrency or 1) for planned in plan.load)
    forcing = sum(FORCING_SNAPSHOT_SECONDS if deployment.is_snapshot else FORCING_SECONDS for deployment in deployments)
    idle = plan.idle_seconds if any(deployment.variant.endpoint for deployment in deployments) else 0.0
    return len(deployments) * load + len(plan.cold) * (forcing + idle) + JOINING_SECONDS


def estimate(plan: Plan, deployments: Sequence[Deployment], prices: Prices) -> list[Line]:
    """What a benchmark may cost, line by line."""
    lines = []
    seconds = duration_seconds(plan, deployments)
    requests = [(planned, plan.files[planned.file]) for planned in (*plan.load, *plan.cold)]
    for deployment in deployments:
        tariff, name = Tariff(deployment, prices), deployment.variant.name
        functions = sum(
            tariff.invocation(
                tariff.guessed_ms(file, cold=planned.phase is Phase.COLD),
                restored=deployment.is_snapshot and planned.phase is Phase.COLD,
            )
            for planned, file in requests
        )
        lines.append(Line(name=f"{name}: function", quantity=f"{len(requests):,} invocations", usd=functions))
        services = len(requests) * tariff.upload()
        lines.append(Line(name=f"{name}: S3, DynamoDB, logs", quantity=f"{len(requests):,} requests", usd=services))
        if plan.cold and deployment.is_snapshot:
            snapshots = len(plan.cold) * tariff.snapshot()
            lines.append(Line(name=f"{name}: snapshots", quantity=f"{len(plan.cold):,} for 3 h", usd=snapshots))
        if deployment.variant.endpoint:
            instance_type = deployment.instance_type or f"{DEFAULT_INSTANCE_TYPE}, assumed"
            quantity = f"{seconds / 3600:.2f} h of {instance_type}"
            lines.append(Line(name=f"{name}: endpoint", quantity=quantity, usd=tariff.endpoint(seconds)))
    return lines


class Meter:
    """Counts what is spent, and stops the benchmark at the limit. Thread-safe.

    Args:
        max_usd: the limit.
        control: what is stopped.

    Attributes:
        usd: spent so far.
    """

    def __init__(self, max_usd: float, control: Control) -> None:
        self.max_usd = max_usd
        self._control = control
        self.usd = 0.0
        self._by_key: dict[object, float] = {}
        self._lock = threading.Lock()

    def set(self, key: object, usd: float) -> None:
        """Count a cost, replacing what was counted under the same key."""
        with self._lock:
            self.usd += usd - self._by_key.get(key, 0.0)
            self._by_key[key] = usd
        if self.usd >= self.max_usd:
            self._control.stop(f"It stopped because {self.usd:.4g} USD were spent; the limit is {self.max_usd:g} USD.")

    def allows(self, usd: float) -> bool:
        """Whether this much more may be spent at once; if not, the benchmark stops."""
        if self.usd + usd <= self.max_usd:
            return True
        self._control.stop(
            f"It stopped because {self.usd:.4g} USD were spent, and {usd:.4g} USD more would be over the limit of "
            f"{self.max_usd:g} USD."
        )
        return False
