"""Seeing a deployed variant: a dashboard, and alarms that say what to do."""

from collections.abc import Mapping

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from crossover.cdk.compute import Compute

NAMESPACE = "Crossover"
PERCENTILES = ("p50", "p95", "p99")


def file_metric(stack_name: str, name: str, statistic: str = "Sum") -> cloudwatch.Metric:
    """A metric of the handlers' log lines, one value a file: Duration and Inference in ms; ColdStart, Succeeded,
    Refused and Failed, each 0 or 1.
    """
    return cloudwatch.Metric(
        namespace=NAMESPACE, metric_name=name, dimensions_map={"Stack": stack_name}, statistic=statistic
    )


Plottable = cloudwatch.Metric | cloudwatch.MathExpression


def graph(title: str, metrics: Mapping[str, Plottable], *, unit: str = "count") -> cloudwatch.GraphWidget:
    """A graph of a dashboard, a third of its width; the metrics go by what their lines are called."""
    lines: list[cloudwatch.IMetric] = [metric.with_(label=label) for label, metric in metrics.items()]
    axis = cloudwatch.YAxisProps(label=unit, min=0, show_units=False)
    return cloudwatch.GraphWidget(title=title, left=lines, left_y_axis=axis, width=8, height=6)


class Monitoring(Construct):
    """A dashboard and alarms for one variant.

    Benefit: what is lost, late, failing or dear is seen without a look at the logs; each alarm's description names the
    next step.
    Cost, us-east-1, a month: 3.00 USD for a dashboard, 0.10 for an alarm, 0.30 for each of the stack's six custom
    metrics while files come in. With the three variants and their comparison these are 4 dashboards, 20 alarms and 18
    metrics: 19.40 USD, or 6.40 in an account whose free tier (3 dashboards of up to 50 metrics, 10 alarms, 10 metrics)
    nothing else uses. Source: https://aws.amazon.com/cloudwatch/pricing, as of February 2026.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        compute: Compute,
        dead_letter_queue: sqs.IQueue,
        alarm_topic: sns.ITopic | None = None,
        p99_alarm_seconds: float = 30,
    ) -> None:
        """`alarm_topic` is told when an alarm goes off, and when it ends; it must be in the stack's region."""
        super().__init__(scope, construct_id)
        self._alarm_topic = alarm_topic
        self._alarms: list[cloudwatch.Alarm] = []
        self._graphs: list[cloudwatch.IWidget] = []
        self._watch_events(compute, dead_letter_queue)
        self._watch_invocations(compute, p99_alarm_seconds)
        compute.monitor(self)
        self._add_cost(compute)
        # Named by CloudFormation: names of dashboards are shared by all regions of an account.
        self.dashboard = cloudwatch.Dashboard(self, "Dashboard", default_interval=Duration.days(1))
        title = f"Alarms of {Stack.of(self).stack_name}"
        self.dashboard.add_widgets(cloudwatch.AlarmStatusWidget(title=title, alarms=self._alarms, width=24, height=4))
        self.dashboard.add_widgets(*self._graphs)

    def add_alarm(
        self,
        construct_id: str,
        metric: cloudwatch.IMetric,
        *,
        description: str,
        threshold: float = 1,
        comparison: cloudwatch.ComparisonOperator = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        periods: int = 1,
        breaching: int | None = None,
        missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
    ) -> None:
        """An alarm that goes off when the metric breaches the threshold in `breaching`, by default all, of the last
        `periods` periods. `description` is for who is woken up by it: what it means, and what to do.

        Lambda and SageMaker count what goes wrong only when something does, so no data means that nothing went wrong.
        """
        alarm = cloudwatch.Alarm(
            self,
            construct_id,
            alarm_description=description,
            metric=metric,
            threshold=threshold,
            comparison_operator=comparison,
            evaluation_periods=periods,
            datapoints_to_alarm=breaching,
            treat_missing_data=missing,
        )
        if self._alarm_topic:
            action = actions.SnsAction(self._alarm_topic)
            alarm.add_alarm_action(action)
            alarm.add_ok_action(action)
        self._alarms.append(alarm)

    def add_graph(self, title: str, metrics: Mapping[str, cloudwatch.Metric], *, unit: str = "count") -> None:
        """A graph of the dashboard; the metrics go by what their lines are called."""
        self._graphs.append(graph(title, metrics, unit=unit))

    def _watch_events(self, compute: Compute, queue: sqs.IQueue) -> None:
        letters = queue.metric_approximate_number_of_messages_visible(statistic="Maximum")
        # By the function's name, which sums up its aliases: that Lambda counts these for an alias too is said nowhere.
        dropped = compute.function.metric("AsyncEventsDropped", statistic="Sum")
        undelivered = compute.function.metric("DestinationDeliveryFailures", statistic="Sum")
        age = compute.function.metric("AsyncEventAge", statistic="Maximum")
        self.add_alarm(
            "DeadLetters",
            letters,
            description=(
                "Uploads without a prediction are in the dead-letter queue, for 14 days. `crossover deadletters list` "
                "names them and why they failed; when that is mended, `crossover deadletters redrive` sends them again."
            ),
            # SQS stops reporting after six hours without a call, with the letters still there.
            missing=cloudwatch.TreatMissingData.IGNORE,
        )
        self.add_alarm(
            "EventsNotKept",
            undelivered,
            description=(
                "Lambda could not put an event that had failed into the dead-letter queue: its upload has neither "
                "prediction nor dead letter. Check that the queue, its policy and its key are as deployed, then upload "
                "the file again; the function's log names it."
            ),
        )
        self.add_alarm(
            "EventsGivenUp",
            dropped,
            description=(
                "Lambda gave up an event: after three failures, or six hours of throttling. It should be in the "
                "dead-letter queue now, see `crossover deadletters list`; if it is not there, it is lost, and the "
                "function's log names the file to upload again."
            ),
        )
        self.add_graph("Kept or lost", {"dead letters": letters, "given up": dropped, "not kept": undelivered})
        self.add_graph("Waiting for the function", {"longest": age}, unit="ms")

    def _watch_invocations(self, compute: Compute, p99_alarm_seconds: float) -> None:
        stack_name = Stack.of(self).stack_name
        # Of what S3 invokes: an alias has metrics of its own.
        errors = compute.handler.metric_errors()
        throttles = compute.handler.metric_throttles()
        invocations = compute.handler.metric_invocations()
        durations = {name: compute.handler.metric_duration(statistic=name) for name in PERCENTILES}
        self.add_alarm(
            "Errors",
            errors,
            description=(
                "The function has failed for ten of the last 15 minutes, so it is no passing fault. In its log, the "
                "lines with `cause` say why. Lambda tries each event three times; what fails then is a dead letter."
            ),
            periods=3,
            breaching=2,
        )
        self.add_alarm(
            "Throttles",
            throttles,
            description=(
                "Events have been waiting for a free place for 15 minutes. Lambda keeps them for six hours. Raise "
                "reserved_concurrency where it is set, else ask AWS for a higher limit of concurrent executions."
            ),
            periods=3,
        )
        self.add_alarm(
            "SlowestPercent",
            durations["p99"],
            description=(
                f"For ten of the last 15 minutes one invocation in a hundred took longer than {p99_alarm_seconds:g} s. "
                "The log lines say where the time went: download, decode, inference. More memory_mb, or a larger "
                "instance_type, makes it faster; p99_alarm_seconds moves this limit."
            ),
            threshold=p99_alarm_seconds * 1000,
            comparison=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            periods=3,
            breaching=2,
        )
        self.add_graph("Files", {name: file_metric(stack_name, name) for name in ("Succeeded", "Refused", "Failed")})
        self.add_graph("Invocations", {"invocations": invocations, "errors": errors, "throttles": throttles})
        self.add_graph("Duration, without the start", durations, unit="ms")
        self.add_graph("Model", {"p50": file_metric(stack_name, "Inference", "p50")}, unit="ms")
        self.add_graph("Cold starts", {"cold starts": file_metric(stack_name, "ColdStart")})

    def _add_cost(self, compute: Compute) -> None:
        if not compute.cost:
            return
        stack_name = Stack.of(self).stack_name
        figure = compute.cost.per_million(
            duration=compute.function.metric_duration(statistic="Sum"),
            invocations=compute.function.metric_invocations(),
            cold_starts=file_metric(stack_name, "ColdStart"),
            succeeded=file_metric(stack_name, "Succeeded"),
            label="USD",
        )
        self._graphs.append(cost_widget(f"Cost per million predictions ({compute.cost.note})", figure))


def cost_widget(title: str, *figures: cloudwatch.IMetric) -> cloudwatch.SingleValueWidget:
    """Figures over the whole time that the dashboard shows, its idle hours too: an endpoint is paid for them."""
    return cloudwatch.SingleValueWidget(
        title=title, metrics=list(figures), set_period_to_time_range=True, width=24, height=4
    )
