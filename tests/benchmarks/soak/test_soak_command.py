"""`python -m benchmarks soak`: its output and exit codes, without a local AWS."""

import json
import sys
from collections import Counter
from typing import Any

import pytest

from benchmarks.__main__ import main
from benchmarks.soak import run
from benchmarks.soak.audit import Audit, Outcome, Upload, Verdict
from benchmarks.soak.fault_proxy import Traffic
from benchmarks.soak.upload_plan import Kind, PlannedObject, PlannedUpload


def report(options: run.Options, *, lost: int = 0, is_finished: bool = True) -> run.Report:
    """Two uploads to each variant, of which some are lost."""
    verdicts: list[Verdict] = []
    for variant in options.variants:
        for number in range(2):
            upload = PlannedUpload(kind=Kind.GOOD, deliveries=(0.0, 2.0))
            planned = PlannedObject(variant=variant, key=f"{variant}/{number}", uploads=(upload,), fault=None, times=0)
            outcome = Outcome.LOST if len(verdicts) < lost else Outcome.SUCCEEDED
            uploaded = Upload(planned=planned, kind=Kind.GOOD, error_code="", etag="e", size_bytes=1, is_last=True)
            verdicts.append(Verdict(upload=uploaded, outcome=outcome))
    traffic = Traffic(
        injected=Counter({("standard", "S3: slow"): 7}), requests=Counter({"s3": 9}), copies=Counter({("k", "e"): 4})
    )
    audit = Audit(verdicts=verdicts)
    return run.Report(options=options, audit=audit, traffic=traffic, is_finished=is_finished, seconds=1.0)


def command(monkeypatch: pytest.MonkeyPatch, *arguments: str, **made_up: Any) -> int:
    monkeypatch.setattr(sys, "argv", ["benchmarks", "soak", *arguments])
    monkeypatch.setattr(run, "run", lambda options, **_: report(options, **made_up))
    with pytest.raises(SystemExit) as end:
        main()
    code = end.value.code
    assert isinstance(code, int)
    return code


def test_it_prints_the_table_the_faults_and_the_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(monkeypatch) == 0
    said = capsys.readouterr().out
    assert (
        "uploaded 6 = succeeded 6 + failed 0 + dead-lettered 0, lost = 0, duplicated = 0, stale overwrites = 0" in said
    )
    assert all(variant in said for variant in ("standard", "snapstart", "sagemaker"))
    [slow] = [line for line in said.splitlines() if "S3: slow" in line]
    assert "7" in slow
    assert "6 delivered twice" in said


def test_a_loss_is_named_and_fails_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(monkeypatch, lost=1) == 1
    said = capsys.readouterr().out
    assert "lost = 1" in said
    assert "'standard/0' (GOOD, e) is lost." in said


def test_a_timeout_fails_the_command_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(monkeypatch, "--timeout", "20", is_finished=False) == 1
    assert "Not all uploads had ended after 20 s." in capsys.readouterr().out


def test_json_has_everything(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = (
        "--json",
        "--model",
        "image",
        "--variants",
        "standard,snapstart",
        "--seed",
        "7",
        "--uploads",
        "9",
        "--fault-rate",
        "0.5",
    )
    assert command(monkeypatch, *arguments, lost=1) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["options"]["variants"] == ["standard", "snapstart"]
    assert said["options"]["model"] == "image"
    assert (said["options"]["seed"], said["options"]["uploads"], said["options"]["fault_rate"]) == (7, 9, 0.5)
    assert said["holds"] is False
    assert said["total"]["lost"] == said["variants"]["standard"]["lost"] == 1
    assert said["faults"]["standard"] == {"S3: slow": 7}
    assert len(said["problems"]) == 1


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--uploads", "0"], "--uploads"),
        (["--uploads", "100001"], "--uploads"),
        (["--fault-rate", "1.5"], "--fault-rate"),
        (["--fault-rate", "nan"], "--fault-rate"),
        (["--timeout", "nan"], "--timeout"),
        (["--concurrency", "0"], "--concurrency"),
        (["--timeout", "1"], "--timeout"),
        (["--negative-control", "everything"], "--negative-control"),
        (["--variants", "standard,tpu"], "There is no variant 'tpu'"),
    ],
)
def test_a_wrong_option_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], named: str
) -> None:
    assert command(monkeypatch, *arguments) == 2
    assert named in capsys.readouterr().err


def test_variants_and_settings_are_passed_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = "ingest=queue, max_concurrency=2,architecture=arm64"
    assert command(monkeypatch, "--variants", "standard,efs", "--settings", settings, "--json") == 0
    options = json.loads(capsys.readouterr().out)["options"]
    assert options["variants"] == ["standard", "efs"]
    assert options["settings"] == {"ingest": "queue", "max_concurrency": "2", "architecture": "arm64"}


def test_a_setting_without_a_value_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(monkeypatch, "--settings", "ingest") == 2
    assert "The setting is 'ingest'; it must have the form NAME=VALUE." in capsys.readouterr().err


def test_a_dead_letter_is_lambdas_record_or_the_event_as_it_waited_in_a_queue() -> None:
    event = {"Records": [{"s3": {"object": {"key": "k", "eTag": "e", "sequencer": "0A"}}}]}
    record = {"requestPayload": event, "requestContext": {}}
    assert run.dead_letter_of(json.dumps(record)) == record
    assert run.dead_letter_of(json.dumps(event)) == {"requestPayload": event}


def test_the_accounts_limit_lets_environments_be_kept_ready() -> None:
    assert run.account_concurrency(["standard", "sagemaker", "efs"], 8) == 8
    assert run.account_concurrency(["standard", "provisioned"], 8) == 108
