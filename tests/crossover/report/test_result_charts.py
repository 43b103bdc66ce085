"""What the page of results draws: every observation with the file's own numbers."""

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crossover.bench import result, statistics
from crossover.bench.run.observation import Observation, Outcome
from crossover.errors import UsageError
from crossover.report import result_charts

DATA = Path(__file__).parent / "data"
POISSON, RAMP = DATA / "poisson.json", DATA / "ramp.json"


@pytest.fixture(scope="module")
def read() -> tuple[result.Document, list[Observation]]:
    return result_charts.read(POISSON)


@pytest.fixture(scope="module")
def drawn(read: tuple[result.Document, list[Observation]]) -> Any:
    return json.loads(json.dumps(result_charts.charts(*read), allow_nan=False))


def of(observations: list[Observation], name: str) -> list[Observation]:
    return [each for each in observations if each.variant == name]


def with_failure(**changes: Any) -> tuple[result.Document, list[Observation]]:
    """The sample, as if the first request had failed; its statistics are made anew."""
    document = json.loads(POISSON.read_text())
    document["observations"][0] |= changes
    observations = result.observations_of(document)
    name = observations[0].variant
    document["statistics"]["variants"][name] |= result.sum_up(of(observations, name), is_open_loop=True, seed=1)
    return document, observations


def test_every_observation_is_drawn_with_all_its_measures(
    drawn: Any, read: tuple[result.Document, list[Observation]]
) -> None:
    document, observations = read
    assert sum(len(each["kinds"]) for each in drawn["variants"]) == len(document["observations"]) == 32
    for variant in drawn["variants"]:
        own = of(observations, variant["name"])
        assert [*zip(variant["phases"], variant["numbers"], variant["files"], strict=True)] == [
            (each.phase.value, each.number, each.file) for each in own
        ]
        for name, measure in result.MEASURES.items():
            expected = [measure(each) for each in own]
            if name not in variant["values"]:
                assert set(expected) == {None}
            else:
                assert variant["values"][name] == pytest.approx(expected, abs=5e-4)


def test_forced_cold_starts_are_distinguished_from_those_of_the_load(drawn: Any) -> None:
    for variant in drawn["variants"]:
        assert variant["kinds"].count(result_charts.FORCED) == 2
        assert variant["kinds"].count(result_charts.COLD) == 2
        assert variant["kinds"].count(result_charts.WARM) == 12
        assert variant["phases"][-2:] == ["cold", "cold"]
        assert variant["kinds"][-2:] == [result_charts.FORCED] * 2


def test_a_forced_start_that_was_warm_counts_as_warm(read: tuple[result.Document, list[Observation]]) -> None:
    values = next(each for each in read[0]["observations"] if each["phase"] == "cold")
    lukewarm = Observation.from_json({**values, "item": {**values["item"], "cold_start": False}})
    assert result_charts.kind_of(lukewarm) == result_charts.WARM


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": Outcome.NO_ITEM.value, "item": {}, "reports": []},
        {"outcome": Outcome.NOT_UPLOADED.value, "item": {}, "reports": [], "uploaded_s": None},
        {"outcome": Outcome.REFUSED.value},  # with its item and REPORT line
    ],
)
def test_failed_requests_are_listed_without_a_value_and_counted(changes: dict[str, Any]) -> None:
    document, observations = with_failure(**changes)
    variant = result_charts.charts(document, observations)["variants"][0]
    assert variant["kinds"][0] == result_charts.FAILED
    assert len(variant["kinds"]) == 16
    assert {column[0] for column in variant["values"].values()} == {None}
    assert variant["notes"]["latency_ms"] == "15 of 16 have this value"


def test_values_that_a_logarithmic_axis_cannot_show_are_counted() -> None:
    assert result_charts._note([1.0, 0.0, -2.0, None]) == (
        "3 of 4 have this value, 2 of them not above 0, which logarithmic axes cannot show"
    )


def test_the_distribution_has_a_step_at_every_value(drawn: Any) -> None:
    for variant in drawn["variants"]:
        for kind, wanted in (("warm", [result_charts.WARM]), ("cold", [result_charts.COLD, result_charts.FORCED])):
            curve = variant["curves"]["latency_ms"][kind]
            values = [
                value
                for value, each in zip(variant["values"]["latency_ms"], variant["kinds"], strict=True)
                if each in wanted
            ]
            assert curve["x"] == sorted(values)
            assert curve["y"] == pytest.approx(np.arange(1, len(values) + 1) / len(values))


