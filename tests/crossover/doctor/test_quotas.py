"""Quotas that Service Quotas knows."""

from typing import Any

import pytest

from crossover.doctor import quotas
from crossover.doctor.plan import Stack
from tests.crossover.doctor.stubs import Aws, run, stack

INSTANCES, VPCS = quotas.CHECKS


def with_endpoint(instance_type: str = "ml.t2.medium", count: int = 1, **more: Any) -> Stack:
    variant = {"InstanceType": instance_type, "InitialInstanceCount": count}
    return stack(("AWS::SageMaker::EndpointConfig", {"ProductionVariants": [variant]}), id="SageMaker", **more)


def has_quota(aws: Aws, value: float, service: str = "sagemaker", code: str = "L-29C181D7") -> None:
    aws.answers("service-quotas", "get_service_quota", {"Quota": {"Value": value}}, ServiceCode=service, QuotaCode=code)


@pytest.mark.parametrize(
    ("count", "quota", "status"),
    [(1, 2.0, "ok"), (1, 1.0, "warning"), (1, 0.0, "fails"), (3, 4.0, "warning"), (3, 2.0, "fails"), (3, 6.0, "ok")],
)
def test_an_update_needs_twice_as_many_instances(aws: Aws, count: int, quota: float, status: str) -> None:
    has_quota(aws, quota)
    [(found_status, found, todo)] = run(INSTANCES, aws, with_endpoint(count=count))
    assert found_status == status
    assert found.startswith(f"{count} x ml.t2.medium")
    assert f"the quota is {quota:g}" in found
    assert status == "ok" or "ml.t2.medium for endpoint usage (L-29C181D7)" in todo


def test_the_endpoints_of_all_stacks_count_together(aws: Aws) -> None:
    has_quota(aws, 3.0)
    [(status, found, _)] = run(INSTANCES, aws, with_endpoint(count=2), with_endpoint(count=2))
    assert (status, found) == ("fails", "4 x ml.t2.medium, but the quota is 3")


def test_without_a_value_of_the_account_it_is_the_default(aws: Aws) -> None:
    aws.refuses("service-quotas", "get_service_quota", "NoSuchResourceException")
    aws.answers("service-quotas", "get_aws_default_service_quota", {"Quota": {"Value": 2.0}})
    [(status, _, _)] = run(INSTANCES, aws, with_endpoint())
    assert status == "ok"


def test_another_instance_type_is_found_by_name(aws: Aws) -> None:
    listed = [{"QuotaName": "ml.m5.large for training job usage", "QuotaCode": "L-1"}]
    aws.answers("service-quotas", "list_aws_default_service_quotas", {"Quotas": listed, "NextToken": "more"})
    listed = [{"QuotaName": "ml.m5.large for endpoint usage", "QuotaCode": "L-2"}]
    aws.answers("service-quotas", "list_aws_default_service_quotas", {"Quotas": listed})
    has_quota(aws, 0.0, code="L-2")
    [(status, found, todo)] = run(INSTANCES, aws, with_endpoint("ml.m5.large"))
    assert (status, found) == ("fails", "1 x ml.m5.large, but the quota is 0")
    assert "(L-2)" in todo


def test_an_instance_type_without_a_quota_is_said(aws: Aws) -> None:
    aws.answers("service-quotas", "list_aws_default_service_quotas", {"Quotas": []})
    [(status, found, _)] = run(INSTANCES, aws, with_endpoint("ml.new.large"))
    assert (status, found) == (
        "unknown",
        "could not be checked: there is no quota 'ml.new.large for endpoint usage' in us-east-1",
    )


@pytest.mark.parametrize(
    ("method", "action"),
    [
        ("get_service_quota", "servicequotas:GetServiceQuota"),
        ("get_aws_default_service_quota", "servicequotas:GetAWSDefaultServiceQuota"),
        ("list_aws_default_service_quotas", "servicequotas:ListAWSDefaultServiceQuotas"),
    ],
)
def test_a_missing_permission_is_named(aws: Aws, method: str, action: str) -> None:
    if method == "get_aws_default_service_quota":
        aws.refuses("service-quotas", "get_service_quota", "NoSuchResourceException")
    aws.refuses("service-quotas", method, "AccessDeniedException")
    instance_type = "ml.m5.large" if method.startswith("list") else "ml.t2.medium"
    [(status, found, _)] = run(INSTANCES, aws, with_endpoint(instance_type))
    assert (status, found) == ("unknown", f"could not be checked: needs {action}")


def test_without_endpoint_and_vpc_nothing_is_asked(aws: Aws) -> None:
    assert run(INSTANCES, aws, stack()) == run(VPCS, aws, stack()) == []


def has_vpcs(aws: Aws, *stacks: str) -> None:
    tag = "aws:cloudformation:stack-name"
    vpcs = [{"Tags": [{"Key": tag, "Value": name}]} if name else {} for name in stacks]
    aws.answers("ec2", "describe_vpcs", {"Vpcs": vpcs})


@pytest.mark.parametrize(
    ("existing", "quota", "status", "found"),
    [
        ([""], 5.0, "ok", "2 new beside 1, and the quota is 5"),
        ([""] * 3, 5.0, "ok", "2 new beside 3, and the quota is 5"),
        ([""] * 4, 5.0, "fails", "2 new beside 4, but the quota is 5"),
        (["Crossover-Standard", "", "Other", ""], 5.0, "ok", "1 new beside 4, and the quota is 5"),
    ],
)
def test_each_isolated_stack_that_is_not_deployed_needs_a_vpc(
    aws: Aws, existing: list[str], quota: float, status: str, found: str
) -> None:
    has_vpcs(aws, *existing)
    has_quota(aws, quota, "vpc", "L-F678F1CE")
    isolated = [stack(("AWS::EC2::VPC", {}), id=name) for name in ("Standard", "SnapStart")]
    [finding] = run(VPCS, aws, *isolated, stack(id="Comparison"))
    assert finding[:2] == (status, found)


def test_vpcs_that_may_not_be_listed_are_said(aws: Aws) -> None:
    aws.refuses("ec2", "describe_vpcs", "UnauthorizedOperation")
    [(status, found, _)] = run(VPCS, aws, stack(("AWS::EC2::VPC", {})))
    assert (status, found) == ("unknown", "could not be checked: needs ec2:DescribeVpcs")
