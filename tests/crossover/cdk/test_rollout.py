"""A new version is checked, gets a tenth of the traffic, and is rolled back if it fails; no event is lost."""

from pathlib import Path
from typing import Any

import pytest

from app import add_stacks
from tests.crossover.cdk.dashboards import synthesize
from tests.crossover.cdk.linting import lint_findings
from tests.crossover.cdk.templates import StackTemplate, nag_findings, new_app

STACKS = ["Standard", "SnapStart", "SageMaker"]
VERSION = "<Compute/Function/CurrentVersion>"


@pytest.fixture(scope="module")
def canary(model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, StackTemplate]:
    return synthesize(tmp_path_factory.mktemp("canary"), model_path=str(model_path), rollout="canary")


@pytest.fixture(params=STACKS)
def any_canary(request: pytest.FixtureRequest, canary: dict[str, StackTemplate]) -> StackTemplate:
    return canary[request.param]


def logical_ids(template: StackTemplate, type_: str) -> set[str]:
    return {key for key, resource in template.body["Resources"].items() if resource["Type"] == type_}


# --- the Lambda variants, and the proxy


def test_all_at_once_needs_no_codedeploy_and_no_alias_beyond_snapstarts(templates: dict[str, StackTemplate]):
    for stack in STACKS:
        types = {resource.type for resource in templates[stack].resources.values()}
        assert not [type_ for type_ in types if "CodeDeploy" in type_]
        assert ("AWS::Lambda::Alias" in types) == (stack == "SnapStart")
        assert "UpdatePolicy" not in str(templates[stack].body)


def test_everything_that_reaches_the_function_goes_through_the_alias(any_canary: StackTemplate):
    alias = any_canary.only("AWS::Lambda::Alias")
    notified = any_canary.only("Custom::S3BucketNotifications").properties["NotificationConfiguration"]
    invoked = [each["LambdaFunctionArn"] for each in notified.get("LambdaFunctionConfigurations", [])]
    invoked += [each.properties["FunctionName"] for each in any_canary.of_type("AWS::Lambda::EventSourceMapping")]

    assert (alias.path, alias.properties["Name"]) == ("Compute/Live", "live")
    assert alias.properties["FunctionVersion"] == "<Compute/Function/CurrentVersion.Version>"
    assert len(invoked) == 1 and "<Compute/Live>" in invoked[0]
    # Of the function itself, for events that come late, see test_pipeline.py.
    assert "<Compute/Live>" in {
        each.properties["FunctionName"] for each in any_canary.of_type("AWS::Lambda::Permission")
    }
    assert "<Compute/Live>" in str([each.properties for each in any_canary.of_type("AWS::Lambda::EventInvokeConfig")])
    assert any_canary.outputs["HandlerArn"] == "<Compute/Live>"


def test_codedeploy_moves_the_alias_a_tenth_first(any_canary: StackTemplate):
    alias = any_canary.only("AWS::Lambda::Alias").definition
    group = any_canary.only("AWS::CodeDeploy::DeploymentGroup")

    assert alias["UpdatePolicy"] == {
        "CodeDeployLambdaAliasUpdate": {
            "ApplicationName": f"<{any_canary.only('AWS::CodeDeploy::Application').path}>",
            "DeploymentGroupName": f"<{group.path}>",
            "BeforeAllowTrafficHook": "<Compute/Rollout/HealthCheck>",
        }
    }
    assert group.properties["DeploymentConfigName"] == "CodeDeployDefault.LambdaCanary10Percent5Minutes"
    assert group.properties["DeploymentStyle"]["DeploymentOption"] == "WITH_TRAFFIC_CONTROL"


def test_a_failed_check_and_the_alarm_both_bring_the_old_version_back(any_canary: StackTemplate):
    group = any_canary.only("AWS::CodeDeploy::DeploymentGroup").properties

    assert group["AlarmConfiguration"] == {"Enabled": True, "Alarms": [{"Name": "<Compute/Rollout/NewVersionFails>"}]}
    assert group["AutoRollbackConfiguration"] == {
        "Enabled": True,
        "Events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"],
    }


