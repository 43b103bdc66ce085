"""Roll-outs, parts of networks and alarms of metric math are accepted as records."""

from collections.abc import Callable
from typing import Any

from ministack.services.cloudformation import provisioners

from crossover.local.emulator.shapes import Created, Properties

# What has nothing to do here, so that a record is enough, each with the property that may name it: an alias changes at
# once, nothing is shifted step by step; there is no network, so none that could be logged or guarded.
RECORDS = {
    "AWS::CodeDeploy::Application": "ApplicationName",
    "AWS::CodeDeploy::DeploymentGroup": "DeploymentGroupName",
    "AWS::EC2::FlowLog": "",
    "AWS::EC2::SecurityGroupIngress": "",
}


def keep_records() -> None:
    """Accept resources of these types, and do nothing else with them."""

    def handlers(name_property: str) -> dict[str, Callable[..., Any]]:
        def create(logical_id: str, properties: Properties, stack: str) -> Created:
            name = properties.get(name_property) or provisioners._physical_name(stack, logical_id, max_len=100)
            return name, {"Id": name}

        return {
            "create": create,
            "update": lambda physical_id, old, new, stack: (physical_id, {"Id": physical_id}),
            "delete": lambda physical_id, properties: None,
        }

    provisioners._RESOURCE_HANDLERS |= {kind: handlers(name_property) for kind, name_property in RECORDS.items()}


def keep_alarms_of_metric_math() -> None:
    """Accept AWS::CloudWatch::Alarm over an expression. It is not computed here: such an alarm never has data."""
    record = provisioners._cw_metric_alarm_record

    def record_any(name: str, properties: Properties) -> Properties:
        if properties.get("Metrics"):
            properties = {**properties, "Metrics": None, "Namespace": "metric math", "MetricName": name}
        alarm: Properties = record(name, properties)
        return alarm

    provisioners._cw_metric_alarm_record = record_any
