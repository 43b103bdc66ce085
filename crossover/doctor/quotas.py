"""Quotas that Service Quotas knows: the endpoint's instances, and VPCs."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from crossover.doctor.context import Context
from crossover.doctor.result import Check, Outcome, fails, ok, unknown, warning

VPCS = "L-F678F1CE"
# Those of other instance types are found by their name, which takes some dozens of requests.
INSTANCES = {"ml.t2.medium": "L-29C181D7", "ml.c5.large": "L-4D27DFDD"}
ACTIONS = ("servicequotas:GetServiceQuota", "servicequotas:GetAWSDefaultServiceQuota")


def check_instances(context: Context) -> Iterator[Outcome]:
    """An update runs new instances beside the old ones, so it needs twice as many."""
    needed: Counter[str] = Counter()
    for properties in context.plan.properties("AWS::SageMaker::EndpointConfig"):
        for variant in properties["ProductionVariants"]:
            if "InstanceType" in variant:
                needed[variant["InstanceType"]] += int(variant["InitialInstanceCount"])
    for instance_type, count in needed.items():
        name = f"{instance_type} for endpoint usage"
        code = INSTANCES.get(instance_type) or _code(context, "sagemaker", name)
        if code is None:
            yield unknown(f"there is no quota {name!r} in {context.region}", "Look for the type under Service Quotas.")
            continue
        quota = _quota(context, "sagemaker", code)
        ask = f"Ask for more: Service Quotas, Amazon SageMaker, {name} ({code})"
        if quota < count:
            yield fails(
                f"{count:g} x {instance_type}, but the quota is {quota:g}", f"{ask}, or choose another instance_type."
            )
        elif quota < 2 * count:
            yield warning(
                f"{count:g} x {instance_type}, and the quota is {quota:g}: a later update of the endpoint would fail, "
                "as it runs the new instances beside the old ones",
                f"{ask}.",
            )
        else:
            yield ok(f"{count:g} x {instance_type}, and the quota is {quota:g}, other endpoints included")


def check_vpcs(context: Context) -> Iterator[Outcome]:
    """Each isolated stack makes a VPC; that of a stack that is deployed is there already."""
    new = sum(len(stack.properties("AWS::EC2::VPC")) for stack in context.plan.stacks)
    if not new:
        return
    pages = context.clients("ec2").get_paginator("describe_vpcs").paginate()
    vpcs = [vpc for page in pages for vpc in page["Vpcs"]]
    own = {stack.name for stack in context.plan.stacks if stack.properties("AWS::EC2::VPC")}
    new -= sum(1 for vpc in vpcs if own & {tag["Value"] for tag in vpc.get("Tags", []) if tag["Key"] == STACK_TAG})
    quota = _quota(context, "vpc", VPCS)
    if len(vpcs) + new > quota:
        yield fails(
            f"{new} new beside {len(vpcs)}, but the quota is {quota:g}",
            f"Ask for more: Service Quotas, Amazon VPC, VPCs per Region ({VPCS}), or deploy fewer variants.",
        )
    else:
        yield ok(f"{new} new beside {len(vpcs)}, and the quota is {quota:g}")


STACK_TAG = "aws:cloudformation:stack-name"


def _quota(context: Context, service: str, code: str) -> float:
    """The account's own value; AWS's default where it has none."""
    client = context.clients("service-quotas")
    arguments = {"ServiceCode": service, "QuotaCode": code}
    try:
        answer: dict[str, Any] = client.get_service_quota(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchResourceException":
            raise
        answer = client.get_aws_default_service_quota(**arguments)
    value: float = answer["Quota"]["Value"]
    return value


def _code(context: Context, service: str, name: str) -> str | None:
    paginator = context.clients("service-quotas").get_paginator("list_aws_default_service_quotas")
    for page in paginator.paginate(ServiceCode=service):
        for quota in page["Quotas"]:
            if quota["QuotaName"] == name:
                code: str = quota["QuotaCode"]
                return code
    return None


CHECKS = (
    Check("SageMaker quota", (*ACTIONS, "servicequotas:ListAWSDefaultServiceQuotas"), check_instances),
    Check("VPC quota", (*ACTIONS, "ec2:DescribeVpcs"), check_vpcs),
)
