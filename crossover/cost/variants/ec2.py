"""EC2 instances with the same container, behind a network load balancer and the proxy."""

from functools import partial

import numpy as np

from crossover.cost.bill import Bill, Line, Problem, line
from crossover.cost.capacity import instances_of
from crossover.cost.instance_types import INSTANCE_TYPES, InstanceType
from crossover.cost.numbers import Amount
from crossover.cost.prices import Prices
from crossover.cost.scenario import HOURS_PER_MONTH, Scenario
from crossover.cost.variants.common import exchanged_gb, network_lines, proxy_lines, shared_lines
from crossover.cost.variants.variant import Billing, Variant

UNLIMITED = ("t3", "t4g")  # bursting is billed by default: docs.aws.amazon.com/AWSEC2/latest/UserGuide, unlimited mode
# Types that run the container; those for arm64 would need their own image.
TYPES = ("c5.large", "c6i.large", "c7i.large", "m5.large", "t3.medium", "t4g.small", "t4g.medium", "c7g.large")
DRAWN = ("c5.large", "t4g.medium")  # by the page at first
# What one capacity unit of a network load balancer holds, for TCP: aws.amazon.com/elasticloadbalancing/pricing
CONNECTIONS_PER_SECOND_PER_UNIT = 800
GB_PER_HOUR_PER_UNIT = 1


def instances(scenario: Scenario, *, instance_type: str) -> Amount:
    """How many instances run."""
    return _instances(scenario, INSTANCE_TYPES[instance_type])[0]


def bill(scenario: Scenario, prices: Prices, *, instance_type: str) -> Bill:
    """N (hour + disk + public IPv4 + surplus credits), the load balancer and its capacity units, and the proxy.

    The labour of operating the instances is not counted.
    """
    instance = INSTANCE_TYPES[instance_type]
    count, problems = _instances(scenario, instance)
    hours = count * np.asarray(HOURS_PER_MONTH)
    discount = scenario.ec2_discount
    return Bill(
        lines=(
            line(f"{instance_type} instances", hours, prices[f"ec2.{instance_type}"], discount=discount),
            line("disks", count * scenario.disk_gb, prices["ebs.gp3_gb_month"]),
            line("public IPv4", hours, prices["ipv4.hour"]),
            *([_surplus(scenario, instance, count, prices)] if instance.family in UNLIMITED else []),
            line("load balancer", np.full_like(hours, HOURS_PER_MONTH), prices["nlb.hour"]),
            line("load balancer capacity", _capacity_units(scenario) * HOURS_PER_MONTH, prices["nlb.lcu_hour"]),
            *proxy_lines(scenario, prices),
            *network_lines(scenario, prices, sent_gb=exchanged_gb(scenario)),
            *shared_lines(scenario, prices),
        ),
        instances=count,
        assumes_one_instance=scenario.single_instance,
        problems=(
            *problems,
            Problem(text="It is arm64; the container is built for x86_64.", where=instance.is_arm, fatal=False),
        ),
    )


def _instances(scenario: Scenario, instance: InstanceType) -> tuple[Amount, tuple[Problem, ...]]:
    return instances_of(scenario, instance, sustained_vcpus=instance.vcpus if instance.family in UNLIMITED else None)


def _surplus(scenario: Scenario, instance: InstanceType, count: Amount, prices: Prices) -> Line:
    """What a burstable instance in unlimited mode uses above its baseline, on the mean of the month, vCPU-hours."""
    used = scenario.rate * np.asarray(scenario.cpu_seconds) - count * instance.sustained_vcpus
    return line("surplus credits", np.maximum(used, 0.0) * HOURS_PER_MONTH, prices[f"ec2.credit.{instance.family}"])


def _capacity_units(scenario: Scenario) -> Amount:
    """The larger of the two dimensions, on the mean of the month; each request opens a connection."""
    gb_per_hour = exchanged_gb(scenario) / HOURS_PER_MONTH
    return np.maximum(scenario.rate / CONNECTIONS_PER_SECOND_PER_UNIT, gb_per_hour / GB_PER_HOUR_PER_UNIT)


VARIANTS = tuple(
    Variant(
        name=f"ec2-{name}",
        title=f"EC2 {name} behind an NLB",
        short=f"EC2 {name}",
        formula="N (hour + disk + IPv4 + surplus credits); load balancer and its capacity units; the proxy",
        bill=partial(bill, instance_type=name),
        billing=Billing.ALWAYS_ON,
        instances=partial(instances, instance_type=name),
        group="EC2",
        is_drawn=name in DRAWN,
        colour="grey" if INSTANCE_TYPES[name].is_arm else "vermillion",
    )
    for name in TYPES
)
