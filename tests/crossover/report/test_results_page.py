"""The page of results: its tables hold the result file's numbers, and it leaves nothing out."""

import copy
import html
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from crossover.bench import result
from crossover.bench.result import Document
from crossover.bench.run.deployment import DeploymentJson
from crossover.bench.run.files import FileJson
from crossover.bench.run.observation import Observation, Outcome
from crossover.cost import measured
from crossover.cost.bill_comparison import compare
from crossover.cost.numbers import number
from crossover.cost.options import Inputs
from crossover.cost.prices import load
from crossover.cost.scenario import MINUTES_PER_MONTH, Scenario
from crossover.cost.traffic import Traffic
from crossover.cost.variants import by_default
from crossover.report import result_charts
from crossover.report import results_page as results
from crossover.report.page import Page
from crossover.report.results_page import results_page
from tests.crossover.report import few

DATA = Path(__file__).parent / "data"
POISSON, RAMP = DATA / "poisson.json", DATA / "ramp.json"
PRICES = load("us-east-1")
REHEARSAL = "A rehearsal on the local AWS"


class Tables(HTMLParser):
    """The rows of all tables, as texts, under the heading before them, and the texts of paragraphs and headings."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[tuple[str, list[str]]] = []
        self.heading = ""
        self.cells: list[str] = []
        self.kind = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.kind = tag
        if tag == "tr":
            self.cells = []
        if tag in ("th", "td"):
            self.cells.append("")
        if tag in ("h2", "h3", "summary"):
            self.heading = ""

    def handle_endtag(self, tag: str) -> None:
        self.kind = ""
        if tag == "tr":
            self.rows.append((self.heading, self.cells))

    def handle_data(self, data: str) -> None:
        if self.kind in ("th", "td"):
            self.cells[-1] += data
        if self.kind in ("h2", "h3", "summary"):
            self.heading += data

    def under(self, heading: str) -> list[list[str]]:
        return [cells for place, cells in self.rows if place.startswith(heading)][1:]


@pytest.fixture(scope="module", autouse=True)
def few_lines() -> Any:
    """So that a page is made in a second."""
    keys = ("standard", "snapstart", "sagemaker:ml.t2.medium")
    with pytest.MonkeyPatch.context() as patch:
        few.limit(patch, shares=(None,), keys=keys)
        yield


def inputs_of(document: Document, **more: Any) -> Inputs:
    values: dict[str, Any] = {**document["scenario"], "requests": 72 * MINUTES_PER_MONTH, **more}
    return Inputs(
        scenario=Scenario(**values),
        given=frozenset(values),
        prices=PRICES,
        candidates=by_default(),
        others=(),
        traffic=Traffic(text="poisson"),
    )


def page_of(document: Document) -> Page:
    return results_page(document, result.observations_of(document), inputs_of(document))


@pytest.fixture(scope="module")
def document() -> Document:
    return result_charts.read(POISSON)[0]


@pytest.fixture(scope="module")
def page(document: Document) -> Page:
    return page_of(document)


@pytest.fixture(scope="module")
def tables(page: Page) -> Tables:
    return Tables(page.body)


def test_the_verdict_is_the_cost_models_for_the_measurements(page: Page, document: Document) -> None:
    values: dict[str, Any] = {**measured.read(POISSON).values}
    scenario = Scenario(**values, requests=72 * MINUTES_PER_MONTH)
    verdict = compare(scenario, PRICES, candidates=by_default()).verdict
    assert f"<h1>{html.escape(verdict)}</h1>" in page.body


@pytest.mark.parametrize(
    ("measure", "heading"),
    [
        ("latency_ms", "Latency: from the intended sending to the item, ms"),
        ("billed_ms", "Billed, INIT or restore included, ms"),
        ("init_ms", "INIT, ms"),
        ("max_memory_mb", "Most memory used, MB"),
    ],
)
def test_every_figure_of_the_file_is_in_the_table(
    tables: Tables, document: Document, measure: str, heading: str
) -> None:
    expected = []
    for name, sums in document["statistics"]["variants"].items():
        for kind in ("warm", "cold", "together"):
            summary: Any = sums["measures"][measure][kind]
            if summary is None:
                continue
            cells = [str(summary["n"])]
            for figure in ("mean", "median", "sd", "p95", "p99", "max"):
                value, low, high = (summary[figure][side] for side in ("value", "low", "high"))
                interval = "" if low is None else f" ({number(low)} to {number(high)})"
                cells.append(f"{number(value)}{interval}")
            expected.append([name, kind, *cells])
    assert expected
    assert tables.under(heading) == expected


def test_the_cold_shares_of_the_combined_figures_are_stated(page: Page) -> None:
    assert "standard 14.3 % (2 of 14, open loop); sagemaker 14.3 % (2 of 14, open loop)." in page.body


def test_it_says_that_nothing_was_discarded(page: Page) -> None:
    assert "No observation was discarded." in page.body


def test_states_where_p99_means_little(page: Page, document: Document) -> None:
    assert "fewer than 100 observations" in page.body
    many: Any = copy.deepcopy(document)
    for sums in many["statistics"]["variants"].values():
        for summary in sums["measures"]["latency_ms"].values():
            summary["n"] = 100
    assert "fewer than 100 observations" not in page_of(many).body


def counts(page: Page) -> dict[str, list[str]]:
    rows = Tables(page.body).under("Outcomes of the requests")
    return {row[0]: row[1:] for row in rows}


def test_failures_and_missing_reports_are_counted_and_listed(document: Document) -> None:
    changed: Any = copy.deepcopy(document)
    changed["observations"][1]["reports"] = []
    changed["observations"][0] |= {
        "outcome": Outcome.DEAD_LETTER.value, "item": {}, "reports": [], "error": "<b>too long</b>"
    }  # fmt: skip
    own = [each for each in result.observations_of(changed) if each.variant == "standard"]
    changed["statistics"]["variants"]["standard"] |= result.sum_up(own, is_open_loop=True, seed=1)
    page = page_of(changed)
    counted = counts(page)
    assert counted["observations"] == ["16", "16"]
    assert counted["succeeded"] == ["15", "16"]
    assert counted["dead letter"] == ["1", "0"]
    assert counted["without a REPORT line"] == ["2", "0"]
    first = changed["observations"][0]
    assert Tables(page.body).under("All 1 requests that failed") == [
        ["standard", "load", str(first["number"]), first["file"], "dead letter", "<b>too long</b>"]
    ]
    assert "<b>too long" not in page.body


def test_where_nothing_failed_it_says_so(page: Page) -> None:
    assert "<p>No request failed.</p>" in page.body
    assert counts(page)["forced starts that were cold"] == ["2 of 2", "2 of 2"]


def test_costs_per_million_are_those_of_the_file(page: Page, document: Document) -> None:
    variants = document["statistics"]["variants"].values()
    for kind in ("warm", "cold", "together"):
        expected = [f"{sums['function_usd_per_million'][kind]:.2f}" for sums in variants]
        assert counts(page)[f"USD a million requests, {kind}"] == expected
    assert counts(page)["USD an hour, idle or not"][0] == "\N{EN DASH}"


def test_the_time_of_allocating_what_is_kept_ready_is_shown(page: Page, document: Document) -> None:
    assert "allocating" not in page.body
    environment = document["environment"]
    allocated: dict[str, DeploymentJson] = {
        "standard": {**environment["variants"]["standard"], "allocation_seconds": 95.5}
    }
    changed: Document = {**document, "environment": {**environment, "variants": allocated}}
    made = results_page(changed, result.observations_of(document), inputs_of(document))
    assert "<p>standard (Lambda): allocating what is kept ready took 95.5 s.</p>" in made.body


def test_values_overridden_by_an_option_are_marked(document: Document) -> None:
    made = results_page(document, result.observations_of(document), inputs_of(document, memory_mb=2048.0))
    rows = {row[0]: row[1:] for row in Tables(made.body).under("Inputs of the costs")}
    assert rows["memory of the function; 1,769 MB = 1 vCPU"] == ["4,096 MB", "overridden by an option: 2048.0"]
    assert rows["duration of the proxy's INIT"][1] == "measured"


def test_plan_environment_seed_and_price_dates_are_there(tables: Tables, document: Document) -> None:
    rows = {row[0]: row[1] for row in tables.under("Plan and environment")}
    assert rows["seed"].startswith("1, ")
    assert rows["load"] == "14 requests to each variant, poisson:240rpm (open loop)"
    assert rows["prices"] == f"us-east-1, of {', '.join(document['prices']['dates'])}"
    assert rows["model_sha256"] == document["environment"]["model_sha256"][0]
    files = tables.under("Files")
    assert [row[0] for row in files] == [each["name"] for each in document["plan"]["files"]]


def test_files_are_listed_with_the_facts_of_their_kind(tables: Tables, document: Document) -> None:
    assert dict(row[:2] for row in tables.under("Plan and environment"))["kind of input"] == "audio"  # an old result
    assert all(float(row[2]) > 0 for row in tables.under("Files"))
    picture: FileJson = {"name": "200KB-a.jpg", "source": "a.jpg", "size_bytes": 204_800, "width": 600, "height": 400}
    table = FileJson(name="original-b.csv", source="b.csv", size_bytes=9)
    listed = Tables(results._files([picture, table])).rows
    assert [cells for _, cells in listed] == [
        ["file", "bytes", "width, pixels", "height, pixels"],
        ["200KB-a.jpg", "204,800", "600", "400"],
        ["original-b.csv", "9", "\N{EN DASH}", "\N{EN DASH}"],
    ]


def test_a_rehearsal_is_marked_and_another_result_is_not(page: Page, document: Document) -> None:
    text = page.html()
    assert f'<html lang="en" data-mark="{REHEARSAL}' in text
    assert f'<p class="mark" role="note">{REHEARSAL}' in text
    assert page.title.startswith("Rehearsal: ")
    real = page_of({**document, "rehearsal": False})
    assert "rehearsal" not in (real.body + real.title + real.mark).lower()


def test_an_open_loop_says_why_there_are_no_curves_of_concurrency(page: Page) -> None:
    assert "The load was an open loop (poisson:240rpm)" in page.body
    assert 'id="throughput"' not in page.body


def test_a_closed_loop_has_its_steps(document: Document) -> None:
    ramp = result_charts.read(RAMP)[0]
    made = page_of(ramp)
    assert 'id="throughput"' in made.body
    steps: list[Any] = ramp["statistics"]["variants"]["standard"]["throughput"]
    rows = Tables(made.body).under("Steps of the load")
    assert [row[:4] for row in rows] == [
        ["standard", str(each["concurrency"]), str(each["requests"]), number(each["per_second"])] for each in steps
    ]
    assert rows[0][7] == number(steps[0]["latency_ms"]["max"]["value"])


def test_a_benchmark_without_a_success_has_a_page(document: Document) -> None:
    changed: Any = copy.deepcopy(document)
    for each in changed["observations"]:
        each |= {"outcome": Outcome.NO_ITEM.value, "item": {}, "reports": []}
    observations: list[Observation] = result.observations_of(changed)
    for name, sums in changed["statistics"]["variants"].items():
        own = [each for each in observations if each.variant == name]
        sums |= result.sum_up(own, is_open_loop=True, seed=1)
        sums["function_usd_per_million"] = dict.fromkeys(("warm", "cold", "together"))
    page = page_of(changed)
    assert "standard without a success" in page.body
    assert page.data["results"]["measures"] == []
    assert len(Tables(page.body).under("All 32 requests that failed")) == 32
    json.dumps(page.data, allow_nan=False)


def test_sagemakers_metrics_are_listed_where_there_are_some(document: Document) -> None:
    minute = {"begin": "2026-11-22T18:46:00+00:00", "ModelLatency": {"Average": 12.5, "SampleCount": 3.0}}
    changed: Any = {**document, "endpoint_metrics": {"sagemaker": {"minutes": [minute]}}}
    assert Tables(page_of(changed).body).under("SageMaker's ModelLatency") == [
        ["sagemaker", minute["begin"], "ModelLatency", "3", "12.5", *["\N{EN DASH}"] * 3]
    ]


def test_an_early_stop_and_leftovers_are_stated(document: Document) -> None:
    page = page_of({**document, "stopped": "It stopped at 5 USD.", "left_behind": ["A version is left."]})
    assert "<p>It stopped at 5 USD.</p><p>A version is left.</p>" in page.body
