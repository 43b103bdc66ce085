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
from crossover.backfill import concurrency, display, jobs, objects
from crossover.backfill.objects import Count
from crossover.backfill.price import price_of
from crossover.deployed import Variant

from ..deployments import create_stack
from .jobs_service import JOB, Jobs, Lambda, deploy, listed, put, put_report, refusal, with_jobs

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
    assert "[VARIANT | --job-id JOB | --cancel JOB | --list]" in " ".join(capsys.readouterr().out.split())


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


def test_a_signal_while_the_job_is_made_waits_until_its_id_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variant: Variant, service: Jobs
) -> None:
    create_job = service.create_job

    def interrupted(**request: Any) -> dict[str, str]:
        signal.raise_signal(signal.SIGINT)
        return create_job(**request)

    monkeypatch.setattr(service, "create_job", interrupted)
    assert run(monkeypatch, "standard", "--yes") == 130
    error = capsys.readouterr().err
    assert f"The job {JOB} has begun" in error
    assert f"still running: the job {JOB}: `crossover backfill --job-id {JOB}` watches it again" in error


def test_jobs_are_listed_so_that_none_is_lost(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variant: Variant, service: Jobs
) -> None:
    service.pages = [
        [
            listed("of-this", f"{jobs.DESCRIPTION}{variant.stack}", hour=7),
            listed("of-a-deleted-one", f"{jobs.DESCRIPTION}Crossover-Efs", hour=8),
        ]
    ]
    assert run(monkeypatch, "--list") == 0
    rows = [[cell.strip() for cell in line.split("│")] for line in capsys.readouterr().out.splitlines()[2:]]
    assert rows == [
        ["of-a-deleted-one", "Crossover-Efs", "2026-11-28 08:00", "Active", "5", "3", "1"],
        ["of-this", variant.stack, "2026-11-28 07:00", "Active", "5", "3", "1"],
    ]
    assert run(monkeypatch, "standard", "--list", "--json") == 0
    assert [job["id"] for job in json.loads(capsys.readouterr().out)] == ["of-this"]
    service.pages = [[]]
    assert run(monkeypatch, "--list") == 0
    assert "There are no jobs of stacks named Crossover-... in eu-central-1." in capsys.readouterr().out


def test_a_job_can_be_looked_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variant: Variant, service: Jobs
) -> None:
    service.states = ["Active"]
    assert run(monkeypatch, "--job-id", JOB, "--no-wait") == 0
    assert capsys.readouterr().out == f"The job {JOB} is Active: 2 of 2 objects done, 0 failed.\n"
    assert run(monkeypatch, "--job-id", JOB, "--no-wait", "--json") == 0
    assert json.loads(capsys.readouterr().out)["status"] == "Active"
    service.states = ["Cancelled"]
    assert run(monkeypatch, "--job-id", JOB, "--no-wait") == 1
    assert "is Cancelled: 2 of 2 objects done, 1 predicted" in capsys.readouterr().out
    service.error = refusal("NoSuchJobException")
    assert run(monkeypatch, "--job-id", "x", "--no-wait") == 2


def test_where_objects_failed_the_log_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], clients: Clients, service: Jobs
) -> None:
    deploy(clients)
    put_report(clients, ("a.wav", "failed", ""))
    function = {"FunctionArn": "arn:aws:lambda:eu-central-1:123456789012:function:predicts:live"}
    service.job |= {"Operation": {"LambdaInvoke": function}}
    assert run(monkeypatch, "--job-id", JOB) == 0  # S3 counts none as failed here
    output = capsys.readouterr().out
    assert "no reason given" in output
    assert "The function's log, /aws/lambda/predicts, has a line with the cause of each." in output

    def denied(**_: str) -> None:
        raise refusal("AccessDeniedException")

    functions = Lambda()
    monkeypatch.setattr(functions, "get_function_configuration", denied)
    monkeypatch.setattr(backfill_cli, "open_clients", lambda: with_jobs(clients, service, functions))
    assert run(monkeypatch, "--job-id", JOB) == 0
    assert "log" not in capsys.readouterr().out


def test_a_count_that_is_not_finished_says_what_else_is_predicted(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    clients: Clients,
    variant: Variant,
    service: Jobs,
) -> None:

    def count(*_: object, most: int, **__: object) -> Count:
        return Count(objects=0, size_bytes=0, listed=most, is_complete=False)

    monkeypatch.setattr(objects, "count", count)
    assert run(monkeypatch, "standard", "--max-count", "1000", "--key-suffix", ".wav", stdin=Terminal("n\n")) == 1
    output = capsys.readouterr()
    assert "0 of the first 1,000 keys match, and the price is for these. The job predicts all that match" in output.out
    per_million = price_of(with_jobs(clients, service), variant, objects=0).usd_per_million
    assert (
        f"Predict all of {variant.bucket} that matches: key ends in '.wav' by standard for about 0.25 USD for the 0 "
        f"objects counted, and {per_million:.2f} USD for each million more?"
    ) in output.err
    assert run(monkeypatch, "standard", "--max-count", "1000", "--json", "--price") == 0
    document = json.loads(capsys.readouterr().out)
    assert not document["all_counted"]
    assert document["usd_per_million"] == pytest.approx(per_million)


