"""SageMaker's metrics of an endpoint: the model's latency, and the overhead that SageMaker adds.

CloudWatch aggregates these by minute, so they cannot be assigned to single requests.
https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
"""

from datetime import UTC, datetime
from typing import Literal, TypedDict

from crossover.aws import Clients

NAMESPACE = "AWS/SageMaker"
NAMES: tuple[Literal["ModelLatency", "OverheadLatency"], ...] = ("ModelLatency", "OverheadLatency")
STATISTICS = ("Average", "p50", "p99", "Maximum", "SampleCount")
PERIOD_SECONDS = 60


class Minute(TypedDict, total=False):
    """The figures of one minute by the names of STATISTICS; `begin` is ISO 8601."""

    begin: str
    ModelLatency: dict[str, float]
    OverheadLatency: dict[str, float]


class EndpointMetrics(TypedDict):
    """An endpoint's metrics in a result."""

    period_seconds: int
    unit: str
    minutes: list[Minute]


def fetch(clients: Clients, endpoint: str, *, begin: float, end: float) -> EndpointMetrics | None:
    """ModelLatency and OverheadLatency, ms, for every minute with a request; None where CloudWatch has none.

    Args:
        endpoint: its name.
        begin, end: s since 1970, by AWS's clock.

    Raises:
        botocore.exceptions.BotoCoreError, ClientError: CloudWatch did not answer.
    """
    cloudwatch = clients("cloudwatch")
    listed = cloudwatch.list_metrics(
        Namespace=NAMESPACE, MetricName=NAMES[0], Dimensions=[{"Name": "EndpointName", "Value": endpoint}]
    )["Metrics"]
    if not listed:
        return None
    queries = [
        {
            "Id": f"{name.lower()}_{statistic.lower()}",
            "MetricStat": {
                "Metric": {"Namespace": NAMESPACE, "MetricName": name, "Dimensions": listed[0]["Dimensions"]},
                "Period": PERIOD_SECONDS,
                "Stat": statistic,
            },
        }
        for name in NAMES
        for statistic in STATISTICS
    ]
    minutes: dict[datetime, Minute] = {}
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries,
        StartTime=datetime.fromtimestamp(begin // PERIOD_SECONDS * PERIOD_SECONDS, UTC),
        EndTime=datetime.fromtimestamp(end + PERIOD_SECONDS, UTC),
        ScanBy="TimestampAscending",
    )
    wanted = {query["Id"]: (name, statistic) for query, (name, statistic) in zip(queries, _names(), strict=True)}
    for page in pages:
        for series in page["MetricDataResults"]:
            name, statistic = wanted[series["Id"]]
            scale = 1.0 if statistic == "SampleCount" else 1e-3  # from µs
            for moment, value in zip(series["Timestamps"], series["Values"], strict=True):
                minute = minutes.setdefault(moment, {"begin": moment.isoformat()})
                minute.setdefault(name, {})[statistic] = value * scale
    if not minutes:
        return None
    return {
        "period_seconds": PERIOD_SECONDS,
        "unit": "ms",
        "minutes": [minutes[moment] for moment in sorted(minutes)],
    }


def count(metrics: EndpointMetrics | None) -> int:
    """The number of requests that the metrics cover."""
    minutes = metrics["minutes"] if metrics else []
    counts: list[float] = [minute.get(NAMES[0], {}).get("SampleCount", 0.0) for minute in minutes]
    return round(sum(counts))


def _names() -> list[tuple[Literal["ModelLatency", "OverheadLatency"], str]]:
    return [(name, statistic) for name in NAMES for statistic in STATISTICS]
