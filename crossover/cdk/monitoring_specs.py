"""Alarms and graphs as values: a variant describes them, Monitoring creates them."""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import aws_cloudwatch as cloudwatch

Plottable = cloudwatch.Metric | cloudwatch.MathExpression
NAMESPACE = "Crossover"


def file_metric(stack_name: str, name: str, statistic: str = "Sum") -> cloudwatch.Metric:
    """A metric of the handlers' log lines, with one value for each file: Duration and Inference in ms; ColdStart,
    Succeeded, Refused and Failed, each 0 or 1.
    """
    return cloudwatch.Metric(
        namespace=NAMESPACE, metric_name=name, dimensions_map={"Stack": stack_name}, statistic=statistic
    )


@dataclass(frozen=True, kw_only=True)
class AlarmSpec:
    """An alarm that goes off when the metric breaches the threshold in `breaching` of the last `periods` periods.

    Lambda and SageMaker count failures only when there are any, so by default no data means that nothing failed.

    Attributes:
        id: the construct's id.
        metric: what is watched.
        description: for the person on call: what the alarm means, and what to do.
        threshold: the value that `comparison` compares the metric with, in the metric's unit.
        periods: how many of the metric's periods are looked at.
        breaching: how many of them have to breach the threshold; None for all.
        missing: what a period without data counts as.
    """

    id: str
    metric: cloudwatch.IMetric
    description: str
    threshold: float = 1
    comparison: cloudwatch.ComparisonOperator = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
    periods: int = 1
    breaching: int | None = None
    missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING


@dataclass(frozen=True, kw_only=True)
class GraphSpec:
    """A graph of a dashboard: one line for each metric, under the metric's key; `unit` labels the axis."""

    title: str
    metrics: Mapping[str, Plottable]
    unit: str = "count"


def graph_widget(spec: GraphSpec) -> cloudwatch.GraphWidget:
    """The graph, a third of a dashboard wide."""
    lines: list[cloudwatch.IMetric] = [metric.with_(label=label) for label, metric in spec.metrics.items()]
    axis = cloudwatch.YAxisProps(label=spec.unit, min=0, show_units=False)
    return cloudwatch.GraphWidget(title=spec.title, left=lines, left_y_axis=axis, width=8, height=6)