def test_the_alarm_sees_the_new_version_only(any_canary: StackTemplate):
    alarm = any_canary.resources["Compute/Rollout/NewVersionFails"].properties

    assert {entry["Name"]: entry["Value"] for entry in alarm["Dimensions"]} == {
        "FunctionName": "<Compute/Function>",
        "Resource": "<Compute/Function>:live",
        "ExecutedVersion": "<Compute/Function/CurrentVersion.Version>",
    }
    # The share of invocations that fail, within the five minutes that the canary takes.
    assert (alarm["MetricName"], alarm["Statistic"], alarm["Threshold"]) == ("Errors", "Average", 0.1)
    assert alarm["Period"] * alarm["EvaluationPeriods"] <= 300
    assert alarm["TreatMissingData"] == "notBreaching"


def test_a_new_version_gets_a_new_alarm_that_has_never_gone_off(model_path: Path, tmp_path: Path):
    alarms: list[str] = []
    versions: list[str] = []
    for memory in (4096, 2048):
        template = synthesize(
            tmp_path / str(memory),
            model_path=str(model_path),
            variants="standard",
            rollout="canary",
            monitoring="false",
            memory_mb=memory,
        )["Standard"]
        alarms += logical_ids(template, "AWS::CloudWatch::Alarm")
        versions += logical_ids(template, "AWS::Lambda::Version")

    assert len(set(alarms)) == len(alarms) == 2
    assert len(set(versions)) == len(versions) == 2


def test_the_rollback_alarm_exists_without_monitoring(model_path: Path, tmp_path: Path):
    templates = synthesize(tmp_path, model_path=str(model_path), rollout="canary", monitoring="false")

    paths = {stack: {alarm.path for alarm in templates[stack].of_type("AWS::CloudWatch::Alarm")} for stack in STACKS}
    version = "Compute/Rollout/NewVersionFails"
    assert paths == {
        "Standard": {version},
        "SnapStart": {version},
        "SageMaker": {version, "Compute/NewMachinesFail"},
    }


def test_one_version_is_published_and_an_update_deletes_the_one_it_replaces(any_canary: StackTemplate):
    version = any_canary.only("AWS::Lambda::Version").definition

    assert (version["DeletionPolicy"], version["UpdateReplacePolicy"]) == ("Delete", "Delete")
    # It is replaced, not changed: CloudFormation deletes it after everything else, the alias included, has moved.
    assert "Compute/Function/CurrentVersion" in any_canary.created_before("Compute/Live")


def test_the_alias_moves_after_its_alarm_and_health_check_exist(any_canary: StackTemplate):
    before = any_canary.created_before("Compute/Live")

    assert before >= {
        "Compute/Rollout/DeploymentGroup",
        "Compute/Rollout/DeploymentGroup/ServiceRole/DefaultPolicy",
        "Compute/Rollout/HealthCheck",
        "Compute/Rollout/HealthCheckRole/DefaultPolicy",
        "Compute/Rollout/NewVersionFails",
        "Compute/Function/CurrentVersion",
    }


# --- the health check


def test_the_health_check_invokes_the_new_version_and_has_time_for_it(any_canary: StackTemplate):
    function = any_canary.resources["Compute/Rollout/HealthCheck"].properties

    assert function["Handler"] == "health_check_handler.handler"
    assert function["Environment"]["Variables"]["CHECKED_VERSION"] == VERSION
    assert function["Timeout"] == 300


def test_the_health_check_may_invoke_that_function_report_to_that_group_and_log(any_canary: StackTemplate):
    group = any_canary.only("AWS::CodeDeploy::DeploymentGroup").path
    application = any_canary.only("AWS::CodeDeploy::Application").path
    logs = "<Compute/Rollout/HealthCheckLogs.Arn>"

    assert any_canary.grants("Compute/Rollout/HealthCheckRole") == {
        ("logs:CreateLogStream", logs),
        ("logs:PutLogEvents", logs),
        ("lambda:InvokeFunction", "<Compute/Function.Arn>:*"),
        (
            "codedeploy:PutLifecycleEventHookExecutionStatus",
            f"arn:<AWS::Partition>:codedeploy:<AWS::Region>:<AWS::AccountId>:deploymentgroup:<{application}>/<{group}>",
        ),
    }


