"""Provisioned concurrency is on the alias that S3 invokes, within what Lambda allows, and scaled only if asked to."""

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import aws_lambda as lambda_

from crossover.cdk import FunctionOptions, InvalidValueError
from crossover.cdk.compute import ProvisionedLambda
from tests.crossover.cdk.option_sets import Synthesis
from tests.crossover.cdk.templates import StackTemplate

CRON = "cron(0 7 * * ? *)"


@pytest.fixture
def default(templates: dict[str, StackTemplate]) -> StackTemplate:
    return templates["Provisioned"]


@pytest.fixture
def scaled(synthesis_of: Callable[[str], Synthesis]) -> StackTemplate:
    """With target tracking, a schedule and a canary rollout."""
    return synthesis_of("everything").templates["Provisioned"]


def test_one_environment_is_kept_ready_for_the_alias_that_s3_invokes(default: StackTemplate):
    alias = default.only("AWS::Lambda::Alias")

    assert alias.properties["ProvisionedConcurrencyConfig"] == {"ProvisionedConcurrentExecutions": 1}
    [invoked] = [
        configuration["LambdaFunctionArn"]
        for resource in default.of_type("Custom::S3BucketNotifications")
        for configuration in resource.properties["NotificationConfiguration"]["LambdaFunctionConfigurations"]
    ]
    assert invoked == f"<{alias.path}>"


def test_nothing_takes_a_snapshot(default: StackTemplate):
    assert "SnapStart" not in default.resources["Compute/Function"].properties


def test_the_environments_are_allocated_when_the_role_may_read_the_model_and_use_the_table(default: StackTemplate):
    before = default.created_before(default.only("AWS::Lambda::Alias").path)

    assert {"Compute/FunctionRole/DefaultPolicy", "Compute/FunctionLogs", "Storage/PredictionsTable"} <= before


def test_a_fixed_number_has_bounds_which_undo_earlier_scaling_and_is_not_scaled(default: StackTemplate):
    target = default.only("AWS::ApplicationAutoScaling::ScalableTarget").properties

    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 1)
    assert "ScheduledActions" not in target
    assert not default.of_type("AWS::ApplicationAutoScaling::ScalingPolicy")


def test_the_number_follows_the_utilization_between_its_bounds(scaled: StackTemplate):
    target = scaled.only("AWS::ApplicationAutoScaling::ScalableTarget").properties
    policy = scaled.only("AWS::ApplicationAutoScaling::ScalingPolicy").properties
    tracking = policy["TargetTrackingScalingPolicyConfiguration"]

    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 5)
    assert target["ScalableDimension"] == "lambda:function:ProvisionedConcurrency"
    assert tracking["TargetValue"] == 0.7
    assert tracking["PredefinedMetricSpecification"] == {
        "PredefinedMetricType": "LambdaProvisionedConcurrencyUtilization"
    }


def test_the_schedule_changes_the_bounds_by_the_clock_of_its_time_zone(scaled: StackTemplate):
    actions = scaled.only("AWS::ApplicationAutoScaling::ScalableTarget").properties["ScheduledActions"]

    assert [
        (action["Schedule"], action["Timezone"], *action["ScalableTargetAction"].values()) for action in actions
    ] == [
        ("cron(0 7 ? * MON,TUE *)", "Europe/Berlin", 5, 2),
        ("cron(0 20 * * ? *)", "Europe/Berlin", 1, 1),
    ]


def test_a_canary_rollout_moves_the_provisioned_alias(scaled: StackTemplate):
    alias = scaled.only("AWS::Lambda::Alias")

    assert alias.properties["ProvisionedConcurrencyConfig"] == {"ProvisionedConcurrentExecutions": 1}
    assert "CodeDeployLambdaAliasUpdate" in alias.definition["UpdatePolicy"]


@pytest.mark.parametrize(
    ("stack", "names"), [("default", {"ColdStarts"}), ("scaled", {"ColdStarts", "ProvisionedBusy"})]
)
def test_alarms_tell_of_cold_starts_and_where_there_can_be_several_of_environments_in_use(
    stack: str, names: set[str], request: pytest.FixtureRequest
):
    template: StackTemplate = request.getfixturevalue(stack)
    alarms = {alarm.path.removeprefix("Monitoring/"): alarm for alarm in template.of_type("AWS::CloudWatch::Alarm")}

    assert names == {"ColdStarts", "ProvisionedBusy"} & set(alarms)
    cold = alarms["ColdStarts"].properties  # a share of the files, whatever the traffic
    assert (cold["Namespace"], cold["MetricName"], cold["Statistic"]) == ("Crossover", "ColdStart", "Average")
    assert cold["Threshold"] == 0.05