def test_marked_percentiles_are_those_of_the_file(drawn: Any, read: tuple[result.Document, list[Observation]]) -> None:
    for variant in drawn["variants"]:
        summary: Any = read[0]["statistics"]["variants"][variant["name"]]["measures"]["latency_ms"]["together"]
        curve = variant["curves"]["latency_ms"]["percentiles"]
        assert curve["kind"] == "together"
        for point, share in zip(curve["points"], (0.5, 0.95, 0.99), strict=True):
            expected = summary[point["name"]]
            assert [point[side] for side in ("value", "low", "high")] == pytest.approx(
                [expected[side] for side in ("value", "low", "high")], abs=5e-4
            )
            assert 1 - 10 ** -point["x"] == pytest.approx(share, abs=1e-6)


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 1.0])
def test_the_curve_of_percentiles_goes_through_the_statistics(share: float) -> None:
    chance = np.random.default_rng(3)
    warm, cold = np.sort(chance.exponential(100, 40)), np.sort(chance.exponential(900, 7))
    summary = statistics.together(warm.tolist(), cold.tolist(), share, seed=1)
    assert summary is not None
    curve = result_charts._percentiles(warm, cold, share)
    last = 1 - 10 ** -curve["x"][-1]
    for name, quantile in statistics.QUANTILES.items():
        if quantile > last:
            continue
        at = result_charts._nines(quantile)
        if curve["shape"] == "hv":
            height = curve["y"][np.searchsorted(curve["x"], at + 1e-9) - 1]
        else:
            height = float(np.interp(at, curve["x"], curve["y"]))
        assert height == pytest.approx(summary[name]["value"], abs=5e-4)
    assert last > 0.9
    assert curve["x"] == sorted(curve["x"])
    assert curve["y"] == sorted(curve["y"])


def test_a_single_observation_is_a_curve_too() -> None:
    curve = result_charts._percentiles(np.array([5.0]), np.array([]), 0.0)
    assert set(curve["y"]) == {5.0}
    assert curve["x"][0] == 0 < curve["x"][-1]


def test_a_closed_loop_has_its_steps_and_an_open_one_has_none(drawn: Any) -> None:
    document, observations = result_charts.read(RAMP)
    steps = result_charts.charts(document, observations)["steps"]
    assert steps == {"standard": document["statistics"]["variants"]["standard"]["throughput"]}
    assert [each["concurrency"] for each in steps["standard"]] == [1, 2]
    assert drawn["steps"] == {}


def test_only_measures_with_a_value_can_be_chosen(drawn: Any) -> None:
    names = [each["name"] for each in drawn["measures"]]
    assert names[0] == "latency_ms"
    assert "init_ms" in names
    assert "restore_ms" not in names  # no SnapStart in the sample
    assert {each["unit"] for each in drawn["measures"]} == {"ms", "MB"}


def test_every_measure_of_the_benchmark_has_a_title() -> None:
    assert set(result_charts.TITLES) == set(result.MEASURES)


def change(path: Path, changes: dict[str, Any], *, without: str = "") -> Path:
    document = {**copy.deepcopy(json.loads(POISSON.read_text())), **changes}
    document.pop(without, None)
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize(
    ("changes", "without", "said"),
    [
        ({"schema": 0}, "", "is not a result of `crossover bench run` of schema 2"),
        ({"kind": "crossover bench micro"}, "", "is not a result of `crossover bench run` of schema 2"),
        ({}, "plan", "is not a complete result of a benchmark: it lacks plan."),
        ({"observations": [{"variant": "standard"}]}, "", "cannot be read: KeyError('phase')."),
        ({"observations": [7]}, "", "cannot be read: TypeError"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, changes: dict[str, Any], without: str, said: str) -> None:
    path = change(tmp_path / "a.json", changes, without=without)
    with pytest.raises(UsageError) as refused:
        result_charts.read(path)
    assert str(path) in str(refused.value)
    assert said in str(refused.value)
