"""Variant `provisioned`: a Lambda function of which some execution environments are always kept ready."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from aws_cdk import Stack, TimeZone
from aws_cdk import aws_applicationautoscaling as scaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from crossover.cdk import rules
from crossover.cdk.compute.inference_function import InferenceFunction
from crossover.cdk.dashboard_cost import Cost, price
from crossover.cdk.model_artifact import ModelArtifact
from crossover.cdk.monitoring_specs import AlarmSpec, GraphSpec, file_metric
from crossover.cdk.python_function import FunctionOptions
from crossover.cdk.storage import PipelineStorage

BUSY = 0.9
COLD = 0.05  # of the files


class ProvisionedLambda(InferenceFunction):
    """Predicts in the one published version of a Lambda function, behind the alias `live`, of which Lambda keeps
    execution environments ready; what exceeds them runs on demand.

    Benefit: no cold start for what the environments can take, and a lower price by the second than on demand: cheaper
    where more than 60 % of them are in use all the time. A burst beyond them runs as in the standard variant.
    Cost: the environments are billed by the GB of memory and the second, with or without traffic, and so is each INIT,
    also when AWS replaces one. Target tracking reduces their number only while there is some traffic: a schedule
    reduces it where there may be none. A new account, whose limit of concurrent executions is 10, cannot have any.

    A deployment that changes `provisioned_concurrency` and publishes a new version may be refused by Lambda: change one
    after the other. During a canary both versions share the environments by their weights. Where INIT of a new version
    fails, so may the rollback, which `canary` avoids: it invokes the version before the alias moves.
    """

    predictor: ClassVar[str] = "provisioned"
    stack_id: ClassVar[str] = "Provisioned"
    handler: ClassVar[str] = "provisioned_handler"
    is_published: ClassVar[bool] = True
    settings: ClassVar[Sequence[str]] = (
        *InferenceFunction.settings,
        "provisioned_concurrency",
        "max_provisioned_concurrency",
        "provisioned_utilization",
        "provisioned_schedule",
        "provisioned_time_zone",
    )

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        storage: PipelineStorage,
        model: ModelArtifact,
        memory_mb: int = 4096,
        canary: bool = False,
        provisioned_concurrency: int = 1,
        max_provisioned_concurrency: int | None = None,
        provisioned_utilization: float = 0.7,
        provisioned_schedule: Sequence[str] = (),
        provisioned_time_zone: str = "UTC",
        options: FunctionOptions | None = None,
    ) -> None:
        """Create the function with its grants, the alias, and its scaling.

        Args:
            memory_mb: 128 to 10,240; CPU time grows with it, 1,769 MB being one vCPU.
            canary: whether a new version gets a tenth of the traffic first, see crossover/cdk/rollout.py.
            provisioned_concurrency: environments that are kept ready, 1 to 10,000; at most what
                `options.reserved_concurrency` reserves, else 100 less than the account's limit of concurrency.
                https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html
            max_provisioned_concurrency: up to which their number follows the traffic; None for a fixed number.
            provisioned_utilization: the share of them in use, 0.1 to 0.9, around which their number follows.
            provisioned_schedule: from which times on there are at least and at most how many, each as
                `cron(minutes hours day-of-month month day-of-week year) least-most`, 1 or more.
            provisioned_time_zone: of the schedule, as Europe/Berlin.

        Raises:
            InvalidValueError: a value is out of range, or contradicts another; or a subclass has `snap_start`.
        """
        rules.check(rules.PROVISIONED_CONCURRENCY, provisioned_concurrency=provisioned_concurrency)
        rules.check(
            rules.optional(rules.PROVISIONED_CONCURRENCY), max_provisioned_concurrency=max_provisioned_concurrency
        )
        rules.check(rules.UTILIZATION, provisioned_utilization=provisioned_utilization)
        rules.check(rules.PROVISIONED_SCHEDULE, provisioned_schedule=list(provisioned_schedule))
        rules.check(rules.TIME_ZONE, provisioned_time_zone=provisioned_time_zone)
        options = options or FunctionOptions()
        self._check(provisioned_concurrency, max_provisioned_concurrency, provisioned_schedule, options)
        self._provisioned = provisioned_concurrency
        super().__init__(
            scope,
            construct_id,
            storage=storage,
            model=model,
            memory_mb=memory_mb,
            canary=canary,
            options=options,
        )
        assert isinstance(self.source, lambda_.Alias)
        self.alias: lambda_.Alias = self.source
        resource = self.alias.node.default_child
        assert isinstance(resource, lambda_.CfnAlias)
        resource.provisioned_concurrency_config = lambda_.CfnAlias.ProvisionedConcurrencyConfigurationProperty(
            provisioned_concurrent_executions=provisioned_concurrency
        )
        periods = [rules.scheduled(each) for each in provisioned_schedule]
        most = max_provisioned_concurrency or provisioned_concurrency
        # Also for a fixed number: without a target, what scaling had reached before would stay, and be paid for.
        # https://github.com/aws/serverless-application-model/issues/1846
        target = self.alias.add_auto_scaling(min_capacity=provisioned_concurrency, max_capacity=most)
        if max_provisioned_concurrency or any(period.least < period.most for period in periods):
            target.scale_on_utilization(utilization_target=provisioned_utilization)
        for number, period in enumerate(periods):
            target.scale_on_schedule(
                f"Schedule{number}",
                schedule=scaling.Schedule.expression(period.cron),
                time_zone=TimeZone.of(provisioned_time_zone),
                min_capacity=period.least,
                max_capacity=period.most,
            )
        self._most = max([most, *(period.most for period in periods)])
        self.default_max_concurrency = max(self._most, self.default_max_concurrency)
        self.kept_ready = max([provisioned_concurrency, *(period.least for period in periods)])
        self.alarms = (*self.alarms, *self._alarms())
        self.graphs = (*self.graphs, *self._graphs())

    def _check(self, least: int, most: int | None, schedule: Sequence[str], options: FunctionOptions) -> None:
        """Refuse what Lambda would refuse, or what makes no sense.

        Raises:
            InvalidValueError: it would.
        """
        if self.snap_start:
            raise rules.InvalidValueError(
                "snap_start is on, but must be None: Lambda has no provisioned concurrency with SnapStart."
            )
        if most is not None and most <= least:
            raise rules.InvalidValueError(
                f"max_provisioned_concurrency is {most}, but must be above provisioned_concurrency, {least}, or none."
            )
        counts = {"provisioned_concurrency": least, "max_provisioned_concurrency": most or 0}
        counts |= {f"provisioned_schedule {text!r}": rules.scheduled(text).most for text in schedule}
        reserved = options.reserved_concurrency
        for name, count in counts.items():
            if reserved is not None and count > reserved:
                raise rules.InvalidValueError(
                    f"{name} is {count}, but must be at most reserved_concurrency, {reserved}, of which it is a part."
                )

    def _metric(self, name: str, statistic: str) -> cloudwatch.Metric:
        return self.alias.metric(f"ProvisionedConcurrency{name}", statistic=statistic)

    def _alarms(self) -> Iterator[AlarmSpec]:
        yield AlarmSpec(
            id="ColdStarts",
            metric=file_metric(Stack.of(self).stack_name, "ColdStart", "Average"),
            description=(
                f"For 15 minutes {COLD:.0%} of the files or more found no provisioned environment free, ran on demand "
                "and waited for a cold start. Raise provisioned_concurrency or max_provisioned_concurrency, or add "
                "these hours to provisioned_schedule."
            ),
            threshold=COLD,
            periods=3,
        )
        if self._most > 1:  # the only one is all of them, whenever it is in use
            # Not the utilization: as long as scaling can raise the number, nothing is to be done.
            yield AlarmSpec(
                id="ProvisionedBusy",
                metric=self.alias.metric("ProvisionedConcurrentExecutions", statistic="Average"),
                description=(
                    f"For 15 minutes {BUSY:.0%} of the {self._most} environments that can be provisioned at most, or "
                    "more, were in use on average: more traffic will run on demand, with cold starts. Raise "
                    "max_provisioned_concurrency, provisioned_concurrency if there is none, or provisioned_schedule."
                ),
                threshold=BUSY * self._most,
                periods=3,
            )

    def _graphs(self) -> Iterator[GraphSpec]:
        yield GraphSpec(
            title="Provisioned or on demand",
            metrics={
                "provisioned": self._metric("Invocations", "Sum"),
                "on demand": self._metric("SpilloverInvocations", "Sum"),
            },
        )
        yield GraphSpec(
            title="Provisioned environments in use",
            metrics={"most": self._metric("Utilization", "Maximum")},
            unit="share",
        )

    def _cost(self, memory_mb: int) -> Cost:
        kept = self._provisioned * memory_mb / 1024 * 3600
        return Cost(
            memory_mb=memory_mb,
            duration_price="lambda.provisioned.duration_gb_second",
            per_hour=((kept, price("lambda.provisioned.gb_second")),),
            leaves_out="INIT, what scaling adds, the higher price on demand",
        )