def test_the_health_check_does_not_use_reserved_concurrency(model_path: Path, tmp_path: Path):
    template = synthesize(
        tmp_path,
        model_path=str(model_path),
        variants="standard",
        rollout="canary",
        network="isolated",
        reserved_concurrency="5",
    )["Standard"]
    function = template.resources["Compute/Rollout/HealthCheck"].properties

    assert "ReservedConcurrentExecutions" not in function
    assert "VpcConfig" not in function  # where it would need ways to Lambda and CodeDeploy
    assert "METRICS_STACK" not in function["Environment"]["Variables"]


# --- the endpoint


def deployment(template: StackTemplate) -> dict[str, Any]:
    config: dict[str, Any] = template.resources["Compute/Endpoint"].properties["DeploymentConfig"]
    return config


def test_all_at_once_leaves_the_update_of_the_endpoint_to_sagemaker(sagemaker: StackTemplate):
    assert "DeploymentConfig" not in sagemaker.resources["Compute/Endpoint"].properties


def test_a_single_instance_takes_over_at_once_and_bakes_while_the_old_one_is_kept(canary: dict[str, StackTemplate]):
    assert deployment(canary["SageMaker"])["BlueGreenUpdatePolicy"] == {
        "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 600}
    }


@pytest.mark.parametrize(("instances", "first"), [(2, 1), (9, 1), (10, 1), (40, 4)])
def test_of_several_instances_a_tenth_gets_traffic_first(model_path: Path, tmp_path: Path, instances: int, first: int):
    template = synthesize(
        tmp_path, model_path=str(model_path), variants="sagemaker", rollout="canary", instance_count=instances
    )["SageMaker"]
    routing = deployment(template)["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]

    assert routing == {
        "Type": "CANARY",
        "CanarySize": {"Type": "INSTANCE_COUNT", "Value": first},
        "WaitIntervalInSeconds": 600,
    }
    assert first <= instances / 2  # SageMaker's limit


def test_the_endpoint_rolls_back_on_errors_of_the_new_instances_only(canary: dict[str, StackTemplate]):
    template = canary["SageMaker"]
    alarm = template.resources["Compute/NewMachinesFail"].properties
    dimensions = {entry["Name"]: entry["Value"] for entry in alarm["Dimensions"]}

    assert deployment(template)["AutoRollbackConfiguration"] == {"Alarms": [{"AlarmName": "<Compute/NewMachinesFail>"}]}
    assert dimensions == {
        "EndpointName": template.resources["Compute/Endpoint"].properties["EndpointName"],
        "VariantName": "live",
        "EndpointConfigName": "<Compute/EndpointConfig.EndpointConfigName>",
    }
    assert (alarm["MetricName"], alarm["Statistic"], alarm["Threshold"]) == ("Invocation5XXErrors", "Average", 0.1)
    assert alarm["Period"] * alarm["EvaluationPeriods"] <= 600  # the time they bake


def test_the_endpoint_is_updated_after_its_alarm_exists_and_is_readable(canary: dict[str, StackTemplate]):
    template = canary["SageMaker"]

    assert {"Compute/NewMachinesFail", "Compute/SeeAlarm"} <= template.created_before("Compute/Endpoint")
    assert ("cloudwatch:DescribeAlarms", "<Compute/NewMachinesFail.Arn>") in template.grants("Compute/ExecutionRole")


# --- the whole


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {
            "network": "isolated",
            "encryption": "customer",
            "permissions_boundary": "team-boundary",
            "removal_policy": "retain",
            "instance_count": "4",
            "alarm_topic_arn": "arn:aws:sns:eu-west-1:123456789012:on-call",
        },
    ],
    ids=["default", "everything"],
)
def test_cdk_nag_and_cfn_lint_report_nothing(model_path: Path, tmp_path: Path, settings: dict[str, str]):
    app = new_app(tmp_path, model_path=str(model_path), rollout="canary", **settings)
    add_stacks(app)

    assert nag_findings(app) == []
    # Of a cycle of dependencies too (E3004).
    assert {path.name: lint_findings(path.read_text()) for path in tmp_path.glob("*.template.json")} == {
        f"{stack}.template.json": [] for stack in [*STACKS, "Comparison"]
    }


def test_the_managed_policy_of_codedeploy_is_the_limited_one(any_canary: StackTemplate):
    role = any_canary.resources["Compute/Rollout/DeploymentGroup/ServiceRole"].properties

    assert role["ManagedPolicyArns"] == [
        "arn:<AWS::Partition>:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited"
    ]
