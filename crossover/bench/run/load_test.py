"""The load test: load, cold starts, joining with the logs, cleaning up, result."""

import contextlib
import math
import platform
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from botocore.exceptions import BotoCoreError, ClientError

from crossover import aws, interrupts
from crossover.bench import result, statistics
from crossover.bench.run import cleaning, endpoint_metrics, report_lines
from crossover.bench.run.cold import ColdStarts, Overflow, cold_starts
from crossover.bench.run.context import Control, RunContext, clock_offset
from crossover.bench.run.deployment import Deployment
from crossover.bench.run.endpoint_metrics import EndpointMetrics
from crossover.bench.run.journal import Journal
from crossover.bench.run.load import Threads, closed_loop, open_loop
from crossover.bench.run.observation import Observation, Outcome
from crossover.bench.run.plan import Phase, Plan, Planned
from crossover.bench.run.requesting import Requester
from crossover.bench.run.spend import Meter, Tariff
from crossover.deployed import Variant

JOIN_INTERVAL_SECONDS = 3.0
PAID_FOR = ("lambda.", "efs.", "ecr.", "s3.", "sqs.", "dynamodb.", "logs.")


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A load test that is complete, or that was stopped when its budget was spent.

    Attributes:
        document: the result.
        left_behind: what could not be removed or put back, each as a sentence.
    """

    document: result.Document
    left_behind: list[str]


class LoadTest:
    """One load test, new or resumed.

    Args:
        plan: what is sent.
        deployments: the variants, in the plan's order.
        journal: holds the observations that are complete already.
        context: what it runs with.
        max_usd: it stops once this much is spent.
        timeout_seconds: longest wait for an item.
        log_wait_seconds: longest wait for REPORT lines and metrics after the last request.
    """

    def __init__(
        self,
        plan: Plan,
        deployments: Sequence[Deployment],
        journal: Journal,
        context: RunContext,
        *,
        max_usd: float,
        timeout_seconds: float,
        log_wait_seconds: float,
    ) -> None:
        self.plan = plan
        self.deployments = deployments
        self.journal = journal
        self.context = context
        self.log_wait_seconds = log_wait_seconds
        self.control = Control()
        self.meter = Meter(max_usd, self.control)
        self.prefix = f"{plan.key_prefix}bench-{journal.run_id}/"
        self.tariffs = {each.variant.name: Tariff(each, context.prices) for each in deployments}
        self.files = {file.name: file for file in plan.files}
        self.requester = Requester(
            context.clients,
            plan.files,
            prefix=self.prefix,
            segment=len(journal.segments) - 1,
            clock=context.clock,
            control=self.control,
            timeout_seconds=timeout_seconds,
        )
        self._versions_made = 0
        self._count_earlier()

    def run(self) -> Finished:
        """Measure, clean up, compute the statistics. An early end, too, first removes what the test has made.

        Raises:
            CrossoverError: a cold start could not be forced.
            botocore.exceptions.BotoCoreError, ClientError: AWS did not answer a request that the test depends on.
        """
        left_behind: list[str] = []
        forced = {
            each.variant.name: cold_starts(
                self.context.clients,
                each.variant,
                run_id=self.journal.run_id,
                clock=self.context.clock,
                provisioned=each.provisioned,
            )
            for each in self.deployments
        }
        with self._cleaning(forced, left_behind):
            if self.plan.cold:
                for each in forced.values():
                    each.find_leftovers()
            for deployment in self.deployments:
                self._load(deployment)
            self._cold(forced)
            observations = self._join()
            metrics = self._metrics()
        allocations = {
            name: {"allocation_seconds": starts.allocation_seconds}
            for name, starts in forced.items()
            if isinstance(starts, Overflow) and starts.allocation_seconds is not None
        }
        document = self._document(observations, metrics, left_behind, allocations)
        return Finished(document=document, left_behind=left_behind)

    @property
    def _planned(self) -> int:
        """How many observations a complete test has."""
        return (len(self.plan.load) + len(self.plan.cold)) * len(self.deployments)

    def _load(self, deployment: Deployment) -> None:
        """One variant after the other: none shares the network, or this machine's processors, with another."""
        name = deployment.variant.name
        done = self._done(name, Phase.LOAD)
        left = [planned for planned in self.plan.load if planned.number not in done]
        if not left or self.control.stopping.is_set():
            return
        self.context.watcher.begin(f"{name}: load", len(self.plan.load), len(done))

        def send(planned: Planned, intended: float) -> None:
            self._keep(self.requester.perform(deployment.variant, planned, intended))

        loop = open_loop if self.plan.is_open_loop else closed_loop
        loop(left, send, began=self.requester.began, clock=self.context.clock, control=self.control)
        with contextlib.suppress(BotoCoreError, ClientError):  # for the cost so far; all is read again at the end
            self._with_reports()

    def _cold(self, forced: Mapping[str, ColdStarts]) -> None:
        """One after the other, in turns among the variants, so that network drift affects all of them alike."""
        if not self.plan.cold:
            return
        total = len(self.plan.cold) * len(self.deployments)
        done = {each.variant.name: self._done(each.variant.name, Phase.COLD) for each in self.deployments}
        self.context.watcher.begin("cold starts", total, sum(map(len, done.values())))
        last_sent: dict[str, float] = {}
        for planned in self.plan.cold:
            for deployment in self.deployments:
                name = deployment.variant.name
                if planned.number in done[name] or self.control.stopping.is_set():
                    continue
                if not self.meter.allows(self.tariffs[name].version()):
                    return
                self._force(deployment, forced[name])
                if deployment.variant.endpoint:
                    self._idle_since(last_sent.get(name, self.requester.began))
                with Threads(self.control) as threads:
                    threads.start(self._send_now, deployment, planned)
                last_sent[name] = self.context.clock.monotonic()

    def _send_now(self, deployment: Deployment, planned: Planned) -> None:
        intended = self.context.clock.monotonic() - self.requester.began
        self._keep(self.requester.perform(deployment.variant, planned, intended))

    def _force(self, deployment: Deployment, starts: ColdStarts) -> None:
        self._versions_made += 1
        name = deployment.variant.name
        # Counted before it is published: a version that cannot be used costs the same.
        self.meter.set(("version", name, self._versions_made), self.tariffs[name].version())
        starts.force()

    def _idle_since(self, moment: float) -> None:
        left = moment + self.plan.idle_seconds - self.context.clock.monotonic()
        if left > 0:
            self.context.clock.sleep(left)

    def _done(self, name: str, phase: Phase) -> set[int]:
        return {each.number for each in self.journal.observations if (each.variant, each.phase) == (name, phase)}

    def _keep(self, observation: Observation | None) -> None:
        if observation is None:
            return
        self.journal.add(observation)
        self._count(observation)
        self._count_idle()
        self.context.watcher.advance(self.meter.usd)

    def _count(self, observation: Observation) -> None:
        tariff = self.tariffs[observation.variant]
        self.meter.set(observation.key, tariff.observation(observation, self.files[observation.file]))

    def _count_earlier(self) -> None:
        """Count what was spent before the test was resumed."""
        seconds: dict[int, float] = {}
        for each in self.journal.observations:
            self._count(each)
            if each.phase is Phase.COLD:
                self.meter.set(("version", *each.key), self.tariffs[each.variant].version())
            seconds[each.segment] = max(seconds.get(each.segment, 0.0), each.sent_s)
        for segment, spent in seconds.items():
            for name, tariff in self.tariffs.items():
                self.meter.set(("idle", name, segment), tariff.idle(spent))

    def _count_idle(self) -> None:
        spent = self.context.clock.monotonic() - self.requester.began
        for name, tariff in self.tariffs.items():
            self.meter.set(("idle", name, self.requester.segment), tariff.idle(spent))

    def _with_reports(self) -> list[Observation]:
        """All observations, with the REPORT lines that can be read by now."""
        since = self._aws_time(self.journal.started)
        found: dict[str, tuple[report_lines.Report, ...]] = {}
        for log_group in {deployment.log_group for deployment in self.deployments}:
            found |= report_lines.fetch(self.context.clients, log_group, since=since)
        joined = [each.with_reports(found.get(each.request_id, ())) for each in list(self.journal.observations)]
        for observation in joined:
            self._count(observation)
        return joined

    def _join(self) -> list[Observation]:
        """Wait for the REPORT lines, which are some seconds late; an observation without one by then has none."""
        self.context.watcher.say("reading the logs")
        clock = self.context.clock
        deadline = clock.monotonic() + self.log_wait_seconds
        while True:
            try:
                joined = self._with_reports()
            except (BotoCoreError, ClientError) as error:  # the observations are worth keeping without them
                self.context.watcher.warn(f"There are no REPORT lines, because the logs cannot be read: {error}")
                return list(self.journal.observations)
            if all(each.reports for each in joined if each.request_id) or clock.monotonic() >= deadline:
                return joined
            clock.sleep(JOIN_INTERVAL_SECONDS)

    def _metrics(self) -> dict[str, EndpointMetrics | None]:
        """SageMaker's metrics of each endpoint, which are a minute or two late; None where there are none."""
        found: dict[str, EndpointMetrics | None] = {}
        for variant in (each.variant for each in self.deployments if each.variant.endpoint):
            self.context.watcher.say("reading the endpoint's metrics")
            try:
                found[variant.name] = self._metrics_of(variant)
            except (BotoCoreError, ClientError) as error:
                self.context.watcher.warn(f"The metrics of {variant.endpoint} cannot be read: {error}")
                found[variant.name] = None
        return found

    def _metrics_of(self, variant: Variant) -> EndpointMetrics | None:
        clock = self.context.clock
        deadline = clock.monotonic() + (0.0 if self.context.is_rehearsal else self.log_wait_seconds)
        begin, end = self._aws_time(self.journal.started), clock.wall()
        wanted = sum(each.variant == variant.name and each.succeeded for each in self.journal.observations)
        while True:
            metrics = endpoint_metrics.fetch(self.context.clients, variant.endpoint, begin=begin, end=end)
            if endpoint_metrics.count(metrics) >= wanted or clock.monotonic() >= deadline:
                return metrics
            clock.sleep(JOIN_INTERVAL_SECONDS)

    def _aws_time(self, moment: float) -> float:
        """The earliest time that AWS's clock may have shown at a time of this machine's clock, both in s since 1970."""
        low, _ = clock_offset(self.requester.answers)
        return moment + (low if math.isfinite(low) else 0.0) - aws.CLOCK_TOLERANCE.total_seconds()

    @contextlib.contextmanager
    def _cleaning(self, forced: Mapping[str, ColdStarts], left_behind: list[str]) -> Iterator[None]:
        """Put everything back and remove everything, however the block ends; signals wait for that."""
        try:
            yield
        finally:
            with interrupts.delayed():
                self.context.watcher.say("cleaning up")
                for each in forced.values():
                    left_behind += each.undo()
                for deployment in self.deployments:
                    left_behind += self._clean(deployment.variant)
                for sentence in left_behind:
                    self.context.watcher.warn(sentence)

    def _clean(self, variant: Variant) -> list[str]:
        outcomes = [each.outcome for each in self.journal.observations if each.variant == variant.name]
        with_dead_letters = self.control.abandoned.is_set() or any(each is not Outcome.SUCCEEDED for each in outcomes)
        left = cleaning.clean(
            self.context.clients,
            variant,
            self.prefix,
            with_dead_letters=with_dead_letters,
            # That of a sample itself may be the result of another upload of it, too.
            inputs=[file.sha256 for file in self.plan.files if not file.is_original],
        )
        late = outcomes.count(Outcome.NO_ITEM)
        if late or self.control.abandoned.is_set():
            which = f"{late} uploads had no item" if late else "some uploads were abandoned"
            left.append(
                f"{variant.name}: {which}; an event that is still being processed may yet leave an item in "
                f"{variant.table}, or a dead letter, under {self.prefix}."
            )
        return left

    def _document(
        self,
        observations: Sequence[Observation],
        metrics: dict[str, EndpointMetrics | None],
        left_behind: list[str],
        allocations: Mapping[str, Mapping[str, float]],
    ) -> result.Document:
        plan, context = self.plan, self.context
        self._count_idle()
        by_variant = {name: [each for each in observations if each.variant == name] for name in plan.variants}
        models = {each.item["model_sha256"] for each in observations if "model_sha256" in each.item}
        low, high = clock_offset(self.requester.answers)
        measured = result.scenario(
            observations,
            memory_mb={each.variant.name: each.memory_mb for each in self.deployments},
            file_bytes={file.name: file.size_bytes for file in plan.files},
            is_open_loop=plan.is_open_loop,
        )
        used = [price for price in context.prices.by_id.values() if price.id.startswith(PAID_FOR)]
        return {
            "schema": result.SCHEMA,
            "kind": result.KIND,
            "rehearsal": context.is_rehearsal,
            "started": as_text(self.journal.started),
            "ended": as_text(context.clock.wall()),
            "segments": [as_text(moment) for moment in self.journal.segments],
            "stopped": self.control.reason if len(observations) < self._planned else None,
            "environment": {
                "crossover": version("crossover-inference"),
                "python": platform.python_version(),
                "boto3": version("boto3"),
                "system": platform.platform(),
                "region": context.region,
                "aws_clock_ahead_s": [low, high] if math.isfinite(low) else None,
                "model_sha256": sorted(models),
                "variants": {
                    each.variant.name: {**each.to_json(), **allocations.get(each.variant.name, {})}
                    for each in self.deployments
                },
            },
            "prices": {
                "region": context.prices.region,
                "dates": sorted({price.date for price in used}),
                "unconfirmed": sorted(price.id for price in used if not price.is_confirmed),
            },
            "spent_usd": round(self.meter.usd, 6),
            "left_behind": left_behind,
            "seed": plan.seed,
            "plan": plan.to_json(),
            "statistics": {
                "method": statistics.METHOD,
                "seed": plan.seed,
                "discarded": 0,
                "variants": {name: self._sum_up(name, each) for name, each in by_variant.items()},
            },
            "scenario": measured.values,
            "scenario_from": measured.variants,
            "endpoint_metrics": metrics,
            "observations": [each.to_json() for each in sorted(observations, key=_order_of(plan))],
        }

    def _sum_up(self, name: str, observations: Sequence[Observation]) -> result.VariantStatistics:
        counts = result.sum_up(observations, is_open_loop=self.plan.is_open_loop, seed=self.plan.seed)
        tariff = self.tariffs[name]

        return {
            **counts,
            "function_usd_per_million": result.usd_per_million(
                observations, tariff.attempt, counts["load"]["cold_share"]
            ),
            "idle_usd_per_hour": tariff.idle(3600.0) or None,
        }


def new_run_id() -> str:
    """A name for the objects of one test."""
    return uuid.uuid4().hex[:12]


def as_text(moment: float) -> str:
    """A time in s since 1970 as ISO 8601 in UTC."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")


def _order_of(plan: Plan) -> Callable[[Observation], tuple[int, str, int]]:
    positions = {name: position for position, name in enumerate(plan.variants)}
    return lambda each: (positions[each.variant], "0" if each.phase is Phase.LOAD else "1", each.number)