def test_before_the_question_it_is_said_what_a_large_job_endangers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], clients: Clients, service: Jobs
) -> None:
    deploy(clients, UploadQueueUrl="queue")
    large = Count(objects=concurrency.SMALL_JOB + 1, size_bytes=1, listed=501, is_complete=True)
    monkeypatch.setattr(objects, "count", lambda *_, **__: large)
    assert run(monkeypatch, "standard", stdin=Terminal("n\n")) == 1
    before, question, _ = capsys.readouterr().err.partition("Predict 501 objects by standard, past its queue, for")
    assert question
    assert "past the upload queue and its max_concurrency" in before
    assert run(monkeypatch, "standard", "--price", "--json") == 0
    assert "past the upload queue" in json.loads(capsys.readouterr().out)["warning"]


def test_a_function_that_was_stopped_by_hand_gets_no_job(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    clients: Clients,
    variant: Variant,
    service: Jobs,
) -> None:
    monkeypatch.setattr(backfill_cli, "open_clients", lambda: with_jobs(clients, service, Lambda(reserved=0)))
    assert run(monkeypatch, "standard", "--yes") == 2
    assert "has a reserved concurrency of 0" in capsys.readouterr().err
    assert service.created == []
    assert run(monkeypatch, "standard", "--price") == 0


def test_what_is_archived_is_said(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    clients: Clients,
    variant: Variant,
    service: Jobs,
) -> None:
    clients("s3").put_object(Bucket=variant.bucket, Key="in/old.wav", Body=b"1", StorageClass="DEEP_ARCHIVE")
    assert run(monkeypatch, "standard", "--missing", "--key-prefix", "in/", "--yes") == 0
    output = capsys.readouterr()
    assert "Left out: 1 object archived in S3 Glacier and not restored." in output.err
    assert "is to be predicted" in output.out
    assert service.created == []
    assert run(monkeypatch, "standard", "--limit", "9", "--price", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["objects"], document["archived"]) == (2, 1)


def test_the_count_of_a_bucket_with_versions_ends_early_for_the_price_alone(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    clients: Clients,
    variant: Variant,
    service: Jobs,
) -> None:
    versioning = {"Status": "Enabled"}
    clients("s3").put_bucket_versioning(Bucket=variant.bucket, VersioningConfiguration=versioning)
    monkeypatch.setattr(
        objects, "count", lambda *_, most, **__: Count(objects=0, size_bytes=0, listed=most, is_complete=False)
    )
    assert run(monkeypatch, "standard", "--max-count", "1000", "--price") == 0
    assert "0 of the first 1,000 keys match" in capsys.readouterr().out
    assert run(monkeypatch, "standard", "--max-count", "1000", "--yes") == 2
    assert "has versions, so the job needs the list of all its objects" in capsys.readouterr().err
    assert service.created == []


def test_a_job_is_cancelled_by_its_id(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], service: Jobs
) -> None:
    assert run(monkeypatch, "--cancel", JOB) == 0
    assert capsys.readouterr().out == f"The job {JOB} is Cancelling.\n"
    assert service.asked[0]["RequestedJobStatus"] == "Cancelled"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Give exactly one of these: the name of a variant, --job-id, --cancel or --list."),
        (["standard", "--cancel", JOB], "Give exactly one of these"),
        (["--list", "--job-id", JOB], "Give exactly one of these"),
        (["--job-id", JOB, "--limit", "5"], "--limit has no meaning with --job-id; leave it out."),
        (["--cancel", JOB, "--no-wait"], "--no-wait has no meaning with --cancel; leave it out."),
        (["standard", "--missing", "--max-count", "5"], "--max-count has no meaning with --missing; leave it out."),
        (["standard", "--limit", "5", "--max-count", "5"], "--max-count has no meaning with --limit; leave it out."),
        (["standard", "--from", "28.11.2026"], "The value of --from is '28.11.2026'; it must be a day as YYYY-MM-DD"),
        (["standard", "--to", "9999-12-31"], "The value of --to is '9999-12-31'; it must be a day as YYYY-MM-DD, from"),
        (["standard", "--from", "0001-01-01"], "The value of --from is '0001-01-01'; it must be a day"),
        (
            ["standard", "--from", "2026-12-02", "--to", "2026-12-01"],
            "--from is 2026-12-02, but must not be later than",
        ),
    ],
)
def test_a_mistake_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    assert run(monkeypatch, *arguments) == 2
    assert sentence in capsys.readouterr().err


def test_a_variant_that_is_not_deployed_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variant: Variant
) -> None:
    assert run(monkeypatch, "standrad") == 2
    sentence = "The variant 'standrad' is not deployed in eu-central-1; deployed are standard."
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
