"""`crossover backfill` on the command line."""

import io
import json
import signal
import sys
from functools import partial
from typing import Any

import pytest
from rich.console import Console

from crossover import cli, terminal
from crossover.aws import Clients
from crossover.backfill import cli as backfill_cli
from crossover.backfill import display, jobs
from crossover.deployed import Variant

from ..deployments import create_stack
from .jobs_service import JOB, Jobs, deploy, put, put_report, refusal, with_jobs

WATCH = jobs.watch
DONE = {"TotalNumberOfTasks": 2, "NumberOfTasksSucceeded": 2, "NumberOfTasksFailed": 0}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def service(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> Jobs:
    """What the commands ask for jobs; their other clients are moto's."""
    service = Jobs("Active", "Complete", ProgressSummary=DONE)
    monkeypatch.setattr(backfill_cli, "open_clients", lambda: with_jobs(clients, service))
    monkeypatch.setattr(jobs, "watch", partial(WATCH, sleep=lambda _: None))
    return service


@pytest.fixture
def variant(clients: Clients, service: Jobs) -> Variant:
    """With two objects, one of which its model has refused."""
    variant = deploy(clients)
    put(clients, variant, "a.wav", "b.txt")
    put_report(clients, ("a.wav", "succeeded", "SUCCEEDED"), ("b.txt", "succeeded", "FAILED NOT_AUDIO: No."))
    return variant


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str, stdin: io.StringIO | None = None) -> int:
    monkeypatch.setattr(sys, "argv", ["crossover", "backfill", *arguments])
    monkeypatch.setattr(sys, "stdin", stdin or io.StringIO())
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_the_price_comes_first_then_the_job_then_what_became_of_the_objects(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variant: Variant, service: Jobs
) -> None:
    assert run(monkeypatch, "standard", stdin=Terminal("y\n")) == 0
    output = capsys.readouterr()
    assert "S3 Batch Operations: job" in output.out
    assert "Predict 2 objects by standard for about 0.25 USD?" in output.err
    assert f"The job {JOB} has begun" in output.err
    assert "2 of 2 objects done, 1 predicted, 1 refused, 0 failed." in output.out
    assert "NOT_AUDIO" in output.out
    assert len(service.created) == 1


def test_the_price_has_units_and_no_rows_of_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variant: Variant
) -> None:
    assert run(monkeypatch, "standard", "--price") == 0
    rows = [[cell.strip() for cell in line.split("│")] for line in capsys.readouterr().out.splitlines()]
    assert ["S3 Batch Operations: job", "1", "job", "0.2500"] in rows
    assert "0.0000" not in [row[-1] for row in rows]


def test_the_usage_names_the_ways_to_call_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--help") == 0
    assert "[VARIANT | --job-id JOB | --cancel JOB]" in capsys.readouterr().out


def test_the_progress_bar_is_labelled_from_the_start_and_leaves_no_line() -> None:
    output = io.StringIO()
    console = Console(file=output, force_terminal=True, width=80)
    with display.Progress(console):
        pass
    shown = output.getvalue()
    assert "Asking S3 for the job" in shown
    assert shown.endswith("\x1b[1A\x1b[2K")  # up, and erase the line


def test_without_a_yes_nothing_is_predicted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variant: Variant, service: Jobs
) -> None:
    assert run(monkeypatch, "standard", "--price") == 0
    assert run(monkeypatch, "standard", stdin=Terminal("n\n")) == 1
    assert "Nothing was predicted." in capsys.readouterr().err
    assert run(monkeypatch, "standard") == 2
    assert "standard input is not a terminal; add --yes or --price" in capsys.readouterr().err
    assert service.created == []


def test_json_has_the_price_and_what_became_of_the_objects(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variant: Variant
) -> None:
    assert run(monkeypatch, "standard", "--yes", "--json") == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (document["objects"], document["job"], document["status"]) == (2, JOB, "Complete")
    assert (document["predicted"], document["refused"], document["failed"]) == (1, {"NOT_AUDIO": 1}, {})
    assert document["price_usd"] == pytest.approx(0.25, abs=0.01)


