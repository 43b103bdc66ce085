"""The benchmark itself: plan, estimate, load, cold starts, joining, cleaning up, result."""

import contextlib
import math
import platform
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from crossover import aws, interrupts
from crossover.aws import Clients
from crossover.bench import result, statistics
from crossover.bench.run import cleaning, endpoint_metrics, reports
from crossover.bench.run.clocks import Clock, offset
from crossover.bench.run.cold import ColdStarts, cold_starts
from crossover.bench.run.control import Control
from crossover.bench.run.deployment import Deployment
from crossover.bench.run.journal import Journal
from crossover.bench.run.load import Threads, closed_loop, open_loop
from crossover.bench.run.observation import Observation, Outcome
from crossover.bench.run.plan import Phase, Plan, Planned
from crossover.bench.run.requesting import Requester
from crossover.bench.run.spend import Meter, Tariff
from crossover.cost.prices import Prices
from crossover.deployed import Variant

JOIN_INTERVAL_SECONDS = 3.0
PAID_FOR = ("lambda.request", "lambda.gb_second", "lambda.snapstart.", "s3.", "dynamodb.", "logs.")


class Watcher(Protocol):
    """Shows how it goes."""

    def begin(self, what: str, total: int, done: int) -> None:
        """A part of so many requests begins, or goes on after so many."""

    def advance(self, usd: float) -> None:
        """A request has ended; so much was spent in all."""

    def say(self, what: str) -> None:
        """Something else is under way."""

    def warn(self, sentence: str) -> None:
        """Something needs a person's attention."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a benchmark runs with.

    Attributes:
        clients: of the account.
        region: of the account.
        is_rehearsal: whether it is the local AWS, whose figures are none of AWS.
        prices: of the region.
        clock: this machine's.
        watcher: shows how it goes.
    """

    clients: Clients
    region: str
    is_rehearsal: bool
    prices: Prices
    clock: Clock
    watcher: Watcher


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A benchmark that ended, by itself or at the limit of what may be spent.

    Attributes:
        document: the result.
        left: what could not be removed or put back, each as a sentence.
    """

    document: dict[str, Any]
    left: list[str]


class Benchmark:
    """One benchmark, new or resumed.

    Args:
        plan: what is sent.
        deployments: the variants, in the plan's order.
        journal: has what is complete already.
        surroundings: what it runs with.
        max_usd: it stops once so much is spent.
        timeout_seconds: longest wait for an item.
        log_wait_seconds: longest wait for REPORT lines and metrics after the last request.
    """

    def __init__(
        self,
        plan: Plan,
        deployments: Sequence[Deployment],
        journal: Journal,
        surroundings: Surroundings,
        *,
        max_usd: float,
        timeout_seconds: float,
        log_wait_seconds: float,
    ) -> None:
        self.plan = plan
        self.deployments = deployments
        self.journal = journal
        self.around = surroundings
        self.log_wait_seconds = log_wait_seconds
        self.control = Control()
        self.meter = Meter(max_usd, self.control)
        self.prefix = f"{plan.key_prefix}bench-{journal.run_id}/"
        self.tariffs = {each.variant.name: Tariff(each, surroundings.prices) for each in deployments}
        self.files = {file.name: file for file in plan.files}
        self.requester = Requester(
            surroundings.clients,
            plan.files,
            prefix=self.prefix,
            segment=len(journal.segments) - 1,
            clock=surroundings.clock,
            control=self.control,
            timeout_seconds=timeout_seconds,
        )
        self._versions_made = 0
        self._count_earlier()

    def run(self) -> Ended:
        """Measure, clean up, sum up. Whatever ends it early, what it made is removed first.

        Raises:
            CrossoverError: a cold start could not be forced.
            botocore.exceptions.BotoCoreError, ClientError: AWS did not answer where there is no going on without it.
        """
        left: list[str] = []
        forced = {
            each.variant.name: cold_starts(
                self.around.clients, each.variant, run_id=self.journal.run_id, clock=self.around.clock
            )
            for each in self.deployments
        }
        with self._cleaning(forced, left):
            if self.plan.cold:
                for ways in forced.values():
                    ways.find_left()
            for deployment in self.deployments:
                self._load(deployment)
            self._cold(forced)
            observations = self._join()
            metrics = self._metrics()
        return Ended(document=self._document(observations, metrics, left), left=left)

    @property
    def _planned(self) -> int:
        """How many observations there are once all is done."""
        return (len(self.plan.load) + len(self.plan.cold)) * len(self.deployments)

    def _load(self, deployment: Deployment) -> None:
        """One variant after the other: none shares the way to AWS, or this machine's processors, with another."""
        name = deployment.variant.name
        done = self._done(name, Phase.LOAD)
        left = [planned for planned in self.plan.load if planned.number not in done]
        if not left or self.control.stopping.is_set():
            return
        self.around.watcher.begin(f"{name}: load", len(self.plan.load), len(done))

        def send(planned: Planned, intended: float) -> None:
            self._keep(self.requester.perform(deployment.variant, planned, intended))

        loop = open_loop if self.plan.is_open_loop else closed_loop
        loop(left, send, began=self.requester.began, clock=self.around.clock, control=self.control)
        with contextlib.suppress(BotoCoreError, ClientError):  # what was billed; all is read again at the end
            self._with_reports()

    def _cold(self, forced: Mapping[str, ColdStarts]) -> None:
        """One after the other, the variants taking turns, so that a change of the network's mood meets all alike."""
        if not self.plan.cold:
            return
        total = len(self.plan.cold) * len(self.deployments)
        done = {each.variant.name: self._done(each.variant.name, Phase.COLD) for each in self.deployments}
        self.around.watcher.begin("cold starts", total, sum(map(len, done.values())))
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
                last_sent[name] = self.around.clock.monotonic()

    def _send_now(self, deployment: Deployment, planned: Planned) -> None:
        intended = self.around.clock.monotonic() - self.requester.began
        self._keep(self.requester.perform(deployment.variant, planned, intended))

    def _force(self, deployment: Deployment, ways: ColdStarts) -> None:
        self._versions_made += 1
        name = deployment.variant.name
        # Counted before it is made: a version that cannot be used costs as much.
        self.meter.set(("version", name, self._versions_made), self.tariffs[name].version())
        ways.force()

    def _idle_since(self, moment: float) -> None:
        left = moment + self.plan.idle_seconds - self.around.clock.monotonic()
        if left > 0:
            self.around.clock.sleep(left)

    def _done(self, name: str, phase: Phase) -> set[int]:
        return {each.number for each in self.journal.observations if (each.variant, each.phase) == (name, phase)}

    def _keep(self, observation: Observation | None) -> None:
        if observation is None:
            return
        self.journal.add(observation)
        self._count(observation)
        self._count_machines()
        self.around.watcher.advance(self.meter.usd)

    def _count(self, observation: Observation) -> None:
        tariff = self.tariffs[observation.variant]
        self.meter.set(observation.key, tariff.observation(observation, self.files[observation.file]))

    def _count_earlier(self) -> None:
        """Count what was spent before the benchmark was resumed."""
        seconds: dict[int, float] = {}
        for each in self.journal.observations:
            self._count(each)
            if each.phase is Phase.COLD:
                self.meter.set(("version", *each.key), self.tariffs[each.variant].version())
            seconds[each.segment] = max(seconds.get(each.segment, 0.0), each.sent_s)
        for segment, spent in seconds.items():
            for name, tariff in self.tariffs.items():
                self.meter.set(("endpoint", name, segment), tariff.endpoint(spent))

    def _count_machines(self) -> None:
        spent = self.around.clock.monotonic() - self.requester.began
        for name, tariff in self.tariffs.items():
            self.meter.set(("endpoint", name, self.requester.segment), tariff.endpoint(spent))

    def _with_reports(self) -> list[Observation]:
        """All observations, with the REPORT lines that are there by now."""
        since = self._aws_time(self.journal.started)
        found: dict[str, tuple[reports.Report, ...]] = {}
        for log_group in {deployment.log_group for deployment in self.deployments}:
            found |= reports.fetch(self.around.clients, log_group, since=since)
        joined = [each.with_reports(found.get(each.request_id, ())) for each in list(self.journal.observations)]
        for observation in joined:
            self._count(observation)
        return joined

    def _join(self) -> list[Observation]:
        """Wait for the REPORT lines, which come some seconds late; what has not come by then is marked as missing."""
        self.around.watcher.say("reading the logs")
        clock = self.around.clock
        deadline = clock.monotonic() + self.log_wait_seconds
        while True:
            try:
                joined = self._with_reports()
            except (BotoCoreError, ClientError) as error:  # what was measured is worth more than what is missing
                self.around.watcher.warn(f"There are no REPORT lines, because the logs cannot be read: {error}")
                return list(self.journal.observations)
            if all(each.reports for each in joined if each.request_id) or clock.monotonic() >= deadline:
                return joined
            clock.sleep(JOIN_INTERVAL_SECONDS)

    def _metrics(self) -> dict[str, Any]:
        """SageMaker's metrics of each endpoint, which come a minute or two late; None where there are none."""
        found: dict[str, Any] = {}
        for variant in (each.variant for each in self.deployments if each.variant.endpoint):
            self.around.watcher.say("reading the endpoint's metrics")
            try:
                found[variant.name] = self._metrics_of(variant)
            except (BotoCoreError, ClientError) as error:
                self.around.watcher.warn(f"The metrics of {variant.endpoint} cannot be read: {error}")
                found[variant.name] = None
        return found

    def _metrics_of(self, variant: Variant) -> dict[str, Any] | None:
        clock = self.around.clock
        deadline = clock.monotonic() + (0.0 if self.around.is_rehearsal else self.log_wait_seconds)
        begin, end = self._aws_time(self.journal.started), clock.wall()
        wanted = sum(each.variant == variant.name and each.succeeded for each in self.journal.observations)
        while True:
            metrics = endpoint_metrics.fetch(self.around.clients, variant.endpoint, begin=begin, end=end)
            if endpoint_metrics.count(metrics) >= wanted or clock.monotonic() >= deadline:
                return metrics
            clock.sleep(JOIN_INTERVAL_SECONDS)

    def _aws_time(self, moment: float) -> float:
        """The least that AWS's clock may have shown at a moment of this machine's, both in s since 1970."""
        low, _ = offset(self.requester.answers)
        return moment + (low if math.isfinite(low) else 0.0) - aws.CLOCK_TOLERANCE.total_seconds()

    @contextlib.contextmanager
    def _cleaning(self, forced: Mapping[str, ColdStarts], left: list[str]) -> Iterator[None]:
        """Put everything back and remove everything in the end, however it ends; signals wait for that."""
        try:
            yield
        finally:
            with interrupts.held():
                self.around.watcher.say("cleaning up")
                for ways in forced.values():
                    left += ways.undo()
                for deployment in self.deployments:
                    left += self._clean(deployment.variant)
                for sentence in left:
                    self.around.watcher.warn(sentence)

    def _clean(self, variant: Variant) -> list[str]:
        outcomes = [each.outcome for each in self.journal.observations if each.variant == variant.name]
        with_letters = self.control.abandoned.is_set() or any(each is not Outcome.SUCCEEDED for each in outcomes)
        left = cleaning.clean(self.around.clients, variant, self.prefix, with_letters=with_letters)
        late = outcomes.count(Outcome.NO_ITEM)
        if late or self.control.abandoned.is_set():
            which = f"{late} uploads had no item" if late else "some uploads were given up"
            left.append(
                f"{variant.name}: {which}; an event that is still under way may yet leave an item in {variant.table}, "
                f"or a dead letter, under {self.prefix}."
            )
        return left

    def _document(
        self, observations: Sequence[Observation], metrics: Mapping[str, Any], left: Sequence[str]
    ) -> dict[str, Any]:
        plan, around = self.plan, self.around
        self._count_machines()
        by_variant = {name: [each for each in observations if each.variant == name] for name in plan.variants}
        models = {each.item["model_sha256"] for each in observations if "model_sha256" in each.item}
        low, high = offset(self.requester.answers)
        used = [price for price in around.prices.by_id.values() if price.id.startswith(PAID_FOR)]
        return {
            "schema": result.SCHEMA,
            "kind": result.KIND,
            "rehearsal": around.is_rehearsal,
            "started": as_text(self.journal.started),
            "ended": as_text(around.clock.wall()),
            "segments": [as_text(moment) for moment in self.journal.segments],
            "stopped": self.control.reason if len(observations) < self._planned else None,
            "environment": {
                "crossover": version("crossover-inference"),
                "python": platform.python_version(),
                "boto3": version("boto3"),
                "system": platform.platform(),
                "region": around.region,
                "aws_clock_ahead_s": [low, high] if math.isfinite(low) else None,
                "model_sha256": sorted(models),
                "variants": {each.variant.name: each.to_dict() for each in self.deployments},
            },
            "prices": {
                "region": around.prices.region,
                "dates": sorted({price.date for price in used}),
                "unsure": sorted(price.id for price in used if not price.is_sure),
            },
            "spent_usd": round(self.meter.usd, 6),
            "left_behind": list(left),
            "seed": plan.seed,
            "plan": plan.to_dict(),
            "statistics": {
                "method": statistics.METHOD,
                "seed": plan.seed,
                "discarded": 0,
                "variants": {name: self._sum_up(name, each) for name, each in by_variant.items()},
            },
            "scenario": result.scenario(
                observations,
                memory_mb={each.variant.name: each.memory_mb for each in self.deployments},
                file_bytes={file.name: file.size_bytes for file in plan.files},
                is_open_loop=plan.is_open_loop,
            ),
            "endpoint_metrics": dict(metrics),
            "observations": [each.to_dict() for each in sorted(observations, key=_order_of(plan))],
        }

    def _sum_up(self, name: str, observations: Sequence[Observation]) -> dict[str, Any]:
        sums = result.sum_up(observations, is_open_loop=self.plan.is_open_loop, seed=self.plan.seed)
        tariff = self.tariffs[name]
        share = sums["load"]["cold_share"]

        def attempt(billed_ms: float, restored: bool) -> float:
            return tariff.invocation(billed_ms, restored=restored)

        sums["function_usd_per_million"] = result.usd_per_million(observations, attempt, share)
        sums["endpoint_usd_per_hour"] = tariff.endpoint(3600.0) or None
        return sums


def new_run_id() -> str:
    """Names the objects of one benchmark."""
    return uuid.uuid4().hex[:12]


def as_text(moment: float) -> str:
    """A moment in s since 1970 as ISO 8601 in UTC."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")


def journal_of(output: Path) -> Path:
    """Where the journal of a result stands."""
    return output.with_name(f"{output.name}.journal")


def _order_of(plan: Plan) -> Callable[[Observation], tuple[int, str, int]]:
    places = {name: place for place, name in enumerate(plan.variants)}
    return lambda each: (places[each.variant], "0" if each.phase is Phase.LOAD else "1", each.number)
