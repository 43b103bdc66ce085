"""The picture of the cost curves is current, well-formed, and has the model's break-even points."""

import xml.etree.ElementTree as ET

from crossover.cost.break_even import break_evens
from crossover.cost.candidates import candidates_named
from crossover.cost.numbers import number
from crossover.cost.prices import load
from crossover.cost.scenario import Scenario
from crossover.cost.variants import VARIANTS, by_default
from tools.cost_curves import PICTURE, REGION, svg

SVG = "{http://www.w3.org/2000/svg}"


def test_the_picture_is_current() -> None:
    assert PICTURE.read_text() == svg(), "docs/images/cost-curves.svg is out of date: run `make pictures`"


def test_every_deployable_variant_has_a_line_and_a_name() -> None:
    picture = ET.fromstring(svg())
    assert len(list(picture.iter(f"{SVG}polyline"))) == len(by_default())
    texts = {element.text for element in picture.iter(f"{SVG}text")}
    assert {VARIANTS[name].short for name in by_default()} <= texts


def test_break_even_points_are_those_of_the_model() -> None:
    (found,) = break_evens(candidates_named(by_default()), Scenario(), load(REGION))
    picture = ET.fromstring(svg())
    assert len(list(picture.iter(f"{SVG}circle"))) == len(found.points) == 1
    assert f"{number(found.points[0].rpm)} a minute" in {element.text for element in picture.iter(f"{SVG}text")}


def test_the_prices_are_dated() -> None:
    assert f"{REGION}, prices of 20" in svg()