def test_a_list_of_ones_own_is_given_to_the_job_where_s3_cannot_choose(
    monkeypatch: pytest.MonkeyPatch, clients: Clients, variant: Variant, service: Jobs
) -> None:
    assert run(monkeypatch, "standard", "--limit", "1", "--yes", "--no-wait") == 0
    key = service.created[0]["Manifest"]["Location"]["ObjectArn"].partition("/")[2]
    body = clients("s3").get_object(Bucket="reports-of-jobs", Key=key)["Body"].read()
    assert body == f"{variant.bucket},a.wav\n".encode()
    assert service.asked == []  # nor is it watched


def test_where_nothing_matches_there_is_no_job(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variant: Variant, service: Jobs
) -> None:
    assert run(monkeypatch, "standard", "--key-suffix", ".mp3", "--from", "2026-11-01", "--yes") == 0
    said = "is to be predicted that matches: key ends in '.mp3' and is of 2026-11-01 or later."
    assert f"No object of {variant.bucket} {said}" in capsys.readouterr().out
    assert service.created == []


@pytest.mark.parametrize(
    ("job", "sentence"),
    [
        (
            {"states": ["Failed"], "FailureReasons": [{"FailureCode": "Threshold", "FailureReason": "Too many."}]},
            "is Failed (Too many): 2 of 2 objects done",
        ),
        ({"states": ["Cancelled"]}, "is Cancelled: 2 of 2 objects done"),
        ({"ProgressSummary": {**DONE, "NumberOfTasksSucceeded": 1, "NumberOfTasksFailed": 1}}, "is Complete: 2 of 2"),
    ],
)
def test_the_exit_code_tells_of_what_is_not_done(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variant: Variant,
    service: Jobs,
    job: dict[str, Any],
    sentence: str,
) -> None:
    service.states = job.pop("states", ["Complete"])
    service.job |= job
    assert run(monkeypatch, "--job-id", JOB) == 1
    assert sentence in capsys.readouterr().out


def test_ctrl_c_ends_the_watching_and_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variant: Variant
) -> None:
    monkeypatch.setattr(jobs, "watch", partial(WATCH, sleep=lambda _: signal.raise_signal(signal.SIGINT)))
    assert run(monkeypatch, "standard", "--yes") == 130
    error = capsys.readouterr().err.splitlines()[-1]
    assert error == (
        f"crossover: interrupted; stopped: watching; still running: the job {JOB}: `crossover backfill --job-id {JOB}` "
        f"watches it again, `crossover backfill --cancel {JOB}` cancels it."
    )


def test_a_job_is_cancelled_by_its_id(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], service: Jobs
) -> None:
    assert run(monkeypatch, "--cancel", JOB) == 0
    assert capsys.readouterr().out == f"The job {JOB} is Cancelling.\n"
    assert service.asked[0]["RequestedJobStatus"] == "Cancelled"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Give exactly one of these: the name of a variant, --job-id or --cancel."),
        (["standard", "--cancel", JOB], "Give exactly one of these"),
        (["standard", "--from", "28.11.2026"], "The value of --from is '28.11.2026'; it must be a day as YYYY-MM-DD."),
        (
            ["standard", "--from", "2026-12-02", "--to", "2026-12-01"],
            "--from is 2026-12-02, but must not be later than",
        ),
        (["standrad"], "The variant 'standrad' is not deployed in eu-central-1; deployed are standard."),
    ],
)
def test_a_mistake_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variant: Variant,
    arguments: list[str],
    sentence: str,
) -> None:
    assert run(monkeypatch, *arguments) == 2
    assert sentence in capsys.readouterr().err


def test_a_stack_without_the_setting_and_a_refusal_of_aws_are_explained(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], clients: Clients, service: Jobs
) -> None:
    create_stack(clients, "Crossover-Snapstart", "snapstart")
    assert run(monkeypatch, "snapstart") == 2
    assert "deploy it with the setting backfill=true first" in capsys.readouterr().err
    service.error = refusal("NoSuchJob")
    assert run(monkeypatch, "--job-id", "x") == 2
    assert "There is no job 'x' of S3 Batch Operations" in capsys.readouterr().err


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(terminal.WIDTH_WITHOUT_TERMINAL))
