"""How many instances a load needs: so the cost of instances is a step function of the traffic.

An instance gives as many predictions at once as it has vCPUs. Two bounds hold together:

- in the long run, no more than `utilisation` of what the instances sustain, for burstable types less than all;
- no larger share of the requests than `waiting` finds every vCPU busy (M/M/c, Erlang C). Here a burstable instance
  counts with all its vCPUs, since it has credits for a short peak; and a free vCPU takes a request whichever
  instance it belongs to.
"""

import numpy as np

from crossover.cost.bill import Problem
from crossover.cost.erlang import servers_for_waiting
from crossover.cost.instance_types import InstanceType
from crossover.cost.numbers import Amount, keep_latest
from crossover.cost.scenario import Scenario

MAX_INSTANCES = 10_000  # larger numbers are not computed

ONE_INSTANCE = Problem(text="One instance whatever the load, as in the published tables: for comparison.", fatal=False)


@keep_latest
def instances_needed(
    load: Amount, *, vcpus: int, sustained_vcpus: float, utilisation: Amount, waiting: Amount, at_least: Amount = 1.0
) -> Amount:
    """The fewest instances for this load, element by element; MAX_INSTANCES + 1 where more are needed.

    Args:
        load: CPU-seconds that are asked for each second, at least 0.
        vcpus: of one instance.
        sustained_vcpus: of them, how many it can use without end.
        utilisation: how much of what is sustained may be in use, above 0 to 1.
        waiting: which share of the requests may find all vCPUs busy, above 0 to 1.
        at_least: minimum number of instances.
    """
    sustained = np.asarray(load) / (sustained_vcpus * np.asarray(utilisation))
    possible = sustained <= MAX_INSTANCES
    counted = np.where(possible, load, 0.0)
    # A billionth less, for what binary fractions add to a load that fits exactly.
    instances = np.ceil(np.where(possible, sustained, 0.0) - 1e-9)
    start = np.maximum(np.maximum(instances, at_least) * vcpus, np.floor(counted) + 1)
    servers = servers_for_waiting(counted, waiting, start, step=vcpus)
    return np.where(possible, servers / vcpus, MAX_INSTANCES + 1.0)


def instances_of(
    scenario: Scenario, instance: InstanceType, *, sustained_vcpus: float | None = None
) -> tuple[Amount, tuple[Problem, ...]]:
    """How many instances of this type run, and where they are too few.

    Args:
        sustained_vcpus: how many it can use without end; by default those of its type.
    """
    if scenario.single_instance:
        return np.ones_like(np.asarray(scenario.requests), dtype=float), (ONE_INSTANCE,)
    rate = scenario.rate if scenario.autoscaling else scenario.peak_rate
    needed = instances_needed(
        rate * scenario.cpu_seconds,
        vcpus=instance.vcpus,
        sustained_vcpus=instance.sustained_vcpus if sustained_vcpus is None else sustained_vcpus,
        utilisation=scenario.utilisation,
        waiting=scenario.waiting,
        at_least=scenario.min_instances,
    )
    over_maximum = f"More than {MAX_INSTANCES:,} instances are needed"
    if scenario.instances is None:
        return needed, (Problem(text=f"{over_maximum}.", where=needed > MAX_INSTANCES),)
    need = over_maximum if np.max(needed) > MAX_INSTANCES else f"{_counted(needed)} instances are needed"
    text = f"{need}, not {_counted(scenario.instances)}."
    return np.asarray(scenario.instances, dtype=float), (Problem(text=text, where=needed > scenario.instances),)


def _counted(instances: Amount) -> str:
    low, high = np.min(instances), np.max(instances)
    return f"{low:,.0f}" if low == high else f"{low:,.0f} to {high:,.0f}"
