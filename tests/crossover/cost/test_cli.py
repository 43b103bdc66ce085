"""`crossover cost` on the command line."""

import csv
import io
import json
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from crossover import cli
from crossover.cost.kinds import KINDS, scenario_of
from crossover.cost.measured import ONE_MACHINE_MARK
from crossover.cost.options import DECLARED_SEPARATELY, ScenarioOptions, numbers_of
from crossover.cost.prices import load
from crossover.cost.scenario import MINUTES_PER_MONTH, Scenario
from crossover.cost.variants import VARIANTS, by_default
from crossover.errors import UsageError


class Command:
    """Runs `crossover cost`, and gives what it printed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch, self.capsys = monkeypatch, capsys

    def __call__(self, line: str, *, code: int = 0) -> str:
        self.monkeypatch.setattr(sys, "argv", ["crossover", "cost", *line.split()])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = self.capsys.readouterr()
        assert ended.value.code == code, printed.err
        return printed.err if code else printed.out

    def json(self, line: str) -> Any:
        return json.loads(self(f"{line} --json"))

    def csv(self, line: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self(f"{line} --csv"))))


@pytest.fixture
def cost(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(monkeypatch, capsys)


def test_arm64_has_its_prices_and_says_that_the_durations_are_not_its_own(cost: Command) -> None:
    arm, x86 = (
        cost.json(f"--warm-seconds 1 --no-shared-lines --cold-share 0 {name}") for name in ("--architecture arm64", "")
    )
    duration = {
        name: document["variants"]["standard"]["lines"][0]["usd"] for name, document in (("arm", arm), ("x86", x86))
    }
    assert duration["arm"] == pytest.approx(0.8 * duration["x86"], rel=1e-4)
    assert "Durations are those on x86_64" in cost("--architecture arm64")
    assert "Durations are those" not in cost("")
    assert cost("--architecture mips", code=2).startswith("crossover: The architecture is 'mips'; it must be one of")


def test_the_whole_answer_on_a_terminal(cost: Command) -> None:
    out = cost("--rpm 72 --region eu-west-1 --memory 2048 --cold-share 0.1")
    answer, traffic = out.splitlines()[:2]
    assert answer.startswith("At 72 requests a minute use standard: ")
    assert traffic.startswith(
        "72 requests a minute (3,153,600 a month), eu-west-1, 2,048 MB, 70 ms warm, cold share 10 %"
    )
    assert "* standard" in out and "cheapest" in out
    assert "The cheapest of standard, snapstart, sagemaker by traffic" in out
    assert "sagemaker costs less from there on" in out
    assert "If an input has another value" in out
    assert "assumed: wait_seconds 0.05" in out
    assert "Unconfirmed prices for eu-west-1: " in out


@pytest.mark.parametrize(
    "line",
    ["--rpm 72 --variants all", "--rpm 1000 --cpu-seconds 0.227 --autoscaling", "--lines snapstart", "assumptions",
     "--preset published", "sweep --rpm 1:1000000:5 --memory 512,2048", "sweep --cold-share 0:1:3 --variants all"],
)  # fmt: skip
def test_nothing_is_cut_at_80_columns_nor_in_ascii(cost: Command, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = cost(line)
    assert "…" not in out
    in_tables = [row for row in out.splitlines() if "│" in row]
    assert in_tables
    assert max(map(len, in_tables)) <= 80
    if "all" in line:
        assert set(VARIANTS) - {"rent", "call-price"} <= set(out.split())
    written = "".join(character for character in out if character not in "─│┼━┃╇╋")
    assert written.isascii()  # rich draws the tables themselves in ASCII where a terminal needs that


def test_many_break_even_points_are_counted_in_a_sentence(cost: Command) -> None:
    assert "more times beyond that." in cost("--rpm 10 --cpu-seconds 0.2").splitlines()[0]


def test_json_has_the_models_values(cost: Command) -> None:
    answer = cost.json("--rpm 72 --cold-share 0.1 --memory 2048")
    scenario = Scenario(requests=72.0 * MINUTES_PER_MONTH, cold_share=0.1, memory_mb=2048.0)
    for name, bill in answer["variants"].items():
        assert bill["usd"] == pytest.approx(float(VARIANTS[name].bill(scenario, load("us-east-1")).usd))
        assert sum(line["usd"] for line in bill["lines"]) == pytest.approx(bill["usd"])
    assert answer["cheapest"] == "standard"
    assert answer["given"] == ["cold_share", "memory_mb", "requests"]
    assert [band["variant"] for band in answer["bands"]] == ["standard", "sagemaker"]
    assert answer["break_evens"][0]["requests"] == answer["bands"][0]["highest"]
    assert answer["bands"][0]["lowest"] / MINUTES_PER_MONTH == pytest.approx(0.1)


def test_csv_has_a_row_for_each_line_of_each_bill(cost: Command) -> None:
    rows = cost.csv("--rpm 72")
    standard = [row for row in rows if row["variant"] == "standard"]
    assert [row["line"] for row in standard][:3] == ["Lambda duration", "Lambda INIT", "Lambda requests"]
    answer = cost.json("--rpm 72")
    assert sum(float(row["usd"]) for row in standard) == pytest.approx(answer["variants"]["standard"]["usd"])


def test_a_bill_line_by_line(cost: Command) -> None:
    out = cost("--rpm 72 --lines snapstart")
    assert "SnapStart cache" in out and "15.82" in out
    assert "sum" in out


def test_the_option_variants_chooses_the_candidates(cost: Command) -> None:
    answer = cost.json("--rpm 72 --variants standard,ec2-t4g.small")
    assert answer["candidates"] == ["standard", "ec2-t4g.small"]
    assert set(answer["variants"]) >= set(by_default())
    everyone = cost.json("--rpm 72 --variants all")
    assert set(everyone["candidates"]) == set(VARIANTS) - {"rent", "call-price"}


def test_rent_and_price_per_call_in_their_currency(cost: Command) -> None:
    answer = cost.json(
        "--variants rent,call-price --rent 750:EUR --call-price 0.0142:eur --exchange EUR=1.25 --requests 50000"
    )
    assert answer["variants"]["rent"]["lines"][0]["usd"] == pytest.approx(937.5)
    assert answer["variants"]["call-price"]["lines"][0]["usd"] == pytest.approx(50_000 * 0.0142 * 1.25)
    assert answer["break_evens"][0]["requests"] == pytest.approx(52_817, abs=1)


def test_a_rent_with_vcpus_can_be_too_small(cost: Command) -> None:
    answer = cost.json("--rpm 6000 --cpu-seconds 0.1 --rent 100:USD:4")  # 10 CPU-s a second; 65 % of 4 hold 2.6
    assert answer["variants"]["rent"]["instances"] == 4


def test_batches_and_traces_give_share_and_volume(cost: Command, tmp_path: Path) -> None:
    batches = cost.json("--arrivals batches:50:600")
    assert batches["cold_share"] == 1.0
    assert batches["rpm"] == pytest.approx(5)
    trace = tmp_path / "trace.txt"
    trace.write_text("0\n10\n20\n1000\n")
    traced = cost.json(f"--arrivals trace:{trace} --rpm 30")
    assert (traced["cold_share"], traced["rpm"]) == (0.5, pytest.approx(30))


def test_a_measured_cold_share_overrides_the_arrivals(cost: Command) -> None:
    assert cost.json("--arrivals batches:50:600 --cold-share 0.02")["cold_share"] == 0.02


def test_a_benchmarks_result_is_used_and_an_option_overrides_it(cost: Command, tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    measured = {"warm_seconds": 0.25, "cold_share": 0.07}
    results.write_text(json.dumps({"schema": 2, "rehearsal": True, "scenario": measured}))
    answer = cost.json(f"--from {results} --cold-share 0.01")
    assert answer["scenario"]["warm_seconds"] == 0.25
    assert answer["cold_share"] == 0.01
    assert "warm_seconds" in answer["given"]
    assert any("rehearsal on the local AWS" in remark for remark in answer["remarks"])
    assert not any("benchmark's, at its own traffic" in remark for remark in answer["remarks"])


def test_a_result_of_one_machine_is_marked_as_not_from_aws(cost: Command, tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    results.write_text(json.dumps({"schema": 2, "kind": "crossover bench micro", "scenario": {"cpu_seconds": 0.03}}))
    answer = cost.json(f"--from {results}")
    assert answer["scenario"]["cpu_seconds"] == 0.03
    assert ONE_MACHINE_MARK in answer["remarks"]
    assert not any("rehearsal" in remark for remark in answer["remarks"])
    assert ONE_MACHINE_MARK not in cost.json("")["remarks"]


def test_a_benchmarks_cold_share_is_marked_as_its_own(cost: Command, tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    results.write_text(json.dumps({"schema": 2, "scenario": {"cold_share": 0.07}}))
    answer = cost.json(f"--from {results} --rpm 500")
    assert answer["cold_share"] == 0.07
    assert any("benchmark's, at its own traffic" in remark for remark in answer["remarks"])


def test_measurements_of_one_variant_for_the_others_are_named(cost: Command, tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    values = {"warm_seconds": 0.25, "cold_share": 0.05, "restore_seconds": 0.2, "file_mb": 0.1, "proxy_seconds": 0.1}
    whose = dict.fromkeys(("warm_seconds", "cold_share", "restore_seconds"), "provisioned")
    results.write_text(json.dumps({"schema": 2, "scenario": values, "scenario_from": whose}))
    out = " ".join(cost(f"--from {results} --cold-share 0.1").split())
    assert "cold share 10 % as given" in out
    assert (
        "Measured with provisioned, and used for each variant that has none of its own: warm_seconds, restore_seconds."
        in out
    )
    assert "cold share 5 % as measured" in " ".join(cost(f"--from {results}").split())
    results.write_text(json.dumps({"schema": 2, "scenario": values}))
    assert "none of its own" not in cost(f"--from {results}")


@pytest.mark.parametrize(
    ("values", "options", "whose"),
    [
        ({"warm_seconds": ("standard", 2.0)}, "", {"standard": "warm_seconds"}),
        ({"efs_warm_seconds": ("efs", 2.0)}, "", {"efs": "warm_seconds"}),
        ({"efs_warm_seconds": ("efs", 2.0)}, "--warm-seconds 1", {}),
        ({"proxy_seconds": ("sagemaker", 0.1)}, "", {"sagemaker": "proxy_seconds"}),  # of EC2 too
        (
            {"warm_seconds": ("standard", 2.0), "snapstart_warm_seconds": ("snapstart", 2.1)},
            "--image-snap-start",
            {"standard": "warm_seconds", "snapstart": "snapstart_warm_seconds"},
        ),
        (
            {"warm_seconds": ("standard", 2.0), "snapstart_warm_seconds": ("snapstart", 2.1)},
            "",
            {"standard": "warm_seconds"},
        ),
    ],
)
def test_a_measurement_that_another_variant_takes_is_named_even_if_only_one_can_measure_it(
    cost: Command, tmp_path: Path, values: dict[str, tuple[str, float]], options: str, whose: dict[str, str]
) -> None:
    results = tmp_path / "results.json"
    measured = {name: value for name, (_, value) in values.items()}
    variants = {name: variant for name, (variant, _) in values.items()}
    results.write_text(json.dumps({"schema": 2, "scenario": measured, "scenario_from": variants}))
    remarks = cost.json(f"--from {results} {options}")["remarks"]
    assert [remark for remark in remarks if remark.startswith("Measured with")] == [
        f"Measured with {variant}, and used for each variant that has none of its own: {name}."
        for variant, name in whose.items()
    ]


def test_a_result_without_standard_does_not_compare_with_the_default_model(cost: Command, tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    line = f"--from {results} --rpm 100 --variants standard,efs,sagemaker"
    results.write_text(json.dumps({"schema": 2, "scenario": {"warm_seconds": 2.0, "efs_warm_seconds": 2.0}}))
    measured = cost.json(line)["variants"]
    results.write_text(json.dumps({"schema": 2, "scenario": {"efs_warm_seconds": 2.0}}))
    answer = cost.json(line)
    assert answer["variants"] == measured
    assert answer["variants"]["sagemaker"]["instances"] == 13
    overridden = cost.json(f"{line} --warm-seconds 0.5")
    assert overridden["variants"]["standard"]["usd"] < 0.5 * measured["standard"]["usd"]
    assert overridden["variants"]["efs"]["usd"] == measured["efs"]["usd"]


def test_an_impossible_variant_is_marked_with_its_reason(cost: Command) -> None:
    out = cost("--rpm 72 --autoscaling --model-on-efs --send-files --file-mb 25")
    assert (
        "not possible: SageMaker does not scale burstable instances such as ml.t2.medium automatically"
        in " ".join(out.split())
        or "sagemaker: SageMaker does not scale burstable instances such as ml.t2.medium automatically." in out
    )
    assert "snapstart: SnapStart does not work with EFS." in out
    assert "sagemaker: A file of 25 MB is over the limit of 6.29 MB." in out
    assert "none of these variants is possible" in out
    assert "inf" not in out.split()


def test_too_few_instances_are_named(cost: Command) -> None:
    answer = cost.json("--rpm 1000 --cpu-seconds 0.227 --instances 3")
    assert answer["variants"]["sagemaker"]["usd"] is None
    assert answer["variants"]["sagemaker"]["problems"] == ["15 instances are needed, not 3."]


def test_the_published_assumption_is_marked(cost: Command) -> None:
    answer = cost.json("--rpm 1000 --cpu-seconds 0.227 --single-instance")
    assert answer["variants"]["sagemaker"]["assumes_one_instance"]
    assert any("One instance whatever the load" in remark for remark in answer["remarks"])


def test_the_published_figures_with_the_corrected_ones(cost: Command) -> None:
    claims = cost.json("--preset published")
    assert len(claims) == 21
    assert {claim["published"] for claim in claims} >= {43.51, 72, 0.69, 3.55, 10.70, 52_817, 126_761}
    out = cost("--preset published")
    assert "reproduced" in out and "Reproduced: one instance whatever the load" in out


def test_a_sweep_tabulates_every_combination(cost: Command) -> None:
    rows = cost.csv("sweep --rpm 1:1000:4 --memory 512,2048")
    assert len(rows) == 8
    assert [float(row["rpm"]) for row in rows[:4]] == pytest.approx([1, 10, 100, 1000])
    for row in rows:
        scenario = Scenario(requests=float(row["rpm"]) * MINUTES_PER_MONTH, memory_mb=float(row["memory_mb"]))
        usd = {name: float(VARIANTS[name].bill(scenario, load("us-east-1")).usd) for name in by_default()}
        assert float(row["standard_usd"]) == pytest.approx(usd["standard"])
        assert row["cheapest"] == min(usd, key=lambda name: usd[name])


def test_ten_thousand_scenarios_in_one_sweep(cost: Command) -> None:
    rows = cost.json("sweep --rpm 1:10000:100 --cold-share 0:1:100")
    assert len(rows) == 10_000
    assert rows[0]["cold_share"] == 0 and rows[-1]["cold_share"] == 1


def test_a_sweep_as_a_table(cost: Command) -> None:
    out = cost("sweep --rpm 10,100000")
    assert "standard" in out and "100,000" in out


def test_a_sweep_wider_than_the_terminal_is_several_tables(cost: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    tables = cost("sweep --rpm 10,1000 --variants all").split("\n\n")
    headings = [table.splitlines()[0].split() for table in tables]
    assert len(tables) > 2
    assert all(heading[0] == "rpm" for heading in headings)
    named = [name for heading in headings for name in heading[1:] if name != "┃" and name != "rpm"]
    assert named == [*(name for name in VARIANTS if name not in ("rent", "call-price")), "cheapest"]
    assert [row.split()[0] for table in tables for row in table.splitlines()[2:]] == ["10", "1,000"] * len(tables)


def test_assumptions_are_listed(cost: Command) -> None:
    out = cost("assumptions")
    for each in fields(Scenario):
        assert each.name in out
    assert "measured" in out and "assumed" in out


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--rpm -5", "The value of rpm is -5; it must be from 0.0001 to 1e+07."),
        ("--rpm nan", "The value of rpm is not a number; it must be from 0.0001 to 1e+07."),
        ("--rpm 1,2", "The value of rpm is '1,2'; it must be a number."),
        ("--memory lots", "The value of memory_mb is 'lots'; it must be a number."),
        ("--rpm 1 --requests 3", "Both --rpm and --requests are given; give one of them."),
        ("--region mars", "There are no prices for region 'mars'; the snapshot has "),
        ("--memory 64", "The value of memory_mb is 64; it must be from 128 to 10,240."),
        ("--cold-share 2", "The value of cold_share is 2; it must be from 0 to 1."),
        ("--rent 750:EUR", "The exchange rate of EUR is not given; add --exchange EUR=1.15, in USD."),
        ("--rent much", "The rent in 'much' is 'much'; it must be a number above 0."),
        ("--rent 5:EURO --exchange EUR=1", "The currency is 'EURO'; it must have three letters, such as EUR."),
        ("--rent 5 --exchange EUR=x", "The exchange rate in 'EUR=x' is 'x'; it must be a number above 0."),
        ("--variants lambda", "There is no variant 'lambda'; there are standard, "),
        ("--variants rent", "No price is given for rent"),
        ("--instance-type ml.t3.medium", "The instance_type is 'ml.t3.medium'; it must be one of ml.t2.medium, "),
        ("--instance-type c5.large", "The instance_type is 'c5.large'; it must be one of ml.t2.medium, "),
        ("--preset mine", "There is no preset 'mine'; there is published."),
        ("--lines lambda", "There is no variant 'lambda'; there are standard, "),
        ("--json --csv", "Both --json and --csv are given; give one of them."),
        ("--from gone.json", "The results in gone.json cannot be read: "),
        ("--prices gone.json", "The prices in gone.json cannot be read: "),
        (
            "sweep --rpm 9:1:3",
            "The value of rpm is '9:1:3'; it must be a number, numbers with commas, or LOW:HIGH:COUNT, where LOW is at"
            " least 0 and below HIGH, and COUNT is from 2 to 1,000,000.",
        ),
        ("sweep --rpm 1:9:2000 --memory 128:256:2000", "These are 4,000,000 scenarios; there may be 1,000,000."),
        ("sweep --rpm 1:9:3 --arrivals batches:5:60", "a sweep takes only poisson, or a --cold-share."),
        ("sweep --memory 64,128", "The value of memory_mb is 64; it must be from 128 to 10,240."),
    ],
)
def test_a_mistake_is_one_sentence(cost: Command, line: str, message: str) -> None:
    error = cost(line, code=2)
    assert error.startswith("crossover: ") and error.count("\n") == 1
    assert message in error


def test_every_input_of_the_model_has_an_option() -> None:
    inputs = [each.name for each in fields(Scenario) if each.name not in DECLARED_SEPARATELY]
    assert [each.name for each in fields(ScenarioOptions)][-len(inputs) :] == inputs


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("3", [3]), ("3,1,2", [3, 1, 2]), ("1:100:3", [1, 10, 100]), ("0:1:3", [0, 0.5, 1])],
)
def test_numbers_and_ranges(text: str, numbers: list[float]) -> None:
    assert numbers_of("x", text) == pytest.approx(numbers)


@pytest.mark.parametrize("text", ["", "a", "1:2", "1:2:x", "2:1:5", "1:2:1", "-1:2:3", "1:inf:3"])
def test_refuses_a_text_that_is_not_a_range(text: str) -> None:
    with pytest.raises(UsageError, match="LOW:HIGH:COUNT"):
        numbers_of("x", text)


def test_an_option_can_turn_a_default_off(cost: Command) -> None:
    answer = cost.json("--rpm 72 --no-shared-lines")
    assert [line["name"] for line in answer["variants"]["standard"]["lines"]] == [
        "Lambda duration",
        "Lambda INIT",
        "Lambda requests",
    ]
    assert answer["given"] == ["requests", "shared_lines"]
    assert cost.json("--rpm 72 --shared-lines")["given"] == ["requests", "shared_lines"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_defaults_are_those_measured_with_the_model_of_a_kind(cost: Command, kind: str) -> None:
    answer = cost.json(f"--kind {kind} --cpu-seconds 0.5")
    usual = scenario_of(kind)
    assert answer["kind"] == kind
    assert (answer["scenario"]["file_mb"], answer["scenario"]["cpu_seconds"]) == (usual.file_mb, 0.5)
    assert answer["given"] == ["cpu_seconds"]
    assert any(f"measured with {KINDS[kind].on} on the developers' machine" in each for each in answer["remarks"])
    assert f"{usual.file_mb:g} 10^6 bytes" in cost(f"assumptions --kind {kind}")


def test_what_a_result_did_not_measure_is_the_default_of_its_kind(cost: Command, tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    results.write_text(json.dumps({"schema": 2, "plan": {"input_kind": "image"}, "scenario": {"warm_seconds": 0.2}}))
    answer = cost.json(f"--from {results}")
    assert (answer["kind"], answer["scenario"]["model_mb"]) == ("image", scenario_of("image").model_mb)
    assert "is of the kind image; leave out --kind audio" in cost(f"--from {results} --kind audio", code=2)
    results.write_text(json.dumps({"schema": 2, "plan": {"input_kind": "tensor"}, "scenario": {"warm_seconds": 0.2}}))
    assert any("No model of this kind was measured" in each for each in cost.json(f"--from {results}")["remarks"])


def test_a_result_in_a_bucket_of_its_own_is_paid_for(cost: Command) -> None:
    def lines(line: str) -> dict[str, float]:
        return {each["name"]: each["usd"] for each in cost.json(f"{line} --lines standard")["lines"]}

    plain = lines("--requests 1048576 --storage-days 30.4167")
    stored = lines("--requests 1048576 --storage-days 30.4167 --result-kb 100")
    added = {name: usd for name, usd in stored.items() if name not in plain}
    assert added == pytest.approx({"S3 results": 1_048_576 * 5e-6, "S3 result storage": 100 * 0.023}, rel=1e-4)
    assert {name: stored[name] for name in plain} == plain


def test_one_bill_is_chosen_in_json_and_csv_too(cost: Command) -> None:
    everything = cost.json("--rpm 72")
    assert cost.json("--rpm 72 --lines sagemaker") == everything["variants"]["sagemaker"]
    assert {row["variant"] for row in cost.csv("--rpm 72 --lines sagemaker")} == {"sagemaker"}


@pytest.mark.parametrize(
    "line", ["--rpm 3", "--kind image", "--lines standard", "--utilization 0.5", "--no-shared-lines"]
)
def test_a_preset_takes_no_other_input(cost: Command, line: str) -> None:
    refused = cost(f"--preset published {line}", code=2)
    assert "--preset published has inputs of its own; leave out --" in refused


def test_utilisation_is_spelled_as_aws_does_too(cost: Command) -> None:
    assert cost.json("--utilization 0.5")["scenario"]["utilisation"] == 0.5
    assert cost.json("--utilisation 0.5")["scenario"]["utilisation"] == 0.5
