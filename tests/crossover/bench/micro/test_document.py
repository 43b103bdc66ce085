"""One thing against its yardstick."""

from crossover.bench.micro.document import Measurement


def measurement(observed: list[float], yardstick: list[float], limit: float | None) -> Measurement:
    return Measurement(name="m", unit="ms", observed=observed, yardstick_name="y", yardstick=yardstick, limit=limit)


def test_a_ratio_is_one_of_medians_and_keeps_every_observation() -> None:
    each = measurement([1.0, 2.0, 90.0], [4.0, 5.0, 3.0], 0.5)
    assert each.result == 0.5
    assert each.holds
    assert each.to_json()["observed"] == [1.0, 2.0, 90.0]
    assert each.to_json()["result"] == 0.5
    assert not measurement([2.1], [4.0], 0.5).holds
    assert measurement([2.1], [4.0], None).holds


def test_without_a_yardstick_the_median_itself_is_the_result() -> None:
    assert measurement([30.0, 31.0, 99.0], [], 100.0).result == 31.0
