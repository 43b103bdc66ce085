"""How many instances a load needs."""

import math
from typing import TypedDict

import numpy as np
import pytest

from crossover.cost.capacity import ONE_INSTANCE, instances_needed, instances_of
from crossover.cost.instance_types import INSTANCE_TYPES, hosting_type
from crossover.cost.scenario import Scenario
from crossover.errors import UsageError

CPU_SECONDS = 0.227  # of a request
A_MONTH = 43_800  # minutes


class Processors(TypedDict):
    vcpus: int
    sustained_vcpus: float


T2 = Processors(vcpus=2, sustained_vcpus=0.4)
C5 = Processors(vcpus=2, sustained_vcpus=2.0)


def rpm(requests_a_minute: float) -> float:
    """The load, CPU-seconds a second."""
    return requests_a_minute / 60 * CPU_SECONDS


def waits(servers: int, load: float) -> float:
    """Erlang C as in the textbook: of the terms a^n / n!, those with all servers busy, the queue included."""
    if load >= servers:
        return 1.0
    terms = [math.exp(busy * math.log(load) - math.lgamma(busy + 1)) for busy in range(servers + 1)]
    queued = terms[-1] * servers / (servers - load)
    return queued / (sum(terms[:-1]) + queued)


def test_an_ml_t2_medium_holds_105_requests_a_minute() -> None:
    most = 0.4 / CPU_SECONDS * 60
    assert most == pytest.approx(105.7, abs=0.05)
    around = np.array([most - 0.01, most + 0.01])
    assert np.asarray(instances_needed(rpm(1.0) * around, **T2, utilisation=1, waiting=1)).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("instance", "utilisation", "instances"), [(T2, 1, 10), (T2, 0.9, 11), (T2, 0.65, 15), (C5, 0.65, 3)]
)
def test_a_thousand_requests_a_minute_need_many(instance: Processors, utilisation: float, instances: int) -> None:
    assert instances_needed(rpm(1000), **instance, utilisation=utilisation, waiting=0.5) == instances


@pytest.mark.parametrize("utilisation", [0.3, 0.65, 0.9, 1.0])
def test_a_load_that_fits_exactly_needs_no_further_instance(utilisation: float) -> None:
    count = np.arange(1, 200)
    load = count * 0.4 * utilisation
    assert np.array_equal(instances_needed(load, **T2, utilisation=utilisation, waiting=1), count)
    assert np.array_equal(instances_needed(load * 1.0001, **T2, utilisation=utilisation, waiting=1), count + 1)


def test_too_much_waiting_needs_one_more_instance() -> None:
    # Two vCPUs busy for 1.9 of 2 s: 0.93 of the requests wait; with four 0.17.
    assert waits(2, 1.9) == pytest.approx(0.926, abs=1e-3)
    assert instances_needed(1.9, **C5, utilisation=1, waiting=0.93) == 1
    assert instances_needed(1.9, **C5, utilisation=1, waiting=0.92) == 2
    # A T2 that is asked for no more than it sustains never queues so long: its 2 vCPUs are busy for 0.4 s.
    assert instances_needed(0.4, **T2, utilisation=1, waiting=0.07) == 1
    assert instances_needed(0.4, **T2, utilisation=1, waiting=0.06) == 2


def test_full_utilisation_never_satisfies_the_waiting_bound() -> None:
    instances = instances_needed(np.array([1.999, 2.0, 4.0]), **C5, utilisation=1, waiting=1)
    assert np.asarray(instances).tolist() == [1, 2, 3]


def test_it_is_the_fewest_that_keep_both_bounds() -> None:
    random = np.random.default_rng(4)
    for _ in range(300):
        vcpus = int(random.choice([1, 2, 4, 8]))
        sustained = vcpus * random.choice([0.2, 1.0])
        utilisation, waiting = random.uniform(0.1, 1), random.uniform(0.001, 1)
        load, at_least = random.uniform(0, 40), float(random.integers(1, 5))

        def suffices(
            instances: int,
            load: float = load,
            vcpus: int = vcpus,
            most: float = sustained * utilisation,
            waiting: float = waiting,
            at_least: float = at_least,
        ) -> bool:
            holds = load <= instances * most and load < instances * vcpus
            return instances >= at_least and holds and waits(instances * vcpus, load) <= waiting

        found = instances_needed(
            load, vcpus=vcpus, sustained_vcpus=sustained, utilisation=utilisation, waiting=waiting, at_least=at_least
        )
        assert found == next(instances for instances in range(1, 5000) if suffices(instances))


def test_more_load_never_needs_fewer_instances() -> None:
    load = np.geomspace(1e-4, 500, 3000)
    for instance in (T2, C5):
        for waiting in (0.01, 0.5, 1.0):
            instances = np.asarray(instances_needed(load, **instance, utilisation=0.8, waiting=waiting))
            assert np.all(np.diff(instances) >= 0)
            assert instances[-1] > instances[0]


def test_arrays_agree_element_by_element() -> None:
    random = np.random.default_rng(5)
    load, utilisation, waiting = random.uniform(0, 30, 50), random.uniform(0.2, 1, 50), random.uniform(0.01, 1, 50)
    at_least = random.integers(1, 9, 50).astype(float)
    together = instances_needed(load, **C5, utilisation=utilisation, waiting=waiting, at_least=at_least)
    one_by_one = [
        float(instances_needed(load[i], **C5, utilisation=utilisation[i], waiting=waiting[i], at_least=at_least[i]))
        for i in range(50)
    ]
    assert np.asarray(together).tolist() == one_by_one


