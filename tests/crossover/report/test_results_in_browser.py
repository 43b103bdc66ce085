"""The page of results in a real browser: what its charts and parameter show, on a screen, on a phone and in print."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from playwright.sync_api import BrowserContext
from playwright.sync_api import Page as Tab

from crossover.bench.run.observation import Observation
from crossover.cost.options import Inputs
from crossover.cost.prices import load
from crossover.cost.scenario import Scenario
from crossover.cost.traffic import Traffic
from crossover.cost.variants import by_default
from crossover.report import picture, result_charts
from crossover.report.page import Page
from crossover.report.results_page import results_page
from tests.crossover.report import few

from .test_in_browser import opened, wait_until

pytestmark = pytest.mark.slow

DATA = Path(__file__).parent / "data"
MARK = "A rehearsal on the local AWS"
SYMBOLS = {"warm": "diamond", "cold in the load": "circle", "cold, forced": "circle-open"}
CHARTS = ("strip", "distribution", "percentiles", "chart")


def made(name: str) -> tuple[Page, list[Observation]]:
    document, observations = result_charts.read(DATA / f"{name}.json")
    values: dict[str, Any] = {**document["scenario"]}
    inputs = Inputs(
        scenario=Scenario(**values),
        given=frozenset(values),
        prices=load("us-east-1"),
        candidates=by_default(),
        others=(),
        traffic=Traffic(text="poisson"),
    )
    with pytest.MonkeyPatch.context() as patch:
        few.limit(patch, shares=(None, 0.0, 0.1))
        return results_page(document, observations, inputs), observations


@pytest.fixture(scope="module")
def poisson() -> tuple[Page, list[Observation]]:
    return made("poisson")


@pytest.fixture(scope="module")
def files(poisson: tuple[Page, list[Observation]], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    found = {}
    for name, page in (("poisson", poisson[0]), ("ramp", made("ramp")[0])):
        found[name] = folder / f"{name}.html"
        found[name].write_text(page.html())
    return found


@pytest.fixture
def show(context: BrowserContext, files: dict[str, Path]) -> Callable[[str], Tab]:
    return lambda name: opened(context, files[name])


@pytest.fixture
def tab(show: Callable[[str], Tab]) -> Tab:
    return show("poisson")


@pytest.fixture(scope="module")
def untouched(shared_context: BrowserContext, files: dict[str, Path]) -> Tab:
    """For the tests that change nothing."""
    return opened(shared_context, files["poisson"])


@pytest.fixture(scope="module")
def untouched_ramp(shared_context: BrowserContext, files: dict[str, Path]) -> Tab:
    return opened(shared_context, files["ramp"])


def traces(tab: Tab, chart: str) -> dict[str, dict[str, Any]]:
    drawn: dict[str, dict[str, Any]] = tab.evaluate(
        """(chart) => Object.fromEntries(document.getElementById(chart).data.map((trace) => [trace.name, {
          x: [...trace.x], y: [...trace.y], text: [...trace.text],
          symbol: trace.marker?.symbol, colour: trace.marker?.color,
        }]))""",
        chart,
    )
    return drawn


def axis_types(tab: Tab) -> list[str]:
    types: list[str] = tab.evaluate(
        """() => [["strip", "xaxis"], ["distribution", "xaxis"], ["percentiles", "yaxis"]]
          .map(([chart, axis]) => document.getElementById(chart)._fullLayout[axis].type)"""
    )
    return types


def test_every_observation_is_a_mark_of_its_kind(untouched: Tab, poisson: tuple[Page, list[Observation]]) -> None:
    drawn = traces(untouched, "strip")
    for variant in ("standard", "sagemaker"):
        for kind, symbol in SYMBOLS.items():
            own = [each for each in poisson[1] if each.variant == variant and result_charts.kind_of(each) == kind]
            trace = drawn[f"{variant} {kind}"]
            assert own
            assert trace["x"] == pytest.approx([each.latency_ms for each in own], abs=5e-4)
            assert trace["symbol"] == symbol
            assert all(own[at].file in text and variant in text for at, text in enumerate(trace["text"]))
    assert drawn["standard warm"]["colour"] != drawn["standard cold, forced"]["colour"]
    assert untouched.locator("#strip .scatterlayer .point").count() == len(poisson[1])
    assert "standard: 16 of 16 have this value" in untouched.inner_text("#strip-state")


def test_a_mark_shows_its_value_under_the_pointer(untouched: Tab) -> None:
    untouched.locator("#strip .scatterlayer .point").first.hover(force=True)
    text = untouched.locator("#strip .hovertext").first.text_content()
    assert text is not None
    assert " ms" in text
    assert "standard (Lambda), " in text


def test_the_parameter_changes_what_is_drawn(tab: Tab, poisson: tuple[Page, list[Observation]]) -> None:
    tab.select_option("#measure", "billed_ms")
    wait_until(tab, "document.getElementById('strip-state').textContent.includes('billed')")
    billed = [each.billed_ms for each in poisson[1] if each.variant == "sagemaker" and not each.is_cold]
    warm = [each for each in billed if each is not None]
    assert len(warm) == len(billed)
    assert traces(tab, "strip")["sagemaker warm"]["x"] == pytest.approx(warm, abs=5e-4)
    assert traces(tab, "distribution")["sagemaker warm"]["x"] == pytest.approx(sorted(warm), abs=5e-4)


def test_axes_are_logarithmic_or_linear_from_the_keyboard(tab: Tab) -> None:
    assert axis_types(tab) == ["log"] * 3
    tab.focus("#values-log")
    tab.keyboard.press("ArrowRight")
    wait_until(tab, "document.getElementById('strip')._fullLayout.xaxis.type === 'linear'")
    assert axis_types(tab) == ["linear"] * 3
    tab.keyboard.press("ArrowLeft")
    wait_until(tab, "document.getElementById('strip')._fullLayout.xaxis.type === 'log'")
    assert axis_types(tab) == ["log"] * 3


def test_the_rings_are_the_percentiles_of_the_file(untouched: Tab, poisson: tuple[Page, list[Observation]]) -> None:
    drawn = traces(untouched, "percentiles")
    for variant in poisson[0].data["results"]["variants"]:
        points = variant["curves"]["latency_ms"]["percentiles"]["points"]
        assert drawn[f"{variant['name']} figures"]["y"] == [each["value"] for each in points]


def test_the_costs_are_on_the_same_page(untouched: Tab, poisson: tuple[Page, list[Observation]]) -> None:
    data = poisson[0].data
    start = data["start"]
    pair = data["pairs"][f"{start['onDemand']} {start['alwaysOn']}"][start["cold"]]
    assert pair["breakEvens"]
    assert untouched.inner_text("#verdict") == pair["verdict"]
    assert untouched.locator("#break-evens tbody tr").count() == len(pair["breakEvens"])
    assert traces(untouched, "chart")["break-even points"]["x"] == [each["rpm"] for each in pair["breakEvens"]]


def test_a_closed_loop_has_curves_of_concurrency(untouched_ramp: Tab) -> None:
    steps = result_charts.read(DATA / "ramp.json")[0]["statistics"]["variants"]["standard"]["throughput"]
    rates = traces(untouched_ramp, "throughput")["standard"]
    assert rates["x"] == [1, 2]
    assert rates["y"] == [each["per_second"] for each in steps]
    latencies = traces(untouched_ramp, "concurrent-latency")
    assert latencies["standard"]["y"] == [each["latency_ms"]["median"]["value"] for each in steps]
    assert latencies["standard p99"]["y"] == [each["latency_ms"]["p99"]["value"] for each in steps]


@pytest.mark.parametrize("name", ["poisson", "ramp"])
def test_nothing_is_wider_than_the_window(show: Callable[[str], Tab], name: str) -> None:
    tab = show(name)
    for summary in tab.locator("summary").all():
        summary.click()
    for width in (768, 360):
        tab.set_viewport_size({"width": width, "height": 800})
        wait_until(tab, "document.getElementById('strip')._fullLayout.width <= innerWidth")
        assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_a_rehearsal_is_clearly_marked(tab: Tab) -> None:
    tagged = tab.evaluate("""() => [...document.querySelectorAll("h2")]
      .map((each) => getComputedStyle(each, "::after").content)""")
    assert set(tagged) == {'"rehearsal"'}
    for chart in CHARTS:
        assert MARK.upper() in tab.locator(f"#{chart} .annotation-text").all_text_contents()
    tab.mouse.wheel(0, 3000)
    wait_until(tab, "scrollY > 2000")
    assert tab.locator(".mark").bounding_box()["y"] >= 0  # type: ignore[index]


def test_the_rehearsal_is_marked_on_every_printed_page(tab: Tab) -> None:
    tab.emulate_media(media="print")
    tab.locator("text=model_sha256").first.wait_for()  # though folded on the screen
    assert tab.is_visible(".mark")
    after = tab.evaluate("""() => {
      const { content, position, display } = getComputedStyle(document.body, "::after");
      return [content, position, display];
    }""")
    assert after == ['"REHEARSAL"', "fixed", "grid"]  # what is fixed is printed on each page
    for chart in CHARTS:
        assert MARK.upper() in tab.locator(f"#{chart} .annotation-text").all_text_contents()
    assert not tab.is_visible("#shown")
    assert tab.pdf()[:5] == b"%PDF-"


def test_everything_has_an_accessible_name(untouched_ramp: Tab) -> None:
    nameless = untouched_ramp.evaluate(
        """() => {
          const named = (each) => each.ariaLabel || document.getElementById(each.getAttribute("aria-labelledby"));
          return [
            ...[...document.querySelectorAll("input, select")].filter((each) => !each.labels.length),
            ...[...document.querySelectorAll(".chart")].filter((each) => !named(each)),
          ].map((each) => each.id);
        }"""
    )
    assert nameless == []
    ids = untouched_ramp.evaluate("""() => [...document.querySelectorAll("[id]")].map((each) => each.id)""")
    assert len(ids) == len(set(ids))


def test_the_picture_is_of_every_request(poisson: tuple[Page, list[Observation]], executable: str) -> None:
    svg = ElementTree.fromstring(picture.render(poisson[0], "svg", browser=executable))
    words = " ".join(svg.itertext())
    assert "Every request" in words
    assert MARK.upper() in words
    assert "poisson:240rpm" in words
    assert "USD a month" not in words
