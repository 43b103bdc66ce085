"""`crossover prices`: what it prints and writes, and that a failed refresh changes nothing."""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from crossover import cli, interrupts, terminal
from crossover.cost import price_list, prices_cli
from crossover.cost.price_sources import SOURCES
from crossover.cost.prices import SNAPSHOT, load, read, save
from tests.crossover.cost.price_lists import Files, path, pricing_client, served, stub_ec2

QUERIED = [source for source in SOURCES if source.is_queried]


@pytest.fixture(autouse=True)
def own_world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(terminal, "WIDTH_WITHOUT_TERMINAL", 200)
    monkeypatch.setattr(interrupts, "install", lambda: None)
    monkeypatch.setattr(prices_cli, "_today", lambda: date(2026, 11, 22))


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> Iterator[Files]:
    """AWS's price list, where the command looks for it; the API knows EC2 in us-east-1 once."""
    files, client = Files("us-east-1"), pricing_client()
    stub_ec2(client, QUERIED, ["us-east-1"])
    monkeypatch.setattr(price_list, "_pricing_client", lambda: client)
    with served(files) as host:
        monkeypatch.setattr(price_list, "HOST", host)
        yield files


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["crossover", "prices", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


def output_of(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(monkeypatch, *arguments) == 0
    output = capsys.readouterr()
    assert output.err == ""
    return output.out


def row(output: str, *beginning: str) -> list[str]:
    """The cells of the first line that begins with these."""
    for line in output.splitlines():
        cells = [cell.strip() for cell in line.split("│")]
        if cells[: len(beginning)] == list(beginning):
            return cells
    raise AssertionError(f"no line begins with {beginning}")


def test_show_lists_every_price_with_its_age_and_source(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    output = output_of(monkeypatch, capsys, "show")
    assert sum(price.id in output for price in read()) == len(read())
    cells = row(output, "sagemaker.host.ml.m5.xlarge", "us-east-1")
    assert cells[2:6] == ["0.23 /h", "confirmed", "2026-06-27", "148"]
    number = cells[6]
    [source] = [line for line in output.splitlines() if line.startswith(f"{number:>3} ")]
    assert source.endswith("AWS Price List Query API, AmazonSageMaker, usage type USE1-Host:ml.m5.xlarge")
    assert row(output, "sagemaker.host.ml.t2.medium", "us-east-1")[3:6] == ["unconfirmed", "undated", ""]


def test_show_names_what_is_not_confirmed_and_sums_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    *_, derived, unconfirmed, _, summary = output_of(monkeypatch, capsys, "show").splitlines()
    assert derived.startswith("  derived: sagemaker.host.ml.c5.large (ap-southeast-1, eu-central-1, eu-west-1, us-ea")
    assert unconfirmed == (
        "  unconfirmed: sagemaker.data_in_gb (us-east-1), sagemaker.data_out_gb (us-east-1), "
        "sagemaker.host.ml.t2.medium (us-east-1)"
    )
    count = sum(not price.is_confirmed for price in read())
    assert summary == (
        f"{len(read())} prices, {count} of them not confirmed; "
        "the oldest, nlb.hour in ap-southeast-1, is of 2021, "
        "2151 days ago; 1 undated."
    )


def test_at_80_columns_nothing_is_cut(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    dearer = [replace(price, tiers=tuple((start, usd * 1.5) for start, usd in price.tiers)) for price in read()]
    save(dearer[1:], tmp_path / "dearer.json")
    table, _, _ = output_of(monkeypatch, capsys, "show").partition("\nSources:")
    changed = output_of(monkeypatch, capsys, "diff", "dearer.json")
    for output in (table, changed):
        assert "…" not in output
        assert max(map(len, output.splitlines())) <= 80
        words = set(output.replace(",", " ").split())
        assert words >= {price.id for price in read()} | {price.region for price in read()}
    assert {price.status for price in read()} | {price.date for price in read()} <= set(table.split())
    assert "6,000,000,000" in table.split()
    assert {"removed", "changed", "+50.00"} <= set(changed.split())
    assert {"0.0000022569", "0.00000625005"} <= set(changed.split())  # in the last column


def test_show_of_a_region_has_the_prices_used_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    output = output_of(monkeypatch, capsys, "show", "--region", "eu-west-1")
    assert row(output, "ec2.credit.t3", "us-east-1")[3] == "substituted"
    assert row(output, "ec2.c5.large", "eu-west-1")[2] == "0.096 /h, Linux, on demand"
    assert "eu-central-1 " not in output
    assert "  substituted: ec2.credit.t2 (us-east-1), " in output
    assert f"\n{len(load('eu-west-1').by_id)} prices, " in output


def test_show_writes_a_tier_a_line_and_no_powers_of_ten(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = output_of(monkeypatch, capsys, "show", "--region", "us-east-1").splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("lambda.gb_second"))
    assert [line.split("│")[2].strip() for line in lines[first : first + 3]] == [
        "0.0000166667 /GB-s, x86",
        "0.000015 from 6,000,000,000",
        "0.0000133334 from 15,000,000,000",
    ]


def test_show_as_json_has_everything(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    entries = json.loads(output_of(monkeypatch, capsys, "show", "--json"))
    assert len(entries) == len(read())
    [entry] = [each for each in entries if (each["id"], each["region"]) == ("lambda.request", "eu-west-1")]
    assert entry == {
        "id": "lambda.request",
        "region": "eu-west-1",
        "tiers": [[0.0, 2e-7]],
        "unit": "USD/request",
        "source": load("eu-west-1")["lambda.request"].source,
        "date": "2026-10-04",
        "status": "confirmed",
        "usage_type": "Request",
        "note": "",
        "is_confirmed": True,
        "age_days": 49,
    }


def test_show_escapes_control_characters(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    evil = "\x1b[31m[bold]evil"
    save([replace(read()[0], id=evil, source=evil, status="unconfirmed")], tmp_path / "evil.json")
    output = output_of(monkeypatch, capsys, "show", "--prices", "evil.json")
    assert "\x1b" not in output
    assert output.count("[bold]evil") == 4  # in the table, among the sources and the unconfirmed, in the summary


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "--region", "mars"], "There are no prices for region 'mars'; the snapshot has ap-southeast-1, "),
        (["show", "--prices", "gone.json"], "The prices in gone.json cannot be read: "),
        (["diff", "gone.json"], "The prices in gone.json cannot be read: "),
        (["diff", "a", "b", "c"], "Two snapshots can be compared, but there are 3; name one or two."),
        (["refresh", "--only", "lamda"], "No price's name begins with 'lamda'; they begin with dynamodb, "),
        (["refresh", "--output", "gone/prices.json"], "There is no folder gone to write prices.json to."),
    ],
)
def test_a_usage_error_is_one_sentence_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert run(monkeypatch, *arguments) == 2
    output = capsys.readouterr()
    assert output.err.startswith(f"crossover: {message}")
    assert (output.err.count("\n"), output.out) == (1, "")


def changed(folder: Path) -> Path:
    """A snapshot that differs from the shipped one in three entries."""
    entries = {(price.id, price.region): price for price in read()}
    gone = entries.pop(("nat.hour", "eu-west-1"))
    entries["nat.hour", "eu-north-1"] = replace(gone, region="eu-north-1")
    entries["nat.gb", "eu-west-1"] = replace(entries["nat.gb", "eu-west-1"], tiers=((0, 0.06),))
    other_source = replace(entries["s3.put", "eu-west-1"], source="another source", status="unconfirmed")
    entries["s3.put", "eu-west-1"] = other_source
    save(entries.values(), folder / "changed.json")
    return folder / "changed.json"


def test_diff_shows_what_was_added_removed_and_changed_by_how_much(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    output = output_of(monkeypatch, capsys, "diff", str(changed(tmp_path)))
    assert row(output, "added") == ["added", "nat.hour", "eu-north-1", "h", "", "0.048", ""]
    assert row(output, "removed") == ["removed", "nat.hour", "eu-west-1", "h", "0.048", "", ""]
    assert row(output, "changed") == ["changed", "nat.gb", "eu-west-1", "GB", "0.048", "0.06", "+25.00"]
    assert output.splitlines()[-1] == "1 added, 1 removed, 1 changed."
    assert len(output.splitlines()) == 6


def test_diff_of_two_files_goes_from_the_first_to_the_second(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = json.loads(output_of(monkeypatch, capsys, "diff", str(changed(tmp_path)), str(SNAPSHOT), "--json"))
    assert [(each["kind"], each["id"], each["region"]) for each in found] == [
        ("changed", "nat.gb", "eu-west-1"),
        ("removed", "nat.hour", "eu-north-1"),
        ("added", "nat.hour", "eu-west-1"),
    ]
    assert found[0]["percent"] == pytest.approx(-20)
    assert (found[0]["old"]["tiers"], found[0]["new"]["tiers"]) == ([[0.0, 0.06]], [[0.0, 0.048]])
    assert (found[1]["percent"], found[1]["new"], found[2]["old"]) == (None, None, None)


def test_diff_sees_other_tiers_and_other_units(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    save(
        [
            replace(price, tiers=price.tiers[:1]) if price.id == "lambda.gb_second" else replace(price, unit="USD/day")
            for price in read()
            if price.region == "us-east-1" and price.id in ("lambda.gb_second", "nat.hour")
        ],
        tmp_path / "new.json",
    )
    output = output_of(monkeypatch, capsys, "diff", "new.json")
    assert row(output, "changed", "lambda.gb_second")[6] == "+0.00"
    assert row(output, "changed", "nat.hour")[3:] == ["h -> day", "0.045", "0.045", "+0.00"]


def test_diff_has_no_percentage_without_an_old_price(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    price = load("us-east-1")["nat.hour"]
    save([replace(price, tiers=((0, 0.0),))], tmp_path / "free.json")
    save([price], tmp_path / "paid.json")
    output = output_of(monkeypatch, capsys, "diff", "free.json", "paid.json")
    assert row(output, "changed")[4:] == ["0", "0.045", ""]


def test_diff_of_the_same_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert output_of(monkeypatch, capsys, "diff", str(SNAPSHOT)) == "0 added, 0 removed, 0 changed.\n"


def test_refresh_writes_a_snapshot_that_the_model_takes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, files: Files
) -> None:
    document = files.document("AmazonEFS")
    [term] = document["terms"]["OnDemand"]["EFSREAD"].values()
    [dimension] = term["priceDimensions"].values()
    dimension["pricePerUnit"]["USD"] = "0.0400000000"
    files.put("AmazonEFS", document)
    output = output_of(monkeypatch, capsys, "refresh", "--region", "us-east-1")
    new = load("us-east-1", tmp_path / "prices.json")
    assert new["efs.read_gb"].value == 0.04
    assert {price.status for price in new.by_id.values()} == {"confirmed"}
    # EFS's price, and two with tiers beyond the first that the shipped snapshot does without
    assert output == (
        f"{len(SOURCES)} prices refreshed: 3 changed, 0 new. 0 could not be read.\n"
        "Written to prices.json; `crossover cost --prices prices.json` uses it.\n"
    )
    assert [each.name for each in tmp_path.iterdir()] == ["prices.json"]


def test_a_failed_refresh_leaves_the_old_snapshot_byte_for_byte(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, files: Files
) -> None:
    save(read(), tmp_path / "prices.json")
    before, changed_at = (tmp_path / "prices.json").read_bytes(), (tmp_path / "prices.json").stat().st_mtime_ns
    files.bodies[path("AmazonEFS")] = b"{"
    assert run(monkeypatch, "refresh", "--region", "us-east-1") == 1
    output = capsys.readouterr()
    assert output.err.startswith(
        "crossover: The prices were not refreshed, and nothing was written:\n- efs.storage_gb_"
    )
    assert output.out == ""
    assert (tmp_path / "prices.json").read_bytes() == before
    assert (tmp_path / "prices.json").stat().st_mtime_ns == changed_at
    assert [each.name for each in tmp_path.iterdir()] == ["prices.json"]


def test_keep_old_names_what_it_keeps_and_what_it_leaves_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, files: Files
) -> None:
    save([price for price in read() if price.id != "efs.read_gb"], tmp_path / "prices.json")
    files.bodies[path("AmazonEFS")] = b"{"
    arguments = ("refresh", "--region", "us-east-1", "--only", "efs", "--only", "ecr", "--keep-old")
    kept, left_out, summary, _ = output_of(monkeypatch, capsys, *arguments).splitlines()
    assert kept.startswith("efs.storage_gb_month in us-east-1 is kept as it was: ") and "is not JSON" in kept
    assert left_out.startswith("efs.read_gb in us-east-1 is left out: ")
    assert summary.startswith("1 prices refreshed: 0 changed") and summary.endswith("2 could not be read.")
    new = {(price.id, price.region): price for price in read(tmp_path / "prices.json")}
    assert new["efs.storage_gb_month", "us-east-1"] == load("us-east-1")["efs.storage_gb_month"]
    assert ("efs.read_gb", "us-east-1") not in new
    assert new["ecr.gb_month", "us-east-1"].date == "2026-09-11"


def test_refresh_continues_from_its_own_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, files: Files
) -> None:
    output_of(monkeypatch, capsys, "refresh", "--region", "us-east-1", "--only", "lambda")
    output_of(monkeypatch, capsys, "refresh", "--region", "us-east-1", "--only", "s3")
    new = load("us-east-1", tmp_path / "prices.json")
    assert (new["lambda.request"].date, new["s3.put"].date) == ("2026-09-19", "2026-09-18")
    assert new["efs.read_gb"] == load("us-east-1")["efs.read_gb"]


def test_refresh_of_an_old_snapshot_goes_through_its_regions(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, files: Files
) -> None:
    save([price for price in read() if price.region in ("us-east-1", "eu-west-1")], tmp_path / "old.json")
    assert run(monkeypatch, "refresh", "--prices", "old.json", "--only", "ecr") == 1
    assert (
        "- ecr.gb_month (eu-west-1): AWS's price list of AmazonECR has no region 'eu-west-1'."
        in capsys.readouterr().err
    )


def test_refresh_lists_instance_types_that_a_region_lacks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, files: Files
) -> None:
    document: Any = files.document("AmazonSageMaker")
    del document["products"]["HOSTC7ILARGE"]
    files.put("AmazonSageMaker", document)
    save([price for price in read() if price.id == "nat.gb"], tmp_path / "prices.json")
    output = output_of(monkeypatch, capsys, "refresh", "--region", "us-east-1", "--only", "sagemaker.host.ml.c7")
    assert output.splitlines()[0] == "sagemaker.host.ml.c7i.large is not offered in us-east-1."
