"""What the stacks cost while nothing is uploaded, calculated by hand."""

import dataclasses
from typing import Any

import pytest

from crossover.cost.prices import load
from crossover.doctor import idle_cost
from tests.crossover.doctor.stubs import Aws, run, stack

[COST] = idle_cost.CHECKS
HOURS = 730


def price(name: str) -> float:
    return load("us-east-1")[name].value


FUNCTION = ("AWS::Lambda::Function", {"MemorySize": 4096})
SNAPSHOT = ("AWS::Lambda::Function", {"MemorySize": 4096, "SnapStart": {"ApplyOn": "PublishedVersions"}})
INSTANCES = {"InstanceType": "ml.t2.medium", "InitialInstanceCount": 2}
ENDPOINT = ("AWS::SageMaker::EndpointConfig", {"ProductionVariants": [INSTANCES]})
INTERFACE = ("AWS::EC2::VPCEndpoint", {"VpcEndpointType": "Interface", "SubnetIds": ["a", "b"]})
GATEWAY = ("AWS::EC2::VPCEndpoint", {"VpcEndpointType": "Gateway"})


def test_each_part_of_a_stack_has_its_price() -> None:
    prices = load("us-east-1")
    parts = {
        0.0: stack(FUNCTION, outputs={"Predictor": "standard"}),
        4 * HOURS * 3600 * price("lambda.snapstart.cache_gb_second"): stack(
            FUNCTION, outputs={"Predictor": "snapstart"}
        ),
        0.6 * price("ecr.gb_month"): stack(FUNCTION, outputs={"Predictor": "container"}),
        0.6 * price("ecr.gb_month") + 4 * HOURS * 3600 * price("lambda.snapstart.cache_gb_second"): stack(
            SNAPSHOT, outputs={"Predictor": "container"}
        ),
        3 * 4 * HOURS * 3600 * price("lambda.provisioned.gb_second")
        + 3 * HOURS / 4 * 0.7 * 4 * price("lambda.provisioned.duration_gb_second"): stack(
            FUNCTION,
            ("AWS::Lambda::Alias", {"ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": 3}}),
            outputs={"Predictor": "provisioned"},
        ),
        2 * (HOURS * price("sagemaker.host.ml.t2.medium") + 30 * price("sagemaker.host.storage_gb_month")): stack(
            FUNCTION, ENDPOINT, outputs={"Predictor": "sagemaker"}
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
    assert run(COST, aws, key, stack(FUNCTION, id="Two", outputs={"Predictor": "standard"})) == [
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
        (FUNCTION[0], {"MemorySize": REFERENCE}),
        (ENDPOINT[0], {"ProductionVariants": [INSTANCES] * 2}),
        (ENDPOINT[0], {"ProductionVariants": [{**INSTANCES, "InitialInstanceCount": REFERENCE}]}),
    ],
)
def test_a_template_of_another_form_is_said(aws: Aws, resource: Any) -> None:
    [(status, found, _)] = run(COST, aws, stack(FUNCTION, resource, outputs={"Predictor": "sagemaker"}))
    assert (status, "the template or AWS's answer is not as expected" in found) == ("unknown", True)


def test_an_instance_type_without_a_price_is_said(aws: Aws) -> None:
    instances = {"ProductionVariants": [{**INSTANCES, "InstanceType": "ml.new.large"}]}
    endpoint = stack((ENDPOINT[0], instances), outputs={"Predictor": "sagemaker"})
    [(status, found, _)] = run(COST, aws, dataclasses.replace(endpoint))
    assert status == "unknown"
    assert "ml.new.large" in found
