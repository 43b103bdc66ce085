"""Machines of one's own on EC2 with the same container, behind a network load balancer and the proxy."""

import numpy as np

from crossover.cost.amounts import Amount
from crossover.cost.bill import Bill, Line, Problem, line
from crossover.cost.capacity import machines_of
from crossover.cost.machines import MACHINES, Machine
from crossover.cost.prices import Prices
from crossover.cost.scenario import HOURS_A_MONTH, Scenario
from crossover.cost.variants.common import exchanged_gb, network_lines, proxy_lines, shared_lines

UNLIMITED = ("t3", "t4g")  # burst for a price by default: docs.aws.amazon.com/AWSEC2/latest/UserGuide, unlimited mode
# What one capacity unit of a network load balancer holds, for TCP: aws.amazon.com/elasticloadbalancing/pricing
CONNECTIONS_A_SECOND_PER_UNIT = 800
GB_AN_HOUR_PER_UNIT = 1


def machines(scenario: Scenario, *, instance_type: str) -> Amount:
    """How many machines run."""
    return _machines(scenario, MACHINES[instance_type])[0]


def bill(scenario: Scenario, prices: Prices, *, instance_type: str) -> Bill:
    """N (hour + disk + public IPv4 + surplus credits), the load balancer and its capacity units, and the proxy.

    The operation of the machines, patching and watching them, costs no USD here.
    """
    machine = MACHINES[instance_type]
    count, problems = _machines(scenario, machine)
    hours = count * np.asarray(HOURS_A_MONTH)
    discount = scenario.ec2_discount
    return Bill(
        lines=(
            line(f"{instance_type} machines", hours, prices[f"ec2.{instance_type}"], discount=discount),
            line("disks", count * scenario.disk_gb, prices["ebs.gp3_gb_month"]),
            line("public IPv4", hours, prices["ipv4.hour"]),
            *([_surplus(scenario, machine, count, prices)] if machine.family in UNLIMITED else []),
            line("load balancer", np.full_like(hours, HOURS_A_MONTH), prices["nlb.hour"]),
            line("load balancer capacity", _capacity_units(scenario) * HOURS_A_MONTH, prices["nlb.lcu_hour"]),
            *proxy_lines(scenario, prices),
            *network_lines(scenario, prices, sent_gb=exchanged_gb(scenario)),
            *shared_lines(scenario, prices),
        ),
        machines=count,
        assumes_one_machine=scenario.single_instance,
        problems=(
            *problems,
            Problem(text="It is arm64; the container is built for x86_64.", where=machine.is_arm, fatal=False),
        ),
    )


def _machines(scenario: Scenario, machine: Machine) -> tuple[Amount, tuple[Problem, ...]]:
    return machines_of(scenario, machine, sustained_vcpus=machine.vcpus if machine.family in UNLIMITED else None)


def _surplus(scenario: Scenario, machine: Machine, count: Amount, prices: Prices) -> Line:
    """What a burstable machine in unlimited mode uses above its baseline, on the mean of the month, vCPU-hours."""
    used = scenario.rate * np.asarray(scenario.cpu_seconds) - count * machine.sustained_vcpus
    return line("surplus credits", np.maximum(used, 0.0) * HOURS_A_MONTH, prices[f"ec2.credit.{machine.family}"])


def _capacity_units(scenario: Scenario) -> Amount:
    """The larger of the two dimensions, on the mean of the month; each request opens a connection."""
    gb_an_hour = exchanged_gb(scenario) / HOURS_A_MONTH
    return np.maximum(scenario.rate / CONNECTIONS_A_SECOND_PER_UNIT, gb_an_hour / GB_AN_HOUR_PER_UNIT)