def test_environments_are_busy_when_on_average_nearly_as_many_as_scaling_allows_are_in_use(scaled: StackTemplate):
    alarm = scaled.resources["Monitoring/ProvisionedBusy"].properties

    assert alarm["MetricName"] == "ProvisionedConcurrentExecutions"
    assert {"Name": "Resource", "Value": "<Compute/Function>:live"} in alarm["Dimensions"]
    assert (alarm["Statistic"], alarm["Threshold"], alarm["EvaluationPeriods"]) == ("Average", 4.5, 3)


class WithSnapStart(ProvisionedLambda):
    snap_start = lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"provisioned_concurrency": 0}, "provisioned_concurrency is 0, but must be a whole number from 1 to 10000."),
        (
            {"provisioned_concurrency": 5, "max_provisioned_concurrency": 5},
            "max_provisioned_concurrency is 5, but must be above provisioned_concurrency, 5, or none.",
        ),
        ({"provisioned_utilization": 0.95}, "provisioned_utilization is 0.95, but must be a number from 0.1 to 0.9."),
        ({"provisioned_schedule": [f"{CRON} 0-0"]}, "provisioned_schedule is .* from 1 to 10000"),
        ({"provisioned_schedule": [f"{CRON} 5-4"]}, "provisioned_schedule is .* but must be at most 20 of"),
        ({"provisioned_schedule": ["cron(0 7 * * MON *) 1-2"]}, "provisioned_schedule is"),  # neither day is `?`
        ({"provisioned_schedule": ["rate(1 hour) 1-2"]}, "provisioned_schedule is"),
        ({"provisioned_schedule": ["cron(99 7 ? * MON-FRI *) 1-3"]}, "provisioned_schedule is"),
        ({"provisioned_schedule": ["cron(0 24 ? * MON-FRI *) 1-3"]}, "provisioned_schedule is"),
        ({"provisioned_schedule": ["cron(0 7 ? 13 MON-FRI *) 1-3"]}, "provisioned_schedule is"),
        ({"provisioned_schedule": ["cron(0 7 ? * FOO *) 1-3"]}, "provisioned_schedule is"),
        ({"provisioned_schedule": ["cron(0 7 32 * ? *) 1-3"]}, "provisioned_schedule is"),
        ({"provisioned_schedule": ["cron(0 7 * * ? 1) 1-3"]}, "provisioned_schedule is"),
        ({"provisioned_time_zone": "Mars/Olympus"}, "provisioned_time_zone is 'Mars/Olympus', but must be a time zone"),
    ],
)
def test_values_that_make_no_sense_are_refused_by_name(settings: dict[str, Any], said: str):
    with pytest.raises(InvalidValueError, match=said):
        create(**settings)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"provisioned_concurrency": 3}, "provisioned_concurrency is 3"),
        ({"max_provisioned_concurrency": 3}, "max_provisioned_concurrency is 3"),
        ({"provisioned_schedule": [f"{CRON} 1-3"]}, r"provisioned_schedule 'cron\(0 7 \* \* \? \*\) 1-3' is 3"),
    ],
)
def test_no_more_is_provisioned_than_the_function_reserves(settings: dict[str, Any], name: str):
    with pytest.raises(InvalidValueError, match=f"{name}, but must be at most reserved_concurrency, 2,"):
        create(options=FunctionOptions(reserved_concurrency=2), **settings)


def test_snapstart_is_refused_by_name():
    said = "snap_start is on, but must be None: Lambda has no provisioned concurrency with SnapStart."
    with pytest.raises(InvalidValueError, match=said):
        create(WithSnapStart)


def create(variant: type[ProvisionedLambda] = ProvisionedLambda, **settings: Any) -> None:
    """Of what is refused before anything is made of it."""
    variant(None, "Compute", storage=None, model=None, **settings)  # type: ignore[arg-type]
