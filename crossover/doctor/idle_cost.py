"""What the stacks cost a month while nothing is uploaded, by the cost model."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from crossover.cost.prices import Prices, load
from crossover.cost.scenario import HOURS_PER_MONTH, Scenario
from crossover.cost.variants import VARIANTS
from crossover.doctor.context import Context
from crossover.doctor.plan import Stack
from crossover.doctor.result import Check, Outcome, ok

# USD a month, which the cost model leaves out. https://aws.amazon.com/kms/pricing, https://aws.amazon.com/cloudwatch/
# pricing, as of February 2026; without the free tier.
KEY = 1.00
DASHBOARD = 3.00
ALARM = 0.10


def check_cost(context: Context) -> Iterator[Outcome]:
    """Prices of the region; what traffic costs is another question: `crossover cost`."""
    prices = load(context.region)
    costs = {stack.id: idle_usd(stack, prices) for stack in context.plan.stacks}
    parts = ", ".join(f"{name} {usd:,.2f}" for name, usd in costs.items() if usd >= 0.005)
    total = sum(costs.values())
    yield ok(
        f"{total:,.2f} USD a month without any upload{f' ({parts})' if parts else ''}, {context.region}, "
        "without the free tier"
    )


def idle_usd(stack: Stack, prices: Prices) -> float:
    """USD a month of a stack that gets no upload."""
    return (
        _variant_usd(stack, prices)
        + prices["vpc_endpoint.hour"].value * HOURS_PER_MONTH * _interface_endpoints(stack)
        + KEY * len(stack.properties("AWS::KMS::Key"))
        + DASHBOARD * len(stack.properties("AWS::CloudWatch::Dashboard"))
        + ALARM * len(stack.properties("AWS::CloudWatch::Alarm"))
    )


def _variant_usd(stack: Stack, prices: Prices) -> float:
    """The variant's bill for one request a month, which is the least that the model takes."""
    variant = VARIANTS.get(stack.outputs.get("Predictor", ""))
    if variant is None:
        return 0.0
    function = _function(stack)
    memory = float(function.get("MemorySize", 128))
    [architecture] = function.get("Architectures", ["x86_64"])
    scenario = Scenario(
        requests=1.0,
        memory_mb=memory,
        proxy_memory_mb=memory,
        architecture=architecture,
        ingest="queue" if stack.properties("AWS::Lambda::EventSourceMapping") else "direct",
        shared_lines=False,
        image_snap_start="SnapStart" in function,
    )
    if ready := max(_kept_ready(stack), default=0.0):
        scenario = replace(scenario, provisioned=ready)
    for properties in stack.properties("AWS::SageMaker::EndpointConfig"):
        [instances] = properties["ProductionVariants"]
        scenario = replace(
            scenario,
            instance_type=instances["InstanceType"],
            instances=float(instances["InitialInstanceCount"]),
        )
    return float(variant.bill(scenario, prices).usd)


def _function(stack: Stack) -> Mapping[str, Any]:
    """The properties of the function that the events invoke."""
    reference = stack.template["Outputs"]["FunctionName"]["Value"]["Ref"]
    properties: Mapping[str, Any] = stack.template["Resources"][reference]["Properties"]
    return properties


def _kept_ready(stack: Stack) -> Iterator[float]:
    """Environments that are ready without any upload; of a schedule's minima the largest counts for the whole month."""
    for properties in stack.properties("AWS::Lambda::Alias"):
        if config := properties.get("ProvisionedConcurrencyConfig"):
            yield float(config["ProvisionedConcurrentExecutions"])
    for properties in stack.properties("AWS::ApplicationAutoScaling::ScalableTarget"):
        for action in properties.get("ScheduledActions", []):
            yield float(action["ScalableTargetAction"]["MinCapacity"])


def _interface_endpoints(stack: Stack) -> int:
    """Interface endpoints, times their zones: each is billed by the hour. Gateway endpoints are free."""
    return sum(
        len(properties.get("SubnetIds", []))
        for properties in stack.properties("AWS::EC2::VPCEndpoint")
        if properties.get("VpcEndpointType") == "Interface"
    )


CHECKS = (Check("cost", (), check_cost),)
