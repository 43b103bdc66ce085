"""What the emulator only records, tested through AWS's APIs."""

import boto3
import pytest

from crossover.local.work import LocalAws

from .stacks import deploy

pytestmark = pytest.mark.slow


def test_resources_without_a_function_here_are_recorded(aws: LocalAws) -> None:
    application = {"Type": "AWS::CodeDeploy::Application", "Properties": {"ComputePlatform": "Lambda"}}
    group = {
        "Type": "AWS::CodeDeploy::DeploymentGroup",
        "Properties": {"ApplicationName": {"Ref": "Application"}, "ServiceRoleArn": "any"},
    }
    metric = {"Namespace": "n", "MetricName": "m"}
    queries = [
        {"Id": "one", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, "ReturnData": False},
        {"Id": "twice", "Expression": "2 * one"},
    ]
    alarm = {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "Metrics": queries,
            "Threshold": 1,
            "EvaluationPeriods": 1,
            "ComparisonOperator": "GreaterThanThreshold",
        },
    }
    flow_log = {"Type": "AWS::EC2::FlowLog", "Properties": {"ResourceId": "vpc", "ResourceType": "VPC"}}
    resources = {"Application": application, "Group": group, "Alarm": alarm, "FlowLog": flow_log}
    outputs = deploy("records", resources, {"Group": {"Ref": "Group"}, "Alarm": {"Ref": "Alarm"}})
    assert outputs["Group"]
    [found] = boto3.client("cloudwatch").describe_alarms(AlarmNames=[outputs["Alarm"]])["MetricAlarms"]
    assert found["StateValue"] == "INSUFFICIENT_DATA"
