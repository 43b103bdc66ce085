"""The defaults of each kind of input are what was measured with its model."""

from dataclasses import fields
from pathlib import Path

import pytest

from crossover import documents
from crossover.bench.probing import SUBJECTS
from crossover.cost.image_models import comparisons
from crossover.cost.kinds import DEFAULT_KIND, KINDS, scenario_of
from crossover.cost.scenario import MEASURED, Scenario

RESULT = Path(__file__).parents[3] / "benchmarks/results/micro-image.json.gz"


def test_only_measured_fields_differ_by_kind() -> None:
    measured = {each.name for each in fields(Scenario) if each.metadata["origin"] == MEASURED}
    for kind in KINDS.values():
        assert set(kind.values) <= measured
    assert scenario_of(DEFAULT_KIND) == scenario_of("unknown") == Scenario()


def test_the_image_models_are_those_of_the_committed_result() -> None:
    """To two digits: another run differs by more."""
    scenario = documents.read(RESULT)["scenario"]
    assert dict(KINDS["image"].values) == pytest.approx(
        {name: float(f"{scenario[name]:.2g}") for name in KINDS["image"].values}
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_sizes_are_those_of_the_model_and_its_sample(kind: str) -> None:
    scenario, subject = scenario_of(kind), SUBJECTS[kind]
    assert scenario.model_mb == pytest.approx(subject.model.stat().st_size / 1e6, rel=0.05)
    assert scenario.file_mb == pytest.approx(subject.file.stat().st_size / 1e6, rel=0.05)


def test_the_own_image_model_is_counted_as_the_published_one_was() -> None:
    by_instance, _, by_function = comparisons()
    # c5.large has two vCPUs and costs 0.085 USD an hour; Lambda costs 16.6667 USD a million GB-s, and 0.20 a million.
    own = scenario_of("image")
    assert by_instance.own == pytest.approx(0.085 / 3600 / 2 * float(own.cpu_seconds) * 1e6, rel=0.01)
    seconds = float(own.wait_seconds) + float(own.cpu_seconds) * 1769 / 1024
    assert by_function.own == pytest.approx(16.6667 * seconds + 0.2, rel=0.02)
    for each in comparisons():
        assert each.whole > each.own
