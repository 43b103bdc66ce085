"""`crossover report` on the command line."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from crossover import cli
from crossover.cost.scenario import MINUTES_PER_MONTH, Scenario
from crossover.report import cli as report_cli
from crossover.report import cost_page, picture, results_page
from crossover.report.page import Page
from tests.crossover.report import few

DATA = Path(__file__).parent / "data"
RESULT, RAMP = DATA / "poisson.json", DATA / "ramp.json"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    few.limit(monkeypatch, shares=(None,), keys=("standard", "snapstart", "sagemaker:ml.t2.medium"))
    monkeypatch.chdir(tmp_path)


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str, *, code: int) -> str:
    monkeypatch.setattr(sys, "argv", ["crossover", "report", *line.split()])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == code
    printed = capsys.readouterr()
    return printed.err if code else printed.out


def test_the_page_is_written_for_the_scenario_of_the_options(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = "--cost --rpm 72 --cold-share 0.1 --region eu-west-1 --rent 750:EUR --exchange EUR=1.15 --output a.html"
    seen: list[Any] = []
    kept = cost_page.cost_page

    def keep(*what: Any, **more: Any) -> Page:
        seen.append(what)
        return kept(*what, **more)

    monkeypatch.setattr(report_cli, "cost_page", keep)
    out = run(monkeypatch, capsys, options, code=0)
    [(scenario, prices, candidates)] = seen
    assert isinstance(scenario, Scenario)
    assert scenario.requests == pytest.approx(72 * MINUTES_PER_MONTH)
    assert scenario.cold_share == 0.1
    assert prices.region == "eu-west-1"
    assert candidates == ("standard", "snapstart", "sagemaker")
    assert "<title>Cost by traffic, eu-west-1</title>" in Path("a.html").read_text()
    assert out.startswith("a.html: ")


def test_a_picture_is_written_and_the_page_only_if_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(picture, "find_browser", lambda: "it")

    def render(page: Page, kind: str, *, browser: str) -> bytes:
        return f"{page.title} {kind} {browser}".encode()

    monkeypatch.setattr(picture, "render", render)
    run(monkeypatch, capsys, "--cost --image b.svg", code=0)
    assert Path("b.svg").read_text() == "Cost by traffic, us-east-1 svg it"
    assert not Path("cost.html").exists()
    run(monkeypatch, capsys, "--cost --image b.svg --output c.html", code=0)
    assert Path("c.html").exists()


def test_a_result_makes_its_page_with_what_was_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[Any] = []
    kept = results_page.results_page

    def keep(*what: Any) -> Page:
        seen.append(what)
        return kept(*what)

    monkeypatch.setattr(results_page, "results_page", keep)
    out = run(monkeypatch, capsys, f"{RESULT} --rpm 72 --memory 2048", code=0)
    assert out.startswith("results.html: ")
    [(document, observations, inputs)] = seen
    measured = document["scenario"]
    assert inputs.scenario.warm_seconds == measured["warm_seconds"]
    assert inputs.scenario.proxy_seconds == measured["proxy_seconds"]
    assert inputs.scenario.memory_mb == 2048 != measured["memory_mb"]
    assert inputs.scenario.requests == pytest.approx(72 * MINUTES_PER_MONTH)
    assert len(observations) == len(document["observations"])
    assert "<title>Rehearsal: Benchmark of " in Path("results.html").read_text()


def test_the_prices_are_those_of_the_region_that_was_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    document = json.loads(RESULT.read_text())
    document["environment"]["region"] = "eu-west-1"
    Path("a.json").write_text(json.dumps(document))
    run(monkeypatch, capsys, "a.json --cost", code=0)
    assert "<title>Cost by traffic, eu-west-1</title>" in Path("cost.html").read_text()
    run(monkeypatch, capsys, "a.json --cost --region us-east-1", code=0)
    assert "<title>Cost by traffic, us-east-1</title>" in Path("cost.html").read_text()


@pytest.mark.parametrize("line", [f"{RESULT} --cost", f"--from {RESULT} --cost"])
def test_costs_from_a_rehearsal_say_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    seen: list[Any] = []
    kept = cost_page.cost_page

    def keep(*what: Any, **more: Any) -> Page:
        seen.append(what)
        return kept(*what, **more)

    monkeypatch.setattr(report_cli, "cost_page", keep)
    run(monkeypatch, capsys, line, code=0)
    assert not Path("results.html").exists()
    assert '<p class="mark" role="note">A rehearsal on the local AWS' in Path("cost.html").read_text()
    measured = json.loads(RESULT.read_text())["scenario"]
    assert seen[0][0].warm_seconds == measured["warm_seconds"]
    run(monkeypatch, capsys, "--cost", code=0)
    assert "A rehearsal" not in Path("cost.html").read_text()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "There is nothing to report; name a result of `crossover bench run`, or add --cost."),
        ("no.json", "The results in no.json cannot be read: "),
        (f"{__file__}", f"The results in {__file__} cannot be read: "),
        (f"{RESULT} --from other.json", "The results in other.json cannot be read: "),
        (f"{RESULT} --from {RAMP}", "Both a result and --from are given; give one of them."),
        (f"{RESULT} --image a.gif", "The image is 'a.gif'; its name must end in .png or .svg."),
        ("--cost --image a.gif", "The image is 'a.gif'; its name must end in .png or .svg."),
        ("--cost --output no/where.html", "no/where.html cannot be written: No such file or directory."),
        ("--cost --variants nix", "There is no variant 'nix'; there are standard, "),
    ],
)
def test_a_mistake_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str, said: str
) -> None:
    assert run(monkeypatch, capsys, line, code=2).startswith(f"crossover: {said}")
    assert not list(Path().iterdir())


@pytest.mark.parametrize(
    ("member", "message"),
    [("environment", "it lacks its environment's region"), ("statistics", "is damaged: KeyError(")],
)
def test_a_damaged_result_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], member: str, message: str
) -> None:
    document = json.loads(RESULT.read_text())
    Path("damaged.json").write_text(json.dumps({**document, member: {}}))
    error = run(monkeypatch, capsys, "damaged.json", code=2)
    assert error.startswith("crossover: damaged.json ") and error.count("\n") == 1
    assert message in error
