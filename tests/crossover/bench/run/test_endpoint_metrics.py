"""SageMaker's metrics, as CloudWatch gives them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from crossover.bench.run.endpoint_metrics import count, fetch

MINUTE = datetime(2026, 9, 21, 14, 13, tzinfo=UTC)
DIMENSIONS = [{"Name": "EndpointName", "Value": "e"}, {"Name": "VariantName", "Value": "live"}]


class FakeCloudWatch:
    def __init__(self, *, known: bool = True, minutes: int = 2) -> None:
        self.known = known
        self.minutes = minutes
        self.asked: dict[str, Any] = {}

    def list_metrics(self, **asked: Any) -> dict[str, Any]:
        assert asked["Dimensions"] == DIMENSIONS[:1]
        return {"Metrics": [{"Dimensions": DIMENSIONS}] if self.known else []}

    def get_paginator(self, name: str) -> Any:
        assert name == "get_metric_data"
        return self

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        """One series a page; its values are 1000 times the number of the minute, from 1."""
        self.asked = asked
        for query in asked["MetricDataQueries"]:
            times = [MINUTE + timedelta(minutes=number) for number in range(self.minutes)]
            values = [1000.0 * (number + 1) for number in range(self.minutes)]
            yield {"MetricDataResults": [{"Id": query["Id"], "Timestamps": times, "Values": values}]}


def test_metrics_are_in_ms_by_minute() -> None:
    cloudwatch = FakeCloudWatch()
    begin = MINUTE.timestamp() + 20
    found = fetch(lambda service: cloudwatch, "e", begin=begin, end=begin + 65)
    assert found is not None
    assert (found["period_seconds"], found["unit"]) == (60, "ms")
    statistics = {"Average": 1.0, "p50": 1.0, "p99": 1.0, "Maximum": 1.0, "SampleCount": 1000.0}
    assert found["minutes"][0] == {
        "begin": MINUTE.isoformat(),
        "ModelLatency": statistics,
        "OverheadLatency": statistics,
    }
    assert found["minutes"][1]["OverheadLatency"]["p99"] == 2.0
    assert cloudwatch.asked["StartTime"] == MINUTE
    assert cloudwatch.asked["EndTime"] >= MINUTE + timedelta(seconds=85)
    metrics = {query["MetricStat"]["Metric"]["MetricName"] for query in cloudwatch.asked["MetricDataQueries"]}
    assert metrics == {"ModelLatency", "OverheadLatency"}
    assert all(
        query["MetricStat"]["Metric"]["Dimensions"] == DIMENSIONS for query in cloudwatch.asked["MetricDataQueries"]
    )
    assert count(found) == 3000


def test_without_data_in_cloudwatch_there_are_no_metrics() -> None:
    assert fetch(lambda service: FakeCloudWatch(known=False), "e", begin=0, end=60) is None
    assert fetch(lambda service: FakeCloudWatch(minutes=0), "e", begin=0, end=60) is None
    assert count(None) == 0
