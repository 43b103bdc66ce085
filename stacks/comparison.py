"""The variants compared in one dashboard."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from aws_cdk import CfnElement, CfnOutput, Duration, Environment, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from crossover.cdk import PERCENTILES, GraphSpec, Plottable, cost_widget, file_metric, graph_widget
from stacks.inference_stack import InferenceStack


class Comparison(Stack):
    """A dashboard with a line for each variant.

    It refers to no other stack, so each can be deployed and destroyed without the others. The handlers' own metrics
    have the stack's name as a dimension. Those of a function and a queue have names that CloudFormation makes of the
    stack's name and the logical id, so they are searched for: a resource that has reported within two weeks is found.
    If CloudFormation shortens a name, as it may with a stack_prefix of more than 15 characters, the search finds
    nothing.

    Cost: a dashboard, 3.00 USD a month beyond the three that are free; with more than four variants it has over 50
    metrics, so that it is none of these.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stack_name: str,
        stacks: Sequence[InferenceStack],
        env: Environment | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        description = "The variants compared"
        super().__init__(scope, construct_id, stack_name=stack_name, description=description, env=env, tags=tags)
        self._stacks = stacks
        dashboard = cloudwatch.Dashboard(self, "Dashboard", default_interval=Duration.days(1))
        dashboard.add_widgets(
            cost_widget("Cost per million predictions, USD", *self._costs()),
            cloudwatch.TextWidget(markdown=self._cost_notes(), width=24, height=3),
        )
        durations = {name: partial(_of_files, name="Duration", statistic=name) for name in PERCENTILES}
        dashboard.add_widgets(
            *(self._graph(f"Duration of a file, {name}", metric, unit="ms") for name, metric in durations.items())
        )
        dashboard.add_widgets(
            self._graph("Cold starts", lambda stack: _of_files(stack, "ColdStart")),
            self._graph("Errors", lambda stack: _of_function(stack, "Errors")),
            self._graph("Dead letters", _dead_letters),
        )
        CfnOutput(self, "DashboardName", value=dashboard.dashboard_name)

    def _graph(
        self, title: str, metric: Callable[[InferenceStack], Plottable], *, unit: str = "count"
    ) -> cloudwatch.GraphWidget:
        metrics = {stack.compute.predictor: metric(stack) for stack in self._stacks}
        return graph_widget(GraphSpec(title=title, metrics=metrics, unit=unit))

    def _costs(self) -> list[cloudwatch.IMetric]:
        return [
            stack.compute.cost.per_million(
                duration=_of_function(stack, "Duration"),
                invocations=_of_function(stack, "Invocations"),
                cold_starts=_of_files(stack, "ColdStart"),
                succeeded=_of_files(stack, "Succeeded"),
                label=stack.compute.predictor,
                suffix=str(number),
            )
            for number, stack in enumerate(self._stacks)
            if stack.compute.cost
        ]

    def _cost_notes(self) -> str:
        return "\n".join(
            f"- **{stack.compute.predictor}**: {stack.compute.cost.note if stack.compute.cost else 'no price is known'}"
            for stack in self._stacks
        )


def _of_files(stack: InferenceStack, name: str, statistic: str = "Sum") -> cloudwatch.Metric:
    return file_metric(stack.stack_name, name, statistic)


def _of_function(stack: InferenceStack, name: str) -> cloudwatch.MathExpression:
    return _search(stack, stack.compute.function, "AWS/Lambda", "FunctionName", name, "Sum")


def _dead_letters(stack: InferenceStack) -> cloudwatch.MathExpression:
    queue = stack.pipeline.dead_letter_queue
    return _search(stack, queue, "AWS/SQS", "QueueName", "ApproximateNumberOfMessagesVisible", "Maximum")


def _search(
    stack: InferenceStack, resource: Construct, namespace: str, dimension: str, metric: str, statistic: str
) -> cloudwatch.MathExpression:
    """The metric of the resource whose name begins with the stack's name and its own logical id.

    An unquoted term finds names that contain it, in this order and spelling; a quoted one only names that equal it.
    The sum over the one series found gets our label; the search alone would use its own labels.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
    """
    element = resource.node.default_child
    assert isinstance(element, CfnElement)
    name = f"{stack.stack_name}-{stack.resolve(element.logical_id)}"
    search = f"SEARCH('{{{namespace},{dimension}}} MetricName=\"{metric}\" {dimension}={name}', '{statistic}')"
    return cloudwatch.MathExpression(expression=f"SUM({search})")
