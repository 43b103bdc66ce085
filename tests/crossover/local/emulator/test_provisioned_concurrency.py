"""Provisioned concurrency and its scaling in the emulator, tested through AWS's APIs."""

import json
import os
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, WaiterError

from crossover.bench.run.cold import Overflow
from crossover.bench.run.context import Clock
from crossover.bench.run.report_lines import Report, parse
from crossover.local.work import LocalAws
from tests.crossover.waiting import wait_until

from .stacks import ROLE, deploy, role

pytestmark = pytest.mark.slow
HANDLER = """
import os, time

kind = os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]
if os.environ.get("BROKEN"):
    raise RuntimeError("no model here")

def ask(service, operation, **arguments):
    import boto3

    try:
        return getattr(boto3.client(service), operation)(**arguments)
    except Exception as error:
        return str(error)

def handler(event, context):
    if event.get("ask"):
        return [
            ask(
                "lambda", "get_provisioned_concurrency_config", FunctionName=context.function_name, Qualifier="live"
            ),
            ask("application-autoscaling", "describe_scalable_targets", ServiceNamespace="lambda"),
        ]
    time.sleep(event.get("seconds", 0))
    return {"kind": kind, "process": os.getpid(), "version": context.function_version}
"""
TYPE = "AWS::ApplicationAutoScaling"
BERLIN = ZoneInfo("Europe/Berlin")
DAY = (datetime.now(BERLIN) + timedelta(hours=6)).replace(minute=0, second=0, microsecond=0)
NIGHT = DAY + timedelta(hours=12)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)  # nothing is due


def resources(
    *, version: str = "One", count: int | None = 2, reserved: int | None = None, broken: bool = False, **scaling: Any
) -> dict[str, Any]:
    """A function whose alias `live` has provisioned concurrency, and is scaled where there are bounds."""
    provisioned = {"ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": count}} if count else {}
    variables = {"VERSION": version, **({"BROKEN": "yes"} if broken else {})}
    properties = {"Runtime": "python3.12", "Handler": "index.handler", "Role": ROLE, "Timeout": 30}
    more = {"Code": {"ZipFile": HANDLER}, "Environment": {"Variables": variables}}
    reserving = {"ReservedConcurrentExecutions": reserved} if reserved else {}
    made: dict[str, Any] = {
        "Role": role("lambda", logs_CreateLogStream="*", logs_PutLogEvents="*"),
        "Function": {"Type": "AWS::Lambda::Function", "Properties": {**properties, **more, **reserving}},
        version: {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Function"}}},
        "Live": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {
                "FunctionName": {"Ref": "Function"},
                "FunctionVersion": {"Fn::GetAtt": [version, "Version"]},
                "Name": "live",
                **provisioned,
            },
        },
    }
    if scaling:
        made["Target"] = {
            "Type": f"{TYPE}::ScalableTarget",
            "DependsOn": "Live",
            "Properties": {
                "ServiceNamespace": "lambda",
                "ScalableDimension": "lambda:function:ProvisionedConcurrency",
                "ResourceId": {"Fn::Sub": "function:${Function}:live"},
                **scaling,
            },
        }
        made["Policy"] = {
            "Type": f"{TYPE}::ScalingPolicy",
            "Properties": {
                "PolicyName": "tracking",
                "PolicyType": "TargetTrackingScaling",
                "ScalingTargetId": {"Ref": "Target"},
                "TargetTrackingScalingPolicyConfiguration": {"TargetValue": 0.7},
            },
        }
    return made


OUTPUTS = {"Function": {"Ref": "Function"}}


def invoke(function: str, qualifier: str = "live", **event: Any) -> Any:
    client = boto3.client("lambda", config=Config(retries={"max_attempts": 0}))  # a throttle is to be seen
    response = client.invoke(FunctionName=function, Qualifier=qualifier, Payload=json.dumps(event))
    return json.load(response["Payload"])


