"""Jobs: what is asked of S3 Batch Operations, and what its answers mean."""

import io

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from crossover.aws import Clients
from crossover.backfill import jobs
from crossover.backfill.objects import Choice
from crossover.deployed import Variant, find_variants
from crossover.errors import CrossoverError, UsageError

from ..deployments import create_stack
from .jobs_service import JOB, ROLE, Jobs, deploy, listed, refusal, with_jobs

ACCOUNT = "123456789012"


@pytest.fixture
def variant(clients: Clients) -> Variant:
    return deploy(clients)


def test_a_job_invokes_what_s3_notifies_as_the_stacks_role(clients: Clients, variant: Variant) -> None:
    service = Jobs()
    manifest = jobs.generated_manifest(variant, ACCOUNT, Choice(prefix="in/"))
    assert jobs.create(with_jobs(clients, service), variant, ACCOUNT, manifest, "token") == JOB
    [request] = service.created
    assert request["Operation"]["LambdaInvoke"]["FunctionArn"] == variant.handler_arn
    assert (request["RoleArn"], request["ClientRequestToken"], request["AccountId"]) == (ROLE, "token", ACCOUNT)
    assert not request["ConfirmationRequired"]
    assert (request["Report"]["Bucket"], request["Report"]["ReportScope"]) == (
        "arn:aws:s3:::reports-of-jobs",
        "AllTasks",
    )
    generator = request["ManifestGenerator"]["S3JobManifestGenerator"]
    assert generator["SourceBucket"] == f"arn:aws:s3:::{variant.bucket}"
    assert generator["Filter"] == {"KeyNameConstraint": {"MatchAnyPrefix": ["in/"]}}
    assert (
        "Filter"
        not in jobs.generated_manifest(variant, ACCOUNT, Choice())["ManifestGenerator"]["S3JobManifestGenerator"]
    )


def test_a_list_is_uploaded_where_only_jobs_read_it(clients: Clients, variant: Variant) -> None:
    part = jobs.uploaded_manifest(clients, variant, io.BytesIO(b"files,a.wav\n"), "token")["Manifest"]
    assert part["Location"]["ObjectArn"] == "arn:aws:s3:::reports-of-jobs/manifests/token.csv"
    uploaded = clients("s3").get_object(Bucket="reports-of-jobs", Key="manifests/token.csv")
    assert uploaded["Body"].read() == b"files,a.wav\n"
    assert part["Location"]["ETag"] == uploaded["ETag"].strip('"')


def test_who_may_not_make_a_job_is_told_what_it_takes(clients: Clients, variant: Variant) -> None:
    service = Jobs()
    service.error = refusal("AccessDenied", "no.")
    with pytest.raises(
        CrossoverError, match=f"^AWS refused the job: no; you need s3:CreateJob, and iam:PassRole on {ROLE}"
    ):
        jobs.create(with_jobs(clients, service), variant, ACCOUNT, {}, "token")
    service.error = refusal("Other")
    with pytest.raises(ClientError):
        jobs.create(with_jobs(clients, service), variant, ACCOUNT, {}, "token")


def test_where_the_answer_is_lost_the_job_may_have_begun(clients: Clients, variant: Variant) -> None:
    service = Jobs()
    unavailable = refusal("ServiceUnavailable")
    unavailable.response["ResponseMetadata"]["HTTPStatusCode"] = 503
    for service.error in (ReadTimeoutError(endpoint_url="https://s3-control"), unavailable):
        with pytest.raises(CrossoverError, match=r"^Whether S3 has made the job is not known: .* backfill --list` "):
            jobs.create(with_jobs(clients, service), variant, ACCOUNT, {}, "token")


def test_the_jobs_of_stacks_are_found_by_what_describes_them(clients: Clients) -> None:
    service = Jobs()
    service.pages = [
        [listed("1", f"{jobs.DESCRIPTION}Crossover-Efs", hour=1), listed("2", "of another program", hour=2)],
        [
            listed("3", f"{jobs.DESCRIPTION}Crossover-Standard", hour=3),
            listed("4", f"{jobs.DESCRIPTION}Mine", hour=4),
        ],
    ]
    found = jobs.find(with_jobs(clients, service), ACCOUNT, prefix="Crossover")
    assert [(job.id, job.stack) for job in found] == [("3", "Crossover-Standard"), ("1", "Crossover-Efs")]
    assert (found[0].status, found[0].total, found[0].succeeded, found[0].failed) == ("Active", 5, 2, 1)
    [own] = jobs.find(with_jobs(clients, service), ACCOUNT, prefix="Crossover", stack="Crossover-Efs")
    assert own.id == "1"


def test_a_stack_without_the_role_says_which_setting_makes_it(clients: Clients) -> None:
    create_stack(clients, "Crossover-Standard", "standard")
    [variant] = find_variants(clients, prefix="Crossover")
    with pytest.raises(
        UsageError, match=r"^The stack Crossover-Standard has no role .* setting backfill=true first\.$"
    ):
        jobs.backfill_of(variant)


def test_a_job_is_watched_until_it_ends(clients: Clients) -> None:
    service = Jobs("New", "Active", "Complete", ProgressSummary={"TotalNumberOfTasks": 3, "NumberOfTasksFailed": 1})
    pauses: list[float] = []
    seen = list(jobs.watch(with_jobs(clients, service), ACCOUNT, JOB, sleep=pauses.append))
    assert [job.status for job in seen] == ["New", "Active", "Complete"]
    assert (seen[-1].total, seen[-1].failed, seen[-1].report) == (3, 1, ("reports-of-jobs", "reports"))
    assert pauses == sorted(pauses)
    assert len(pauses) == 2


def test_a_job_that_waits_for_the_console_is_not_watched_for_ever(clients: Clients) -> None:
    with pytest.raises(CrossoverError, match=f"The job {JOB} waits for a confirmation"):
        list(jobs.watch(with_jobs(clients, Jobs("Suspended")), ACCOUNT, JOB))


def test_a_job_that_is_not_there_is_named(clients: Clients) -> None:
    service = Jobs()
    service.error = refusal("NoSuchJob")
    for ask in (jobs.describe, jobs.cancel):
        with pytest.raises(
            UsageError, match=r"^There is no job 'x' of S3 Batch Operations in eu-central-1, account 123"
        ):
            ask(with_jobs(clients, service), ACCOUNT, "x")


def test_a_job_that_has_ended_cannot_be_cancelled(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    service = Jobs("Complete")
    assert jobs.cancel(with_jobs(clients, service), ACCOUNT, JOB) == "Cancelling"

    def refuse(**_: str) -> None:
        raise refusal("JobStatusException")

    monkeypatch.setattr(service, "update_job_status", refuse)
    with pytest.raises(UsageError, match=f"^The job {JOB} cannot be cancelled any more: it is Complete.$"):
        jobs.cancel(with_jobs(clients, service), ACCOUNT, JOB)
