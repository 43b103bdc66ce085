"""The snapshot: what it holds, how it is read, and what is refused."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crossover.cost import prices
from crossover.cost.price_sources import SOURCES
from crossover.cost.prices import SNAPSHOT, Price, load, read, save
from crossover.errors import CrossoverError, UsageError

REGIONS = ["ap-southeast-1", "eu-central-1", "eu-west-1", "us-east-1"]
ENTRY: dict[str, Any] = {
    "id": "lambda.request",
    "region": "us-east-1",
    "tiers": [[0, 2e-7]],
    "unit": "USD/request",
    "source": "a list",
    "date": "2026-10-04",
    "status": "confirmed",
}


def written(folder: Path, *entries: Any, **head: Any) -> Path:
    path = folder / "snapshot.json"
    path.write_text(json.dumps({"schema": 1, "currency": "USD", "entries": entries, **head}))
    return path


def test_the_snapshot_has_four_regions() -> None:
    assert prices.regions_of(read()) == REGIONS


@pytest.mark.parametrize("region", REGIONS)
def test_every_region_has_every_price(region: str) -> None:
    found = load(region)
    optional = {source.id for source in SOURCES if source.is_optional}
    assert set(found.by_id) - optional == {source.id for source in SOURCES} - optional
    for price_id, price in found.by_id.items():
        assert found[price_id] is price
        assert price.region == ("us-east-1" if price.status == "substituted" else region)


def test_only_known_prices_are_substituted() -> None:
    """A price that comes to be substituted, or no longer needs to be, is worth a look."""
    substituted = {
        region: {price.id for price in load(region).by_id.values() if price.status == "substituted"}
        for region in REGIONS
    }
    credits_of_t = {"ec2.credit.t2", "ec2.credit.t3", "ec2.credit.t4g"}
    serverless = {"sagemaker.serverless.gb_second"}
    data = {"sagemaker.data_in_gb", "sagemaker.data_out_gb"}
    assert substituted == {
        "us-east-1": set(),
        "eu-west-1": credits_of_t | serverless,
        "eu-central-1": credits_of_t | serverless | data | {"ecr.gb_month", "nlb.lcu_hour"},
        "ap-southeast-1": credits_of_t | serverless | data | {"nlb.lcu_hour"},
    }


def test_every_entry_names_its_source_unit_and_usage_type_as_the_price_list_does() -> None:
    sources = {source.id: source for source in SOURCES}
    for price in read():
        assert price.unit == sources[price.id].unit
        assert price.usage_type == sources[price.id].usage_type
        assert len(price.source) > 20
        assert price.status in ("confirmed", "derived", "unconfirmed")


def test_confirmed_prices_have_a_date() -> None:
    assert [price.id for price in read() if price.date == "undated" and price.is_confirmed] == []


def test_hosting_without_a_gpu_costs_a_fifth_more_than_ec2() -> None:
    """The rule by which prices of hosting are derived, checked against the confirmed ones too."""
    for region in REGIONS:
        found = load(region)
        for instance_type in found.with_prefix("sagemaker.host.ml."):
            instance = found.by_id.get(f"ec2.{instance_type}")
            hosting = found[f"sagemaker.host.ml.{instance_type}"]
            if instance is not None:
                factor = 1.4 if instance_type.startswith("g") else 1.2
                assert hosting.value == pytest.approx(instance.value * factor, abs=5.1e-4)


def test_tiers_are_charged_one_after_the_other() -> None:
    price = load("us-east-1")["lambda.gb_second"]
    assert price.of(1e9) == pytest.approx(16_666.7)
    assert price.of(16e9) == pytest.approx(6e9 * 1.66667e-5 + 9e9 * 1.5e-5 + 1e9 * 1.33334e-5)
    assert np.allclose(np.asarray(price.of(np.array([0.0, 6e9]))), [0.0, 6e9 * 1.66667e-5])


def test_names_a_missing_price() -> None:
    with pytest.raises(UsageError, match=r"^The snapshot holds no price 'lambda.tax' for eu-west-1\.$"):
        load("eu-west-1")["lambda.tax"]


def test_names_an_unknown_region_and_the_known_ones() -> None:
    allowed = "ap-southeast-1, eu-central-1, eu-west-1, us-east-1"
    command = "`crossover prices refresh --region mars` fetches a region's"
    with pytest.raises(UsageError) as error:
        load("mars")
    assert str(error.value) == f"There are no prices for region 'mars'; the snapshot has {allowed}, and {command}."


def test_a_regions_price_overrides_the_global_one_and_that_us_east_1s(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        {**ENTRY, "region": "eu-west-1", "tiers": [[0, 3]]},
        {**ENTRY, "tiers": [[0, 1]]},
        {**ENTRY, "region": "*", "tiers": [[0, 2]]},
        {**ENTRY, "id": "other", "tiers": [[0, 5]]},
        {**ENTRY, "id": "other", "region": "*", "tiers": [[0, 6]]},
        {**ENTRY, "id": "third", "tiers": [[0, 7]], "date": "2026"},
    )
    assert {name: price.value for name, price in load("eu-west-1", path).by_id.items()} == {
        "lambda.request": 3,
        "other": 6,
        "third": 7,
    }
    assert load("eu-west-1", path)["third"].status == "substituted"
    assert load("eu-west-1", path)["third"].date == "2026"
    assert load("us-east-1", path)["third"].status == "confirmed"


@pytest.mark.parametrize(
    ("text", "age"), [("2026-11-20", 2), ("2026-11", 21), ("2026", 325), ("undated", None), ("2026-12-01", 0)]
)
def test_the_age_counts_from_the_earliest_possible_day(text: str, age: int | None) -> None:
    assert Price(**{**ENTRY, "tiers": ((0, 1),), "date": text}).age_days(date(2026, 11, 22)) == age


def test_saving_keeps_everything(tmp_path: Path) -> None:
    save(reversed(read()), tmp_path / "new.json")
    assert (tmp_path / "new.json").read_bytes() == SNAPSHOT.read_bytes()
    assert [each.name for each in tmp_path.iterdir()] == ["new.json"]


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "snapshot.json"
    save(read(), path)
    assert len(read(path)) == len(read())
    save(read()[:1], path)
    assert read(path) == read()[:1]


def test_a_failed_save_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(CrossoverError, match=r"^The prices cannot be written to .*taken: Is a directory\.$"):
        save(read(), tmp_path / "taken")
    assert [each.name for each in tmp_path.iterdir()] == ["taken"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tiers": []}, "of tiers of lambda.request for us-east-1 in .* is .*; it must begin at 0, ascend and cost"),
        ({"tiers": [[1, 2]]}, "must begin at 0"),
        ({"tiers": [[0, 2], [0, 1]]}, "ascend"),
        ({"tiers": [[0, 2], [9, 1], [5, 1]]}, "ascend"),
        ({"tiers": [[0, -2]]}, "no less than 0"),
        ({"tiers": [[0, "2"]]}, "Entry 1 of .* is not a price: .*'2' is not a number"),
        ({"tiers": [[0, True]]}, "True is not a number"),
        ({"tiers": [[0, float("nan")]]}, "nan is not a number"),
        ({"tiers": [[0, float("inf")]]}, "inf is not a number"),
        ({"tiers": [[0]]}, "Entry 1 of .* is not a price"),
        ({"tiers": 5}, "Entry 1 of .* is not a price"),
        ({"status": "sure"}, "The status of .* is 'sure'; it must be one of confirmed, derived, unconfirmed,"),
        ({"date": "May 2025"}, "The date of .* is 'May 2025'; it must be YYYY, YYYY-MM, YYYY-MM-DD or undated"),
        ({"date": "2026-13"}, "The date of .* is '2026-13'"),
        ({"date": "20261004"}, "The date of .* is '20261004'"),
        ({"unit": ""}, "The unit of entry 1 of .* is ''; it must be a text"),
        ({"source": None}, "The source of entry 1 of .* is None; it must be a text"),
        ({"tax": 1}, "Entry 1 of .* is not a price: .*tax"),
    ],
)
def test_a_bad_entry_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read(written(tmp_path, {**ENTRY, **change}))


def test_refuses_an_entry_with_a_missing_field(tmp_path: Path) -> None:
    for name in ENTRY:
        with pytest.raises(UsageError, match=r"Entry 1 of .* is not a price"):
            read(written(tmp_path, {key: value for key, value in ENTRY.items() if key != name}))
    with pytest.raises(UsageError, match=r"Entry 2 of .* is not a price"):
        read(written(tmp_path, ENTRY, "no entry"))


def test_refuses_a_duplicate_price(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds the price lambda\.request for us-east-1 twice"):
        read(written(tmp_path, ENTRY, ENTRY))


@pytest.mark.parametrize("head", [{"schema": 2}, {"schema": None}, {"currency": "EUR"}])
def test_another_format_is_refused(tmp_path: Path, head: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="is not a price snapshot of schema 1 in USD"):
        read(written(tmp_path, ENTRY, **head))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "cannot be read: Expecting"),
        (b"\xff\xfe", "cannot be read: 'utf-8' codec"),
        (b"[]", "is not a price snapshot"),
        (b'{"schema": 1, "currency": "USD"}', "holds no entries"),
        (b'{"schema": 1, "currency": "USD", "entries": []}', "holds no entries"),
        (b'{"schema": 1, "currency": "USD", "entries": {"a": 1}}', "holds no entries"),
    ],
)
def test_refuses_a_file_that_is_not_a_snapshot(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "snapshot.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=message):
        read(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^The prices in .*gone.json cannot be read: .*No such file"):
        load("us-east-1", tmp_path / "gone.json")


def test_an_instances_price_is_not_substituted_by_another_regions() -> None:
    assert "ec2.g6.xlarge" in load("us-east-1").by_id
    with pytest.raises(UsageError, match=r"no price 'ec2\.g6\.xlarge' for eu-west-1"):
        load("eu-west-1")["ec2.g6.xlarge"]
    assert load("eu-west-1")["ec2.credit.t3"].status == "substituted"
