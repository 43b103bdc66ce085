"""What lies in a bucket already is predicted by a job of S3 Batch Operations, in every variant."""

import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from crossover import deployed
from crossover.aws import CLOCK_TOLERANCE, Clients, open_clients, response_time
from crossover.backfill import jobs, objects, report
from crossover.backfill.objects import Choice
from crossover.deployed import Variant
from crossover.paths import sources

from .model_updates import CLIP

pytestmark = pytest.mark.slow
OLD = {"old/é + crow.flac": CLIP.read_bytes(), "old/broken.wav": b"no sound"}  # few: each takes an environment


def put_without_items(clients: Clients, variants: list[Variant]) -> None:
    """Put the files, and undo what their events make: one as if it had been there before the stack, and one as if it
    had been uploaded again without an event.
    """
    uploads = []
    for variant in variants:
        for key, body in OLD.items():
            answer = clients("s3").put_object(Bucket=variant.bucket, Key=key, Body=body)
            uploads.append(deployed.Upload(variant=variant, key=key, earliest=response_time(answer) - CLOCK_TOLERANCE))
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda upload: deployed.wait_for_end(clients, upload, timeout_seconds=90), uploads))
    earlier = {":etag": {"S": "of the first upload"}, ":then": {"S": "2020-01-01T00:00:00.000+00:00"}}
    for upload in uploads:
        item = {"TableName": upload.variant.table, "Key": {"object_key": {"S": upload.key}}}
        if upload.key == "old/broken.wav":
            clients("dynamodb").update_item(
                **item,
                UpdateExpression="SET etag = :etag, completed_at = :then, size_bytes = :etag",
                ExpressionAttributeValues=earlier,
            )
        else:
            clients("dynamodb").delete_item(**item)


def items(clients: Clients, variant: Variant) -> dict[str, Any]:
    found = {}
    for key in OLD:
        answer = clients("dynamodb").get_item(TableName=variant.table, Key={"object_key": {"S": key}})
        found[key] = answer["Item"]
    return found


def run_job(clients: Clients, variant: Variant) -> report.Summary:
    """As the command does, without it."""
    account = jobs.account_of(clients)
    with tempfile.TemporaryFile() as file:
        objects.write_manifest(file, variant.bucket, objects.chosen(clients, variant, Choice(prefix="old/")))
        manifest = jobs.uploaded_manifest(clients, variant, file, variant.name)
    job_id = jobs.create(clients, variant, account, manifest, variant.name)
    [*_, job] = jobs.watch(clients, account, job_id)
    assert job.status == "Complete"
    summary = report.read(clients, job)
    assert summary
    return summary


def crossover(environment: dict[str, str], *arguments: str) -> dict[str, Any]:
    program = [
        sys.executable,
        "-c",
        "from crossover.cli import main; main()",
        "backfill",
        *arguments,
        "--local",
        "--json",
    ]
    run = subprocess.run(
        program, cwd=sources(), env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 0, run.stderr
    document: dict[str, Any] = json.loads(run.stdout)
    return document


def test_old_files_are_predicted_or_refused_and_the_rest_of_the_bucket_is_left_alone(
    clients: Clients, variants: dict[str, Variant], command_line: dict[str, str]
) -> None:
    put_without_items(clients, list(variants.values()))
    with_jobs = open_clients()
    others = [variant for variant in variants.values() if variant.name != "standard"]
    with ThreadPoolExecutor(8) as pool:
        for summary in pool.map(partial(run_job, with_jobs), others):
            assert (summary.succeeded, summary.refused, summary.failed) == (1, {"UNSUPPORTED_FORMAT": 1}, {})
            assert (summary.newer, summary.kept) == (0, 0)
    done = crossover(command_line, "standard", "--key-prefix", "old/", "--yes")
    assert (done["status"], done["objects"], done["done"]) == ("Complete", 2, 2)
    assert (done["predicted"], done["refused"], done["failed"]) == (1, {"UNSUPPORTED_FORMAT": 1}, {})
    assert done["warning"] is None  # so few endanger nothing
    [listed] = jobs.find(with_jobs, jobs.account_of(with_jobs), prefix=variants["standard"].stack)
    assert (listed.id, listed.status, listed.succeeded) == (done["job"], "Complete", 2)
    for variant in variants.values():
        found = items(clients, variant)
        assert [item["status"]["S"] for item in found.values()] == ["SUCCEEDED", "FAILED"]
        assert found["old/é + crow.flac"]["label"]["S"] == "Crow"
        assert [int(found[key]["size_bytes"]["N"]) for key in OLD] == [len(body) for body in OLD.values()]
        assert all("uploaded_at" in item for item in found.values())

    for variant in variants.values():
        assert list(objects.chosen(clients, variant, Choice(prefix="old/", missing=True))) == []
