"""A measurement and its baseline."""

from crossover.bench.micro.document import Measurement


def measurement(observed: list[float], baseline: list[float], max_allowed: float | None) -> Measurement:
    return Measurement(
        name="m", unit="ms", observed=observed, baseline_name="y", baseline=baseline, max_allowed=max_allowed
    )


def test_the_ratio_is_of_medians_and_every_observation_is_kept() -> None:
    each = measurement([1.0, 2.0, 90.0], [4.0, 5.0, 3.0], 0.5)
    assert each.result == 0.5
    assert each.holds
    assert each.to_json()["observed"] == [1.0, 2.0, 90.0]
    assert each.to_json()["result"] == 0.5
    assert not measurement([2.1], [4.0], 0.5).holds
    assert measurement([2.1], [4.0], None).holds


def test_without_a_baseline_the_median_is_the_result() -> None:
    assert measurement([30.0, 31.0, 99.0], [], 100.0).result == 31.0
