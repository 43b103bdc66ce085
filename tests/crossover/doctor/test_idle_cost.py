"""What the stacks cost while nothing is uploaded, calculated by hand."""

import dataclasses
from typing import Any

import pytest

from crossover.cost.prices import load
from crossover.doctor import idle_cost
from crossover.doctor.plan import Stack
from tests.crossover.doctor.stubs import Aws, run, stack

[COST] = idle_cost.CHECKS
HOURS = 730


def price(name: str) -> float:
    return load("us-east-1")[name].value


FUNCTION = ("AWS::Lambda::Function", {"MemorySize": 4096})
ARM64 = ("AWS::Lambda::Function", {"MemorySize": 4096, "Architectures": ["arm64"]})
ALIAS = ("AWS::Lambda::Alias", {"ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": 3}})
HEALTH_CHECK = ("AWS::Lambda::Function", {"MemorySize": 8192})
ACTIONS = [{"ScalableTargetAction": {"MinCapacity": number, "MaxCapacity": 9}} for number in (2, 5)]
SCHEDULE = ("AWS::ApplicationAutoScaling::ScalableTarget", {"ScheduledActions": ACTIONS})
MAPPING: tuple[str, dict[str, Any]] = ("AWS::Lambda::EventSourceMapping", {})
SNAPSHOT = ("AWS::Lambda::Function", {"MemorySize": 4096, "SnapStart": {"ApplyOn": "PublishedVersions"}})
INSTANCES = {"InstanceType": "ml.t2.medium", "InitialInstanceCount": 2}
ENDPOINT = ("AWS::SageMaker::EndpointConfig", {"ProductionVariants": [INSTANCES]})
INTERFACE = ("AWS::EC2::VPCEndpoint", {"VpcEndpointType": "Interface", "SubnetIds": ["a", "b"]})
GATEWAY = ("AWS::EC2::VPCEndpoint", {"VpcEndpointType": "Gateway"})


def variant(name: str, function: tuple[str, Any], *others: tuple[str, Any], **more: Any) -> Stack:
    """A variant's stack, whose events invoke the function."""
    outputs = {"Predictor": name, "FunctionName": {"Ref": "R0"}}
    return stack(function, *others, outputs=outputs, **more)


def ready(count: int, kept: str, used: str) -> float:
    """USD a month of environments of 4 GB that are ready; each runs INIT, of 0.7 s, every four hours."""
    return count * 4 * HOURS * 3600 * price(kept) + count * HOURS / 4 * 0.7 * 4 * price(used)


def test_each_part_of_a_stack_has_its_price() -> None:
    prices = load("us-east-1")
    snapshot = 4 * HOURS * 3600 * price("lambda.snapstart.cache_gb_second")
    parts = {
        0.0: variant("standard", FUNCTION),
        # Five pollers that each wait 20 s for messages, of which there are none.
        5 * 3 * 60 * HOURS * price("sqs.request"): variant("standard", FUNCTION, MAPPING),
        snapshot: variant("snapstart", FUNCTION),
        0.6 * price("ecr.gb_month"): variant("container", FUNCTION),
        0.6 * price("ecr.gb_month") + snapshot: variant("container", SNAPSHOT),
        ready(3, "lambda.provisioned.gb_second", "lambda.provisioned.duration_gb_second"): variant(
            "provisioned", FUNCTION, ALIAS, HEALTH_CHECK
        ),
        ready(5, "lambda.provisioned.gb_second", "lambda.provisioned.duration_gb_second"): variant(
            "provisioned", FUNCTION, ALIAS, SCHEDULE
        ),
        ready(3, "lambda.arm.ready_gb_second", "lambda.arm.used_gb_second"): variant("provisioned", ARM64, ALIAS),
        2 * (HOURS * price("sagemaker.host.ml.t2.medium") + 30 * price("sagemaker.host.storage_gb_month")): variant(
            "sagemaker", FUNCTION, ENDPOINT
        ),
        2 * HOURS * price("vpc_endpoint.hour"): stack(INTERFACE, GATEWAY),
        1.0 + 3.0 + 0.2: stack(
            *[(f"AWS::{kind}", {}) for kind in ("KMS::Key", "CloudWatch::Dashboard")],
            *[("AWS::CloudWatch::Alarm", {})] * 2,
        ),
    }
    for usd, part in parts.items():
        assert idle_cost.idle_usd(part, prices) == pytest.approx(usd, abs=0.001)


def test_the_sum_is_said_with_its_parts(aws: Aws) -> None:
    key = stack(("AWS::KMS::Key", {}), id="One")
    assert run(COST, aws, key, variant("standard", FUNCTION, id="Two")) == [
        ("ok", "1.00 USD a month without any upload (One 1.00), us-east-1, without the free tier", "")
    ]


def test_a_region_without_prices_is_said(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.crossover.doctor.stubs.REGION", "mars-1")
    [(status, found, _)] = run(COST, aws, stack())
    assert status == "unknown"
    assert "There are no prices for region 'mars-1'" in found


REFERENCE = {"Ref": "Parameter"}


@pytest.mark.parametrize(
    "resource",
    [
        (ENDPOINT[0], {"ProductionVariants": [INSTANCES] * 2}),
        (ENDPOINT[0], {"ProductionVariants": [{**INSTANCES, "InitialInstanceCount": REFERENCE}]}),
    ],
)
def test_a_template_of_another_form_is_said(aws: Aws, resource: Any) -> None:
    [(status, found, _)] = run(COST, aws, variant("sagemaker", FUNCTION, resource))
    assert (status, "the template or AWS's answer is not as expected" in found) == ("unknown", True)


def test_a_function_of_another_form_is_said(aws: Aws) -> None:
    [(status, found, _)] = run(COST, aws, variant("standard", (FUNCTION[0], {"MemorySize": REFERENCE})))
    assert (status, "the template or AWS's answer is not as expected" in found) == ("unknown", True)


def test_an_instance_type_without_a_price_is_said(aws: Aws) -> None:
    instances = {"ProductionVariants": [{**INSTANCES, "InstanceType": "ml.new.large"}]}
    endpoint = variant("sagemaker", FUNCTION, (ENDPOINT[0], instances))
    [(status, found, _)] = run(COST, aws, dataclasses.replace(endpoint))
    assert status == "unknown"
    assert "ml.new.large" in found