def at_once(function: str, count: int, **event: Any) -> list[dict[str, Any]]:
    """The answers to invocations of the alias at the same time."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: invoke(function, **event), range(count)))


def config(function: str, qualifier: str = "live") -> dict[str, Any]:
    found: dict[str, Any] = boto3.client("lambda").get_provisioned_concurrency_config(
        FunctionName=function, Qualifier=qualifier
    )
    return found


def put(function: str, count: int, qualifier: str = "live") -> None:
    boto3.client("lambda").put_provisioned_concurrency_config(
        FunctionName=function, Qualifier=qualifier, ProvisionedConcurrentExecutions=count
    )


def requested(function: str) -> int:
    count: int = config(function)["RequestedProvisionedConcurrentExecutions"]
    return count


def reports(function: str) -> list[Report]:
    events = boto3.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]
    return [report for event in events if (report := parse(event["message"]))]


Deploy = Callable[..., str]


@pytest.fixture
def stack(aws: LocalAws) -> Iterator[Deploy]:
    """Deploys a function, and updates it when called again."""
    yield lambda **settings: deploy("provisioned", resources(**settings), OUTPUTS)["Function"]
    boto3.client("cloudformation").delete_stack(StackName="provisioned")
    waiter = boto3.client("cloudformation").get_waiter("stack_delete_complete")
    waiter.wait(StackName="provisioned", WaiterConfig={"Delay": 1})


def test_what_is_provisioned_is_warm_and_what_is_beyond_it_cold(stack: Deploy) -> None:
    function = stack(count=2)
    assert (config(function)["Status"], config(function)["AvailableProvisionedConcurrentExecutions"]) == ("READY", 2)
    answers = at_once(function, 3, seconds=1)
    assert sorted(answer["kind"] for answer in answers) == ["on-demand", *["provisioned-concurrency"] * 2]
    assert sorted(report.init_ms is not None for report in reports(function)) == [False, False, True]
    assert invoke(function)["kind"] == "provisioned-concurrency"  # although one on demand is free, too
    assert invoke(function, "$LATEST")["kind"] == "on-demand"
    for name in ("ProvisionedConcurrencySpilloverInvocations", "ProvisionedConcurrentExecutions"):
        dimensions = [{"Name": "Resource", "Value": f"{function}:live"}]
        assert boto3.client("cloudwatch").list_metrics(MetricName=name, Dimensions=dimensions)["Metrics"]


def test_an_alias_moves_when_the_new_version_is_ready(stack: Deploy) -> None:
    function = stack(count=1)
    old = invoke(function)
    with ThreadPoolExecutor(1) as pool:
        update = pool.submit(stack, count=1, version="Two")
        answers = []
        while not update.done():
            answers.append(invoke(function))
        update.result()
    assert {answer["kind"] for answer in answers} == {"provisioned-concurrency"}  # no cold start in between
    new = invoke(function)
    assert (old["version"], new["version"], new["kind"]) == ("1", "2", "provisioned-concurrency")
    wait_until(lambda: not is_running(old["process"]))


def test_a_version_whose_init_fails_is_rolled_back_once_the_alias_has_no_weight(stack: Deploy) -> None:
    function = stack(count=1)
    with pytest.raises(WaiterError, match="UPDATE_ROLLBACK_FAILED"):
        stack(count=1, version="Two", broken=True)
    assert "no model here" in failure_of("Live")
    assert invoke(function)["version"] == "1"

    none: Any = {"AdditionalVersionWeights": {}}
    boto3.client("lambda").update_alias(FunctionName=function, Name="live", FunctionVersion="1", RoutingConfig=none)
    client = boto3.client("cloudformation")
    client.continue_update_rollback(StackName="provisioned")
    client.get_waiter("stack_rollback_complete").wait(StackName="provisioned", WaiterConfig={"Delay": 1})

    assert invoke(function) | {"process": 0} == {"kind": "provisioned-concurrency", "process": 0, "version": "1"}


def test_an_alias_does_not_move_once_scaling_has_taken_its_configuration_away(stack: Deploy) -> None:
    function = stack(count=1)
    boto3.client("lambda").delete_provisioned_concurrency_config(FunctionName=function, Qualifier="live")
    with pytest.raises(WaiterError):
        stack(count=1, version="Two")
    assert "No Provisioned Concurrency Config found" in failure_of("Live")


def test_an_environment_that_ends_is_replaced_and_deleting_ends_all(stack: Deploy) -> None:
    function = stack(count=1)
    first = invoke(function)["process"]
    os.kill(first, 9)
    wait_until(lambda: invoke(function)["kind"] == "provisioned-concurrency")
    second = invoke(function)
    assert second["process"] != first
    boto3.client("lambda").delete_provisioned_concurrency_config(FunctionName=function, Qualifier="live")
    wait_until(lambda: not is_running(second["process"]))
    with pytest.raises(ClientError, match="No Provisioned Concurrency Config"):
        config(function)


def test_a_benchmark_forces_cold_starts_on_demand_and_gives_back_what_is_kept_ready(stack: Deploy) -> None:
    function = stack(count=2)
    clock = Clock(sleep=lambda _: time.sleep(0.1))
    starts = Overflow(boto3.client("lambda"), function, "live", run_id="abc", clock=clock, provisioned=2)
    assert invoke(function)["kind"] == "provisioned-concurrency"

    for _ in range(2):
        starts.force()
        assert invoke(function)["kind"] == "on-demand"
    assert starts.undo() == []

    assert config(function)["AvailableProvisionedConcurrentExecutions"] == 2
    assert starts.allocation_seconds is not None
    assert invoke(function) | {"process": 0} == {"kind": "provisioned-concurrency", "process": 0, "version": "1"}


def test_throttled_beyond_what_is_reserved_and_provisioned(stack: Deploy) -> None:
    function = stack(count=1, reserved=1)
    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(invoke, function, seconds=1) for _ in range(2)]
    failures = [str(call.exception()) for call in calls if call.exception()]
    assert len(failures) == 1
    assert "TooManyRequestsException" in failures[0]
    with pytest.raises(ClientError, match="TooManyRequests"):  # what is provisioned is not for others
        invoke(function, "$LATEST")
    with pytest.raises(ClientError, match="not be greater than the reservedConcurrentExecution"):
        put(function, 2)


def test_going_back_to_a_fixed_number_brings_down_what_scaling_had_reached(stack: Deploy) -> None:
    function = stack(count=1, MinCapacity=1, MaxCapacity=3)
    put(function, 3)
    stack(count=1, MinCapacity=1, MaxCapacity=1)
    assert requested(function) == 1


@pytest.fixture(scope="module")
def scaled(aws: LocalAws) -> str:
    """A function that is scaled from 1 to 3 by its load, some hours from now from 2, and later not at all."""
    actions = [
        {
            "ScheduledActionName": name,
            "Schedule": schedule,
            "Timezone": "Europe/Berlin",
            "ScalableTargetAction": {"MinCapacity": low, "MaxCapacity": high},
        }
        for name, schedule, low, high in [
            ("day", f"cron(0 {DAY.hour} * * ? *)", 2, 3),
            ("night", f"cron(0 {NIGHT.hour} * * ? *)", 0, 0),
        ]
    ]
    made = resources(count=1, MinCapacity=1, MaxCapacity=3, ScheduledActions=actions)
    return deploy("scaled", made, OUTPUTS)["Function"]


@pytest.mark.parametrize(
    ("count", "qualifier", "said"),
    [
        (901, "live", r"below its minimum value of \[100\]"),
        (1, "$LATEST", "unpublished function versions"),
        (1, "1", "already Provisioned version"),
    ],
)
def test_what_lambda_refuses(scaled: str, count: int, qualifier: str, said: str) -> None:
    with pytest.raises(ClientError, match=said):
        put(scaled, count, qualifier)


def test_a_role_may_look_at_it_only_if_it_is_allowed_to(scaled: str) -> None:
    answers = invoke(scaled, ask=True)
    for answer, action in zip(
        answers,
        ("lambda:GetProvisionedConcurrencyConfig", "application-autoscaling:DescribeScalableTargets"),
        strict=True,
    ):
        assert "AccessDenied" in answer
        assert f"not authorized to perform: {action}" in answer


def test_it_scales_with_the_load_between_its_bounds(aws: LocalAws, scaled: str) -> None:
    assert [tick(aws, scaled) for _ in range(4)] == [1] * 4  # no load
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(at_once, scaled, 2, seconds=2)
        wait_until(lambda: tick(aws, scaled) == 2)  # ceil(1 * 1 / 0.7)
        wait_until(lambda: config(scaled)["Status"] == "READY")
        running.result()
    put(scaled, 3)
    wait_until(lambda: config(scaled)["Status"] == "READY")
    for _ in range(20):
        tick(aws, scaled)  # without traffic, it stays
    assert requested(scaled) == 3
    for _ in range(16):
        invoke(scaled)
        tick(aws, scaled)
    assert requested(scaled) == 2  # ceil(3 * 1/3 / 0.7)
    [target] = boto3.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="lambda")[
        "ScalableTargets"
    ]
    assert (target["ResourceId"], target["MinCapacity"], target["MaxCapacity"]) == (f"function:{scaled}:live", 1, 3)


def test_it_scales_by_the_clock_of_the_time_zone(aws: LocalAws, scaled: str) -> None:
    put(scaled, 1)
    assert tick(aws, scaled, DAY - timedelta(minutes=1)) == 1
    assert tick(aws, scaled, DAY) == 2
    assert tick(aws, scaled, DAY + timedelta(minutes=1)) == 2
    assert tick(aws, scaled, NIGHT) == 0
    wait_until(lambda: invoke(scaled)["kind"] == "on-demand")  # environments end in the background
    assert tick(aws, scaled, DAY + timedelta(days=1)) == 2


def tick(aws: LocalAws, function: str, at: datetime = LONG_AGO) -> int:
    """Ends a period of scaling at a time; returns the provisioned concurrency of the function."""
    url = f"{aws.running().endpoint}/_crossover/scaling"
    with urllib.request.urlopen(urllib.request.Request(url, at.isoformat().encode())) as answer:
        count: int = json.load(answer)[f"function:{function}:live"]
    return count


def failure_of(resource: str) -> str:
    """Why the first update of a resource that failed did."""
    events = boto3.client("cloudformation").describe_stack_events(StackName="provisioned")["StackEvents"]
    first = [event for event in events if event["ResourceStatus"] == "UPDATE_FAILED"][-1]  # the newest is the first
    assert first["LogicalResourceId"] == resource
    reason: str = first["ResourceStatusReason"]
    return reason


def is_running(process: int) -> bool:
    return Path("/proc", str(process)).exists()