def test_more_than_ten_thousand_instances_are_not_computed() -> None:
    load = np.array([3999.9, 4000.0, 4000.1, 1e9])
    instances = np.asarray(instances_needed(load, **T2, utilisation=1, waiting=1))
    assert instances.tolist() == [10_000, 10_000, 10_001, 10_001]


def test_ten_thousand_instances_are_possible() -> None:
    settings = {"cpu_seconds": 1.0, "utilisation": 1.0, "waiting": 1.0}
    for load, is_too_much in ((3999.9, False), (4000.1, True)):
        _, (problem,) = instances_of(
            Scenario(requests=load * 60 * A_MONTH, **settings),  # type: ignore[arg-type]
            hosting_type("ml.t2.medium"),
        )
        assert bool(problem.where) is is_too_much


def at(requests_a_minute: float, **settings: object) -> Scenario:
    return Scenario(requests=requests_a_minute * A_MONTH, cpu_seconds=CPU_SECONDS, **settings)  # type: ignore[arg-type]


def test_the_busiest_hour_decides_unless_the_instances_follow_the_traffic() -> None:
    c5 = hosting_type("ml.c5.large")
    assert instances_of(at(1000), c5)[0] == 3
    # 5,000 a minute: 18.9 CPU-s a second, of which an instance takes 1.3.
    assert instances_of(at(1000, peak_factor=5.0), c5)[0] == math.ceil(5 * 3.7833 / 1.3)
    assert instances_of(at(1000, peak_factor=5.0, autoscaling=True), c5)[0] == 3


def test_a_burstable_instance_may_use_all_vcpus_where_credits_are_paid_for() -> None:
    t3 = INSTANCE_TYPES["t3.medium"]
    assert instances_of(at(1000), t3)[0] == math.ceil(3.7833 / (0.4 * 0.65))
    assert instances_of(at(1000), t3, sustained_vcpus=2)[0] == 3


def test_there_are_at_least_as_many_as_asked_for() -> None:
    assert instances_of(at(10, min_instances=4.0), hosting_type("ml.c5.large"))[0] == 4
    assert instances_of(at(1000, min_instances=2.0), hosting_type("ml.c5.large"))[0] == 3


def test_a_fixed_number_of_instances_is_kept_and_reported_if_too_low() -> None:
    traffic = at(np.array([100.0, 1000.0]), instances=2.0)  # type: ignore[arg-type]
    count, problems = instances_of(traffic, hosting_type("ml.c5.large"))
    (too_few,) = problems
    assert np.array_equal(np.broadcast_to(count, 2), [2, 2])
    assert list(too_few.where) == [False, True]  # type: ignore[arg-type]
    assert too_few.fatal
    assert too_few.text == "1 to 3 instances are needed, not 2."


def test_just_enough_instances_are_enough() -> None:
    for instances, is_too_few in ((2.0, True), (3.0, False), (4.0, False)):
        _, (too_few,) = instances_of(at(1000, instances=instances), hosting_type("ml.c5.large"))
        assert bool(too_few.where) is is_too_few


def test_the_sentence_names_one_number_where_there_is_one() -> None:
    _, (too_few,) = instances_of(at(1000, instances=2.0), hosting_type("ml.c5.large"))
    assert too_few.text == "3 instances are needed, not 2."


def test_a_load_beyond_the_maximum_is_impossible_and_has_no_number() -> None:
    too_much = Scenario(requests=1e12, cpu_seconds=1.0)
    _, (problem,) = instances_of(too_much, hosting_type("ml.c5.large"))
    assert problem.where
    assert problem.fatal
    assert problem.text == "More than 10,000 instances are needed."
    _, (too_few,) = instances_of(Scenario(requests=1e12, cpu_seconds=1.0, instances=3.0), hosting_type("ml.c5.large"))
    assert too_few.where
    assert "10,001" not in too_few.text


def test_the_published_assumption_is_one_instance_whatever_the_load() -> None:
    count, problems = instances_of(at(100_000, single_instance=True), hosting_type("ml.t2.medium"))
    assert count == 1
    assert problems == (ONE_INSTANCE,)


@pytest.mark.parametrize("name", ["t2.medium", "ml.t3.medium", "ml.t4g.medium", "ml.x1.large", "ml.", ""])
def test_refuses_a_type_that_sagemaker_does_not_host(name: str) -> None:
    with pytest.raises(UsageError, match=f"The instance_type is '{name}'; it must be one of ml.t2.medium, ml.c5.large"):
        hosting_type(name)


def test_only_burstable_instances_sustain_less_than_they_have() -> None:
    burstable = {name for name, instance in INSTANCE_TYPES.items() if instance.is_burstable}
    assert burstable == {"t2.medium", "t3.medium", "t4g.small", "t4g.medium"}
    assert {instance.sustained_vcpus for instance in INSTANCE_TYPES.values() if instance.is_burstable} == {0.4}
    assert {name for name, instance in INSTANCE_TYPES.items() if instance.is_arm} == {
        *("t4g.small", "t4g.medium", "c6g.large", "c7g.large", "m6g.large")
    }
    assert {name for name, instance in INSTANCE_TYPES.items() if instance.has_gpu} == {"g4dn.xlarge"}


def test_the_size_gives_the_number_of_vcpus() -> None:
    vcpus = {"small": 2, "medium": 2, "large": 2, "xlarge": 4, "2xlarge": 8}
    assert {name: instance.vcpus for name, instance in INSTANCE_TYPES.items()} == {
        name: vcpus[name.partition(".")[2]] for name in INSTANCE_TYPES
    }
