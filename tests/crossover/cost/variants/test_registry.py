"""The registry's data of each variant, and that one more needs nothing else."""

import json
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from crossover import cli
from crossover.cdk.compute import VARIANTS as CONSTRUCTS
from crossover.cost.bill import Bill, line
from crossover.cost.prices import Prices, load
from crossover.cost.scenario import Scenario
from crossover.cost.variants import VARIANTS, Billing, Measurement, Variant, by_default, deployable, style_of
from crossover.cost.variants.style import COLOURS, DASHES, styles
from crossover.report.cost_page import cost_page
from crossover.report.page import FOLDER

PAGE = (Path(__file__).parents[4] / "docs/cost.md").read_text()


def bill(scenario: Scenario, prices: Prices) -> Bill:
    return Bill(lines=(line("requests", scenario.requests, prices["lambda.request"]),))


def dummy(name: str = "dummy", **more: object) -> Variant:
    return Variant(name=name, title=f"a {name}", bill=bill, **more)  # type: ignore[arg-type]


def test_names_of_deployable_variants_are_those_of_the_constructs() -> None:
    assert set(deployable()) == set(CONSTRUCTS)


def test_every_variant_has_a_unique_name_and_title() -> None:
    assert all(variant.name == name for name, variant in VARIANTS.items())
    assert len({variant.title for variant in VARIANTS.values()}) == len(VARIANTS)


def test_what_a_benchmark_measures_and_what_a_price_needs_are_fields_of_a_scenario() -> None:
    known = {each.name for each in fields(Scenario)}
    for variant in VARIANTS.values():
        assert set(variant.measured.values()) <= known
        assert variant.needs in {"", *known}


@pytest.mark.parametrize("name", deployable())
def test_what_is_deployed_is_billed_by_what_is_measured(name: str) -> None:
    assert Measurement.WARM_BILLED_SECONDS in VARIANTS[name].measured


def test_the_formulas_are_documented() -> None:
    for variant in VARIANTS.values():
        name = "ec2-…" if variant.name.startswith("ec2-") else variant.name
        assert f"| `{name}` | {variant.formula} |" in PAGE


def test_a_variant_without_a_style_gets_a_free_one_and_changes_no_other() -> None:
    before = {name: style_of(name) for name in VARIANTS}
    added = styles([dummy("one"), *VARIANTS.values(), dummy("two"), dummy("three", colour="grey")])
    assert {name: added[name] for name in VARIANTS} == before
    assert len(set(added.values())) == len(VARIANTS) + 3
    assert added["three"].colour == "grey"


def test_a_style_is_found_however_many_variants_there_are() -> None:
    many = styles([dummy(str(number)) for number in range(50)])
    assert len(set(many.values())) == len(COLOURS) * len(DASHES) == 48
    assert style_of("no variant") == ("black", "solid")


def test_colours_are_those_of_the_page() -> None:
    css = (FOLDER / "page.css").read_text()
    assert all(f"--{colour}:" in css for colour in COLOURS)


def test_only_what_is_always_on_has_instance_types() -> None:
    with pytest.raises(ValueError, match="its billing must be always on"):
        dummy(instance_types=lambda scenario, prices: ["ml.c5.large"])


@pytest.mark.parametrize("billing", Billing)
def test_one_more_variant_is_on_the_command_line_and_on_the_page(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], billing: Billing
) -> None:
    added = dummy(billing=billing, is_deployable=True, by_default=True)
    monkeypatch.setitem(VARIANTS, "dummy", added)
    monkeypatch.setattr(sys, "argv", ["crossover", "cost", "--rpm", "72", "--json"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["candidates"] == [*(name for name in by_default() if name != "dummy"), "dummy"]
    assert answer["cheapest"] == "dummy"
    data = cost_page(Scenario(), load("us-east-1")).data
    (shown,) = [each for each in data["variants"] if each["name"] == "dummy"]
    assert shown["title"] == shown["short"] == "a dummy"
    assert ("dummy" in data["onDemand"]) is (billing is not Billing.ALWAYS_ON)
    assert ("dummy" in [each["id"] for each in data["alwaysOn"]]) is (billing is Billing.ALWAYS_ON)
    assert data["bands"][0]["all"][0]["keys"] == ["dummy"]
