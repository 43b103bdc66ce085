"""The page of costs in a real browser: what its parameters, its chart and its pictures show."""

import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import psutil
import pytest
from playwright.sync_api import BrowserContext
from playwright.sync_api import Page as Tab

from crossover.cost.break_even import HIGHEST_RPM, BreakEven, break_evens
from crossover.cost.candidates import candidates_named
from crossover.cost.prices import load
from crossover.cost.scenario import MINUTES_PER_MONTH, Scenario
from crossover.cost.variants import VARIANTS
from crossover.report import cost_page, picture
from crossover.report.page import Page

pytestmark = pytest.mark.slow

PRICES = load("us-east-1")
SCENARIO = Scenario(cpu_seconds=0.2, requests=72 * MINUTES_PER_MONTH)


@pytest.fixture(scope="module")
def page() -> Page:
    return cost_page.cost_page(SCENARIO, PRICES)


@pytest.fixture(scope="module")
def file(page: Page, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "cost.html"
    path.write_text(page.html())
    return path


@pytest.fixture
def tab(context: BrowserContext, file: Path) -> Tab:
    return opened(context, file)


@pytest.fixture(scope="module")
def untouched(shared_context: BrowserContext, file: Path) -> Tab:
    """For the tests that change nothing: opening the page takes a second."""
    return opened(shared_context, file)


def opened(context: BrowserContext, file: Path) -> Tab:
    tab = context.new_page()
    tab.goto(file.as_uri())
    tab.wait_for_selector("html[data-ready]")
    return tab


def expected(on_demand: str, always_on: str, share: float | None) -> list[BreakEven]:
    """What the model says, asked anew."""
    name, _, instance_type = always_on.partition(":")
    scenario = replace(SCENARIO, cold_share=share, instance_type=instance_type or SCENARIO.instance_type)
    return list(break_evens(candidates_named([on_demand, name]), scenario, PRICES)[0].points)


def listed(tab: Tab) -> list[dict[str, str]]:
    """The rows of the table of break-even points, as the machine reads them."""
    rows: list[dict[str, str]] = tab.eval_on_selector_all(
        "#break-evens tbody tr", "rows => rows.map((row) => ({...row.dataset}))"
    )
    return rows


def drawn(tab: Tab) -> dict[str, Any]:
    """What the chart marks: its trace of break-even points, the labels' texts, the lines' first points, the axes."""
    marks: dict[str, Any] = tab.evaluate(
        """() => {
          const chart = document.getElementById("chart");
          const marks = chart.data.find((trace) => trace.name === "break-even points");
          const lines = chart.data.filter((trace) => trace.mode === "lines");
          return {
            x: [...marks.x], y: [...marks.y],
            labels: [...chart.querySelectorAll(".annotation-text")].map((each) => each.textContent),
            lines: Object.fromEntries(lines.map((trace) => [trace.name, trace.y[0]])),
            scales: [chart._fullLayout.xaxis.type, chart._fullLayout.yaxis.type],
          };
        }"""
    )
    return marks


def assert_shows(tab: Tab, wanted: list[BreakEven]) -> None:
    """The table, the marks and the label of the first point have the model's numbers."""
    assert wanted
    rpm = [each.rpm for each in wanted]
    usd = [each.usd for each in wanted]
    assert [float(row["rpm"]) for row in listed(tab)] == pytest.approx(rpm, rel=1e-8)
    assert [float(row["requests"]) / MINUTES_PER_MONTH for row in listed(tab)] == pytest.approx(rpm, rel=1e-8)
    assert [float(row["usd"]) for row in listed(tab)] == pytest.approx(usd, rel=1e-6)
    marked = drawn(tab)
    assert marked["x"] == pytest.approx(rpm, rel=1e-8)
    assert marked["y"] == pytest.approx(usd, rel=1e-6)
    assert f"{float(f'{rpm[0]:.3g}'):g} a minute" in " ".join(marked["labels"])
    assert f"{float(f'{rpm[0]:.3g}'):g} requests a minute" in tab.inner_text("#verdict")


def wait_until(tab: Tab, expression: str) -> None:
    """The driver's own way of waiting evaluates within the page, which the page forbids."""
    until = time.monotonic() + 20
    while not tab.evaluate(expression):
        assert time.monotonic() < until, expression
        tab.wait_for_timeout(50)


def positions(page: Page) -> list[float | None]:
    return [each["value"] for each in page.data["colds"]]


def test_the_page_begins_with_the_models_break_even_points(untouched: Tab) -> None:
    assert_shows(untouched, expected("standard", "sagemaker:ml.t2.medium", None))


def test_the_cold_share_parameter_moves_lines_and_break_even_points(tab: Tab, page: Page) -> None:
    begun = drawn(tab)
    tab.focus("#cold")
    for steps in (1, 5, 8):
        tab.keyboard.press("Home")
        for _ in range(steps):
            tab.keyboard.press("ArrowRight")
        share = positions(page)[steps]
        assert share is not None
        assert tab.inner_text("#cold-value") == f"{100 * share:g} %"
        assert tab.get_attribute("#cold", "aria-valuetext") == f"{100 * share:g} %"
        assert tab.get_attribute("#break-evens", "data-cold-share") == f"{share:g}"
        assert_shows(tab, expected("standard", "sagemaker:ml.t2.medium", share))
        moved = drawn(tab)
        assert moved["x"][0] != begun["x"][0]
        assert moved["lines"]["standard"] != begun["lines"]["standard"]


def test_the_cold_share_parameter_can_be_dragged(tab: Tab, page: Page) -> None:
    box = tab.locator("#cold").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    tab.mouse.move(box["x"] + 8, middle)
    tab.mouse.down()
    tab.mouse.move(box["x"] + box["width"] - 2, middle, steps=5)
    tab.mouse.up()
    assert positions(page)[-1] == 1
    assert tab.inner_text("#cold-value") == "100 %"
    assert_shows(tab, expected("standard", "sagemaker:ml.t2.medium", 1.0))


def test_another_variant_that_is_always_on_can_be_compared(tab: Tab) -> None:
    begun = drawn(tab)
    for always_on in ("sagemaker:ml.c5.large", "ec2-t3.medium"):
        tab.select_option("#always-on", always_on)
        assert tab.get_attribute("#break-evens", "data-always-on") == always_on
        assert_shows(tab, expected("standard", always_on, None))
        assert drawn(tab)["x"] != begun["x"]
        assert always_on.partition(":")[0] in drawn(tab)["lines"]


def test_another_variant_on_demand_can_be_compared(tab: Tab) -> None:
    begun = drawn(tab)
    for on_demand in ("snapstart", "serverless"):
        tab.select_option("#on-demand", on_demand)
        assert tab.get_attribute("#break-evens", "data-on-demand") == on_demand
        assert_shows(tab, expected(on_demand, "sagemaker:ml.t2.medium", None))
        assert drawn(tab)["x"] != begun["x"]


def test_parameters_work_together_and_from_the_keyboard(tab: Tab, page: Page) -> None:
    tab.focus("#on-demand")
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Tab")
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Tab")
    tab.keyboard.press("End")
    tab.keyboard.press("ArrowLeft")
    on_demand, always_on = page.data["onDemand"][1], page.data["alwaysOn"][1]["id"]
    assert tab.input_value("#on-demand") == on_demand
    assert tab.input_value("#always-on") == always_on
    assert_shows(tab, expected(on_demand, always_on, positions(page)[-2]))


def test_axes_can_be_linear_and_logarithmic_again(tab: Tab) -> None:
    assert drawn(tab)["scales"] == ["log", "log"]
    marked = drawn(tab)["x"]
    tab.check("#scale-linear")
    assert drawn(tab)["scales"] == ["linear", "linear"]
    assert drawn(tab)["x"] == marked
    low, high = tab.evaluate("document.getElementById('chart')._fullLayout.xaxis.range")
    assert low == 0
    assert marked[0] < high < HIGHEST_RPM  # what matters fills the chart
    tab.check("#scale-log")
    assert drawn(tab)["scales"] == ["log", "log"]


def test_the_read_out_has_the_models_bills_at_the_chosen_traffic(tab: Tab, page: Page) -> None:
    tab.focus("#traffic")
    tab.keyboard.press("Home")
    for _ in range(3):
        tab.keyboard.press("PageUp")
    index = int(tab.input_value("#traffic"))
    assert index > 0
    requests = page.data["grids"][0]["requests"][index]
    scenario = replace(SCENARIO, requests=requests)
    rows = tab.eval_on_selector_all(
        "#readout tbody tr", "rows => rows.map((row) => [row.dataset.variant, row.dataset.usd, row.dataset.instances])"
    )
    assert {name for name, _, _ in rows} == {each["name"] for each in page.data["variants"]}
    for name, usd, instances in rows:
        bill = VARIANTS[name].bill(scenario, PRICES)
        assert float(usd) == pytest.approx(float(bill.usd), rel=1e-3, abs=0.006)
        assert instances == ("" if bill.instances is None else f"{float(bill.instances):g}")
    costs = [float(usd) for _, usd, _ in rows]
    assert costs == sorted(costs)


def test_pointing_at_a_line_reads_it_out(untouched: Tab) -> None:
    tab = untouched
    at = tab.evaluate(
        """() => {
          const { xaxis, yaxis, _size: area } = document.getElementById("chart")._fullLayout;
          const box = document.getElementById("chart").getBoundingClientRect();
          const trace = document.getElementById("chart").data.find((each) => each.name === "ec2-c5.large");
          const index = trace.x.indexOf(1);
          return { x: box.left + area.l + xaxis.d2p(trace.x[index]), y: box.top + area.t + yaxis.d2p(trace.y[index]),
                   rpm: trace.x[index], usd: trace.y[index] };
        }"""
    )
    tab.mouse.move(at["x"] + 2, at["y"])
    tab.mouse.move(at["x"], at["y"])
    tab.wait_for_selector(".hovertext")
    said = tab.text_content(".hovertext") or ""
    assert "EC2 c5.large behind an NLB" in said
    assert f"{at['usd']:.2f} USD a month" in said
    bill = VARIANTS["ec2-c5.large"].bill(replace(SCENARIO, requests=float(MINUTES_PER_MONTH)), PRICES)
    assert f"{float(bill.usd) / MINUTES_PER_MONTH * 1e6:,.0f} USD a million" in said
    assert "1 instance" in said
    assert "1 request a minute" in said


def test_a_click_on_the_chart_sets_the_traffic(tab: Tab, page: Page) -> None:
    before = tab.input_value("#traffic")
    tab.locator("#chart").click(position={"x": 700, "y": 100})
    index = int(tab.input_value("#traffic"))
    assert str(index) != before
    clicked = tab.evaluate(
        """() => { const { xaxis, _size: area } = document.getElementById("chart")._fullLayout;
                   return xaxis.p2d(700 - area.l); }"""
    )
    rpm = page.data["grids"][0]["rpm"]
    assert rpm[index - 1] < clicked <= rpm[index]
    assert "requests a minute" in tab.inner_text("#traffic-value")


def test_lines_can_be_hidden_except_the_compared_ones(tab: Tab) -> None:
    assert "snapstart" in drawn(tab)["lines"]
    tab.uncheck("#line-snapstart")
    assert "snapstart" not in drawn(tab)["lines"]
    assert "ec2-m5.large" not in drawn(tab)["lines"]
    tab.check("#line-ec2-m5\\.large")
    assert "ec2-m5.large" in drawn(tab)["lines"]
    assert tab.is_disabled("#line-standard")


def test_nothing_is_wider_than_the_window(tab: Tab) -> None:
    for summary in tab.locator("summary").all():
        summary.click()
    for width in (1280, 768, 390, 360):
        tab.set_viewport_size({"width": width, "height": 800})
        wait_until(tab, "document.getElementById('chart')._fullLayout.width <= innerWidth")
        assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_print_shows_the_parameters_values_instead_of_controls(tab: Tab) -> None:
    assert tab.is_visible("form.parameters")
    tab.select_option("#always-on", "ec2-c5.large")
    tab.emulate_media(media="print")
    tab.locator("text=CPU time of one request").first.wait_for()  # though folded on the screen
    assert not tab.is_visible("form.parameters")
    assert not tab.is_visible("#traffic")
    state = tab.inner_text("#state")
    assert "Lambda against EC2 c5.large behind an NLB" in state
    assert "cold-start share: as the arrivals give it" in state
    assert tab.pdf()[:5] == b"%PDF-"


def test_the_chart_is_dark_in_dark_mode_but_not_in_print(tab: Tab) -> None:
    def paper() -> str:
        colour: str = tab.evaluate("document.getElementById('chart')._fullLayout.paper_bgcolor")
        return colour

    assert paper() == "#ffffff"
    tab.emulate_media(color_scheme="dark")
    wait_until(tab, "document.getElementById('chart')._fullLayout.paper_bgcolor !== '#ffffff'")
    tab.emulate_media(media="print")
    wait_until(tab, "document.getElementById('chart')._fullLayout.paper_bgcolor === '#ffffff'")


def test_every_control_has_an_accessible_name(untouched: Tab) -> None:
    nameless = untouched.evaluate(
        """() => [...document.querySelectorAll("input, select")]
          .filter((each) => !each.labels.length)
          .map((each) => each.id)"""
    )
    assert nameless == []
    assert untouched.get_attribute("#chart", "aria-labelledby") == "verdict"


def test_the_whole_page_is_small(file: Path) -> None:
    assert file.stat().st_size < 3_000_000


def test_pictures_are_real_ones(page: Page, executable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    png = picture.render(page, "png", browser=executable)
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")) == (2560, 1520)
    assert len(png) > 50_000  # not an empty sheet
    svg = ElementTree.fromstring(picture.render(page, "svg", browser=executable))
    assert svg.tag == "{http://www.w3.org/2000/svg}svg"
    words = " ".join(svg.itertext())
    first = expected("standard", "sagemaker:ml.t2.medium", None)[0]
    assert f"Lambda is cheaper up to {first.rpm:.3g} requests a minute" in words
    assert f"{first.usd:.2f} USD a month" in words
    assert "prices of" in words
    assert not list(tmp_path.iterdir())
    assert not [each for each in psutil.process_iter(["cmdline"]) if str(tmp_path) in json.dumps(each.info["cmdline"])]
