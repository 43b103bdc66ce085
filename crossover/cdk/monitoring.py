"""A dashboard for a deployed variant, and alarms whose descriptions say what to do."""

from collections.abc import Iterable

import jsii
from aws_cdk import Aws, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct, IValidation

from crossover.cdk import rules
from crossover.cdk.compute.interface import Compute
from crossover.cdk.monitoring_specs import AlarmSpec, GraphSpec, file_metric, graph_widget
from crossover.cdk.python_function import WRITES_METRICS
from crossover.cdk.upload_queue import VISIBILITY_TIMEOUTS

PERCENTILES = ("p50", "p95", "p99")
WAITING_SECONDS = 3600  # of an upload in its queue, until an alarm goes off; more where a failed one is hidden longer


class Monitoring(Construct):
    """A dashboard and alarms for one variant.

    Benefit: lost, late, failing and expensive events show without reading logs; each alarm's description names
    the next step.
    Cost, us-east-1, a month: 3.00 USD for a dashboard, 0.10 for an alarm, 0.30 for each of the stack's six custom
    metrics while files come in. With the three default variants and their comparison these are 4 dashboards, 21 alarms
    and 18 metrics: 19.50 USD, or 6.50 in an account whose free tier (3 dashboards of up to 50 metrics, 10 alarms, 10
    metrics) nothing else uses. `efs` and `container` add 5.40 USD each (6 alarms), `provisioned` 5.50 (7), or 5.60
    where more than one environment may be kept ready (8); where it scales with use, Application Auto Scaling adds
    alarms of its own. An upload queue has one alarm. On arm64 each variant but `sagemaker` has one alarm
    more, and a metric once INIT has failed. Source: https://aws.amazon.com/cloudwatch/pricing, as of February 2026.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        compute: Compute,
        dead_letter_queue: sqs.IQueue,
        upload_queue: sqs.IQueue | None = None,
        rule: events.IRule | None = None,
        alarm_topic: sns.ITopic | None = None,
        alarm_email: str | None = None,
        p99_alarm_seconds: float = 30,
    ) -> None:
        """Create the dashboard and the alarms.

        The metrics of the files are told apart by the stack's name. So synth fails where another function of the
        compute's stack writes them too: each pipeline is to have a stack, or nested stack, of its own.

        Args:
            upload_queue: where uploads wait for the compute: `InferencePipeline.upload_queue`.
            rule: of EventBridge, where it tells of the uploads: `InferencePipeline.rule`.
            alarm_topic: gets a message when an alarm goes off, and when it ends; it must be in the stack's region.
            alarm_email: gets these messages through a topic that is made here, once its owner has confirmed AWS's
                mail; instead of `alarm_topic`.
            p99_alarm_seconds: an alarm goes off when the p99 of the function's duration is longer.

        Raises:
            InvalidValueError: `alarm_email` is no address, or `alarm_topic` is given too.
        """
        super().__init__(scope, construct_id)
        if alarm_email:
            rules.check(rules.EMAIL, alarm_email=alarm_email)
            if alarm_topic:
                raise rules.InvalidValueError("alarm_topic and alarm_email: both are given, but at most one may be.")
            alarm_topic = self._create_topic(alarm_email)
        stack_name = Stack.of(compute.function).stack_name
        self.node.add_validation(_OneWriter(compute.function))
        specs = (
            *_event_alarms(compute, dead_letter_queue, upload_queue, rule),
            *_invocation_alarms(compute, upload_queue, p99_alarm_seconds),
        )
        alarms = [self._create_alarm(spec, alarm_topic) for spec in (*specs, *compute.alarms)]
        graphs = (
            *_event_graphs(compute, dead_letter_queue, upload_queue, rule),
            *_invocation_graphs(compute, stack_name),
            *compute.graphs,
        )
        widgets: list[cloudwatch.IWidget] = [graph_widget(spec) for spec in graphs]
        if compute.cost:
            figure = compute.cost.per_million(
                duration=compute.function.metric_duration(statistic="Sum"),
                invocations=compute.function.metric_invocations(),
                cold_starts=file_metric(stack_name, "ColdStart"),
                succeeded=file_metric(stack_name, "Succeeded"),
                label="USD",
            )
            widgets.append(cost_widget(f"Cost per million predictions ({compute.cost.note})", figure))
        # Named by CloudFormation: names of dashboards are shared by all regions of an account.
        self.dashboard = cloudwatch.Dashboard(self, "Dashboard", default_interval=Duration.days(1))
        title = f"Alarms of {stack_name}"
        self.dashboard.add_widgets(cloudwatch.AlarmStatusWidget(title=title, alarms=alarms, width=24, height=4))
        self.dashboard.add_widgets(*widgets)

    def _create_topic(self, email: str) -> sns.Topic:
        """A topic for CloudWatch's alarms of this account, and for one address.

        It has no key: alarms name resources and hold no data, and CloudWatch could not use a key of SNS.
        """
        # With `enforce_ssl` the topic has a policy, which replaces SNS's own: then CloudWatch needs a statement.
        topic = sns.Topic(self, "AlarmTopic", enforce_ssl=True)
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={
                    "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                    "ArnLike": {
                        "aws:SourceArn": f"arn:{Aws.PARTITION}:cloudwatch:{Aws.REGION}:{Aws.ACCOUNT_ID}:alarm:*"
                    },
                },
            )
        )
        topic.add_subscription(subscriptions.EmailSubscription(email))
        return topic

    def _create_alarm(self, spec: AlarmSpec, topic: sns.ITopic | None) -> cloudwatch.Alarm:
        alarm = cloudwatch.Alarm(
            self,
            spec.id,
            alarm_description=spec.description,
            metric=spec.metric,
            threshold=spec.threshold,
            comparison_operator=spec.comparison,
            evaluation_periods=spec.periods,
            datapoints_to_alarm=spec.breaching,
            treat_missing_data=spec.missing,
        )
        if topic:
            action = actions.SnsAction(topic)
            alarm.add_alarm_action(action)
            alarm.add_ok_action(action)
        return alarm


@jsii.implements(IValidation)
class _OneWriter:
    """Looked at when all functions are known: no other of the stack writes metrics of files."""

    def __init__(self, function: lambda_.Function) -> None:
        self._function = function

    def validate(self) -> list[str]:
        stack, own = Stack.of(self._function), self._function.node.path
        others = [
            each.node.path
            for each in stack.node.find_all()
            if any(entry.type == WRITES_METRICS for entry in each.node.metadata)
            and each.node.path != own
            and Stack.of(each) is stack  # not one inside it
        ]
        if not others:
            return []
        return [
            f"The metrics of {', '.join(others)} and of {own} cannot be told apart, so in the FunctionOptions of the "
            "former `metrics` must be False, or each pipeline must have a stack of its own, which may be a nested one."
        ]


def _visible_dead_letters(queue: sqs.IQueue) -> cloudwatch.Metric:
    return queue.metric_approximate_number_of_messages_visible(statistic="Maximum")


# Both by the function's name, which sums up its aliases: AWS does not document that Lambda counts them for an alias.
def _dropped_events(compute: Compute) -> cloudwatch.Metric:
    return compute.function.metric("AsyncEventsDropped", statistic="Sum")


def _undelivered_events(compute: Compute) -> cloudwatch.Metric:
    return compute.function.metric("DestinationDeliveryFailures", statistic="Sum")


# The default bus counts by the rule's name alone.
def _events_lost_by(rule: events.IRule) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/Events",
        metric_name="InvocationsFailedToBeSentToDlq",
        dimensions_map={"RuleName": rule.rule_name},
        statistic="Sum",
    )


def _oldest_upload(queue: sqs.IQueue) -> cloudwatch.Metric:
    return queue.metric_approximate_age_of_oldest_message(statistic="Maximum")


def _event_alarms(
    compute: Compute, queue: sqs.IQueue, upload_queue: sqs.IQueue | None, rule: events.IRule | None
) -> Iterable[AlarmSpec]:
    """On events that have no prediction."""
    yield AlarmSpec(
        id="DeadLetters",
        metric=_visible_dead_letters(queue),
        description=(
            "Uploads without a prediction are in the dead-letter queue, for 14 days at most. `crossover deadletters "
            "list` names them and why they failed; when that is fixed, `crossover deadletters redrive` sends them "
            "again."
        ),
        # SQS stops reporting after six hours without a call, with the dead letters still there.
        missing=cloudwatch.TreatMissingData.IGNORE,
    )
    yield from _asynchronous_alarms(compute)
    if upload_queue:
        yield _waiting_alarm(compute, upload_queue)
    if rule:
        yield AlarmSpec(
            id="EventsLostByRule",
            metric=_events_lost_by(rule),
            description=(
                "EventBridge could neither invoke the function nor put the event into the dead-letter queue: its "
                "upload has neither prediction nor dead letter, and no log names it. Check that the queue, its policy "
                "and its key are as deployed, then upload again the files of that time that have no item."
            ),
        )


def _asynchronous_alarms(compute: Compute) -> Iterable[AlarmSpec]:
    """On events that Lambda itself keeps until the function is free; with a queue those that come late, or drain it."""
    yield AlarmSpec(
        id="EventsNotKept",
        metric=_undelivered_events(compute),
        description=(
            "Lambda could not put an event that had failed into the dead-letter queue: its upload has neither "
            "prediction nor dead letter. Check that the queue, its policy and its key are as deployed, then upload "
            "the file again; the function's log names it."
        ),
    )
    yield AlarmSpec(
        id="EventsGivenUp",
        metric=_dropped_events(compute),
        description=(
            "Lambda gave up an event: after three failures, or six hours of throttling. It should be in the "
            "dead-letter queue now, see `crossover deadletters list`; if it is not there, it is lost, and the "
            "function's log names the file to upload again."
        ),
    )


def _waiting_alarm(compute: Compute, upload_queue: sqs.IQueue) -> AlarmSpec:
    """On uploads that wait in the queue, but not on one that fails: SQS counts none that it has given out three times.

    Source: docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    """
    timeout = compute.function.timeout
    assert timeout  # every function here has one
    threshold = max(WAITING_SECONDS, 3 * VISIBILITY_TIMEOUTS * timeout.to_seconds())
    return AlarmSpec(
        id="UploadsWaiting",
        metric=_oldest_upload(upload_queue),
        description=(
            f"An upload has waited in the upload queue for more than {threshold / 60:g} minutes, and after seven days "
            "it would be lost: more come than the function, or the endpoint behind it, can predict. Raise "
            "max_concurrency, and instance_count or instance_type."
        ),
        threshold=threshold,
        comparison=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        periods=3,
    )


def _event_graphs(
    compute: Compute, queue: sqs.IQueue, upload_queue: sqs.IQueue | None, rule: events.IRule | None
) -> Iterable[GraphSpec]:
    kept_or_lost = {
        "dead letters": _visible_dead_letters(queue),
        "given up": _dropped_events(compute),
        "not kept": _undelivered_events(compute),
    }
    if rule:
        kept_or_lost["lost by the rule"] = _events_lost_by(rule)
    yield GraphSpec(title="Kept or lost", metrics=kept_or_lost)
    age = compute.function.metric("AsyncEventAge", statistic="Maximum")
    yield GraphSpec(title="Waiting for the function", metrics={"longest": age}, unit="ms")
    if upload_queue:
        yield GraphSpec(
            title="Waiting in the upload queue", metrics={"longest": _oldest_upload(upload_queue)}, unit="s"
        )
        waiting = upload_queue.metric_approximate_number_of_messages_visible(statistic="Maximum")
        predicted = upload_queue.metric_approximate_number_of_messages_not_visible(statistic="Maximum")
        yield GraphSpec(title="Upload queue", metrics={"waiting": waiting, "being predicted, or failed": predicted})


# Of what S3 notifies: an alias has metrics of its own.
def _durations(compute: Compute) -> dict[str, cloudwatch.Metric]:
    return {name: compute.source.metric_duration(statistic=name) for name in PERCENTILES}


def _invocation_alarms(
    compute: Compute, upload_queue: sqs.IQueue | None, p99_alarm_seconds: float
) -> Iterable[AlarmSpec]:
    """On invocations that fail, wait or are slow."""
    tries = "Lambda tries each event three times" + (", those from the upload queue five times" if upload_queue else "")
    yield AlarmSpec(
        id="Errors",
        metric=compute.source.metric_errors(),
        description=(
            "The function has failed for ten of the last 15 minutes, so this is not transient. In its log, the "
            f"lines with `cause` say why. {tries}; what fails then is a dead letter."
        ),
        periods=3,
        breaching=2,
    )
    yield AlarmSpec(
        id="Throttles",
        metric=compute.source.metric_throttles(),
        description=(
            "The function has been throttled for 15 minutes. Of an upload in the queue each attempt counts, and after "
            "five it is a dead letter: set max_concurrency so low that the function is free for each."
            if upload_queue
            else "Events have been throttled for 15 minutes. Lambda keeps them for six hours. Raise "
            "reserved_concurrency if it is set, else ask AWS for a higher limit of concurrent executions."
        ),
        periods=3,
    )
    yield AlarmSpec(
        id="SlowestPercent",
        metric=_durations(compute)["p99"],
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


def _invocation_graphs(compute: Compute, stack_name: str) -> Iterable[GraphSpec]:
    files = {name: file_metric(stack_name, name) for name in ("Succeeded", "Refused", "Failed")}
    invocations = {
        "invocations": compute.source.metric_invocations(),
        "errors": compute.source.metric_errors(),
        "throttles": compute.source.metric_throttles(),
    }
    yield GraphSpec(title="Files", metrics=files)
    yield GraphSpec(title="Invocations", metrics=invocations)
    yield GraphSpec(title="Duration, without INIT", metrics=_durations(compute), unit="ms")
    yield GraphSpec(title="Model", metrics={"p50": file_metric(stack_name, "Inference", "p50")}, unit="ms")
    yield GraphSpec(title="Cold starts", metrics={"cold starts": file_metric(stack_name, "ColdStart")})


def cost_widget(title: str, *figures: cloudwatch.IMetric) -> cloudwatch.SingleValueWidget:
    """Figures over the whole time that the dashboard shows, idle hours included: an endpoint is billed for them."""
    return cloudwatch.SingleValueWidget(
        title=title, metrics=list(figures), set_period_to_time_range=True, width=24, height=4
    )
