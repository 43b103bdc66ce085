"""The cost of a benchmark on AWS: estimated before it begins, and counted while it runs.

Prices are those of the cost model. Reading the tables, CloudWatch's metrics and storing the files meanwhile are left
out: they cost too little to matter.
"""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from crossover.bench.run.contents import CONTENTS
from crossover.bench.run.context import Control
from crossover.bench.run.deployment import Deployment
from crossover.bench.run.files import File
from crossover.bench.run.observation import Observation, Outcome
from crossover.bench.run.plan import Phase, Plan
from crossover.bench.run.report_lines import Report
from crossover.cost.architectures import price_for
from crossover.cost.kinds import scenario_of
from crossover.cost.prices import Prices
from crossover.cost.scenario import HOURS_PER_MONTH, MB_PER_GB

MIN_CACHED_SECONDS = 3 * 3600.0  # docs.aws.amazon.com/lambda/latest/dg/snapstart.html, "SnapStart pricing"
DEFAULT_INSTANCE_TYPE = "ml.t2.medium"  # where the account does not report the type
# Guesses, s: how long a forced cold start takes, and the joining at the end.
FORCING_SECONDS, FORCING_SNAPSHOT_SECONDS, JOINING_SECONDS, ALLOCATING_SECONDS = 10.0, 120.0, 120.0, 120.0


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
        return self._prices[price_for(self.deployment.architecture, name)].value

    def invocation(self, billed_ms: float, *, cold: bool) -> float:
        """One attempt of the function."""
        is_ready = self.deployment.provisioned and not cold
        per_second = self._usd(f"lambda.{'provisioned.duration_' if is_ready else ''}gb_second")
        usd = self._usd("lambda.request") + self.gb * billed_ms / 1000 * per_second
        if cold and self.deployment.is_snapshot:
            usd += self.gb * self._usd("lambda.snapstart.restore_gb")
        if cold and self.deployment.has_file_system:
            usd += self._model_gb * self._usd("efs.read_gb")
        return usd

    def attempt(self, report: Report) -> float:
        """One attempt of the function, by its REPORT line."""
        return self.invocation(report.billed_ms, cold=report.init_ms is not None or report.restore_ms is not None)

    def upload(self) -> float:
        """A request's cost without its function: object written and read, item written and deleted, log.

        With a results bucket, each result is counted as if it were written there; with an upload queue its message is
        sent, received and deleted.
        """
        log_gb = float(self._usual.log_kb) / 1024**2
        return (
            (2 if self.deployment.variant.results_bucket else 1) * self._usd("s3.put")
            + self._usd("s3.get")
            + 2 * self._usd("dynamodb.write_unit")
            + log_gb * self._usd("logs.ingest_gb")
            + (3 * self._usd("sqs.request") if self.deployment.variant.upload_queue else 0.0)
        )

    def snapshot(self) -> float:
        """A published version with SnapStart: INIT, and the minimum time that is billed."""
        cached = MIN_CACHED_SECONDS * self._usd("lambda.snapstart.cache_gb_second")
        return self.gb * (cached + float(self._usual.init_seconds) * self._usd("lambda.gb_second"))

    def version(self) -> float:
        """A version published to force a cold start."""
        return self.snapshot() if self.deployment.is_snapshot else 0.0

    def idle(self, seconds: float) -> float:
        """What is billed by the hour for this time, whether or not there are requests."""
        return sum(line.usd for line in self.idle_lines(seconds))

    def idle_lines(self, seconds: float) -> Iterator[Line]:
        """What is billed by the hour, for this time."""
        hours, each = seconds / 3600, self.deployment
        span = f"{hours:.2f} h"
        if each.variant.endpoint:
            instance_type = each.instance_type or DEFAULT_INSTANCE_TYPE
            usd = (each.instances or 1) * hours * self._usd(f"sagemaker.host.{instance_type}")
            assumed = "" if each.instance_type else ", assumed"
            yield Line(name="endpoint", quantity=f"{span} of {instance_type}{assumed}", usd=usd)
        if each.provisioned:
            usd = each.provisioned * self.gb * seconds * self._usd("lambda.provisioned.gb_second")
            yield Line(name="kept ready", quantity=f"{each.provisioned:,} for {span}", usd=usd)
        if each.is_snapshot:
            usd = self.gb * seconds * self._usd("lambda.snapstart.cache_gb_second")
            yield Line(name="SnapStart cache", quantity=f"{span} of {self.gb:g} GB", usd=usd)
        if each.has_file_system:
            usd = self._model_gb * hours / HOURS_PER_MONTH * self._usd("efs.storage_gb_month")
            yield Line(name="EFS", quantity=f"{span}, for the usual model", usd=usd)
        if each.is_image:
            usd = float(self._usual.image_gb) * hours / HOURS_PER_MONTH * self._usd("ecr.gb_month")
            yield Line(name="image in ECR", quantity=f"{span}, assumed {self._usual.image_gb:g} GB", usd=usd)

    @property
    def _model_gb(self) -> float:
        return float(self._usual.model_mb) / MB_PER_GB

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
        if observation.reports:
            return sum(map(self.attempt, observation.reports)) + self.upload()
        guessed = self.guessed_ms(file, cold=cold)
        total = observation.item.get("timings_ms", {}).get("total")
        if total is not None:
            added = guessed - self.guessed_ms(file, cold=False)
            guessed = total + added
        return self.invocation(guessed, cold=cold) + self.upload()


def duration_seconds(plan: Plan, deployments: Sequence[Deployment]) -> float:
    """How long a benchmark may take: the load of each variant, one after the other, and the forcing of cold starts."""
    if plan.is_open_loop:
        load = plan.load[-1].slot.offset or 0.0
    else:
        load = sum(1.0 / (planned.slot.concurrency or 1) for planned in plan.load)
    forcing = sum(FORCING_SNAPSHOT_SECONDS if deployment.is_snapshot else FORCING_SECONDS for deployment in deployments)
    idle = plan.idle_seconds if any(deployment.variant.endpoint for deployment in deployments) else 0.0
    allocating = ALLOCATING_SECONDS if plan.cold and any(each.provisioned for each in deployments) else 0.0
    return len(deployments) * load + len(plan.cold) * (forcing + idle) + allocating + JOINING_SECONDS


def estimate(plan: Plan, deployments: Sequence[Deployment], prices: Prices) -> list[Line]:
    """What a benchmark may cost, line by line."""
    lines = []
    seconds = duration_seconds(plan, deployments)
    requests = [(planned, plan.files[planned.file]) for planned in (*plan.load, *plan.cold)]
    for deployment in deployments:
        tariff, name = Tariff(deployment, prices), deployment.variant.name
        functions = sum(
            tariff.invocation(tariff.guessed_ms(file, cold=cold), cold=cold)
            for planned, file in requests
            for cold in [planned.phase is Phase.COLD]
        )
        lines.append(Line(name=f"{name}: function", quantity=f"{len(requests):,} invocations", usd=functions))
        services = len(requests) * tariff.upload()
        lines.append(Line(name=f"{name}: S3, DynamoDB, logs", quantity=f"{len(requests):,} requests", usd=services))
        if plan.cold and deployment.is_snapshot:
            snapshots = len(plan.cold) * tariff.snapshot()
            lines.append(Line(name=f"{name}: snapshots", quantity=f"{len(plan.cold):,} for 3 h", usd=snapshots))
        lines += [replace(line, name=f"{name}: {line.name}") for line in tariff.idle_lines(seconds)]
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
