"""Metrics in CloudWatch's embedded format: CloudWatch Logs extracts them from the log lines, so no API call is needed.

Format: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import time
from collections.abc import Mapping
from typing import Any

NAMESPACE = "Crossover"
UNITS = {
    "Duration": "Milliseconds",  # from the event to the stored item
    "Inference": "Milliseconds",  # the model alone
    "ColdStart": "Count",
    "Succeeded": "Count",
    "Refused": "Count",
    "Failed": "Count",
}


def embed(stack: str, values: Mapping[str, float]) -> dict[str, Any]:
    """Members of a log line that make it carry metrics, with the stack as their only dimension.

    Args:
        stack: name of the stack.
        values: by name, each of which is in UNITS.
    """
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [["Stack"]],
        "Metrics": [{"Name": name, "Unit": UNITS[name]} for name in values],
    }
    timestamp = time.time_ns() // 1_000_000
    return {"_aws": {"Timestamp": timestamp, "CloudWatchMetrics": [directive]}, "Stack": stack, **values}
