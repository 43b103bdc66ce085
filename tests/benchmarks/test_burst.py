"""The burst counts what became of its uploads; what it measures on a local AWS is in benchmarks/results."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import boto3
import pytest

from benchmarks import burst
from crossover.aws import Clients
from crossover.bench.run import report_lines
from crossover.bench.run.report_lines import Report
from crossover.deployed import find_variants
from crossover.local.process import Emulator
from tests.crossover.deployments import create_stack, put_failure

OPTIONS = burst.Options(uploads=3, audio_seconds=1, concurrency=10, max_concurrency=2, timeout_seconds=60)


def report(billed_ms: float) -> Report:
    return Report(request_id="r", duration_ms=billed_ms, billed_ms=billed_ms, memory_mb=512, max_memory_mb=60)


@pytest.mark.parametrize(("queue", "sqs_requests"), [({}, 0), ({"UploadQueueUrl": "https://sqs/uploads"}, 9)])
def test_every_upload_is_counted_and_every_attempt_is_paid(
    clients: Clients,
    monkeypatch: pytest.MonkeyPatch,
    queue: dict[str, str],
    sqs_requests: int,
) -> None:
    create_stack(clients, "Crossover-SageMaker", "sagemaker", outputs=queue)
    [variant] = find_variants(clients, prefix="Crossover")
    function = {"get_function_configuration": lambda **_: {"LoggingConfig": {"LogGroup": "/of/the/proxy"}}}
    monkeypatch.setattr(
        boto3, "client", lambda service: SimpleNamespace(**function) if service == "lambda" else clients(service)
    )
    monkeypatch.setattr(report_lines, "fetch", lambda *_, **__: {"a": (report(1000.0), report(3000.0))})
    in_progress = iter([2, 1, 0])

    def ended() -> int:
        """Two uploads succeed and one fails while they are asked for."""
        remaining = next(in_progress)
        if remaining:
            completed = (datetime.now(UTC) + timedelta(seconds=10 * remaining)).isoformat(timespec="milliseconds")
            values: dict[str, Any] = {"object_key": {"S": f"{remaining}.flac"}, "completed_at": {"S": completed}}
            clients("dynamodb").put_item(TableName=variant.table, Item={**values, "status": {"S": "SUCCEEDED"}})
        else:
            put_failure(clients, variant, "0.flac")
        return remaining

    emulator = cast(Emulator, SimpleNamespace(events_in_progress=ended))

    found = burst._measure(OPTIONS, emulator, announce=lambda what: None)

    uploaded = clients("s3").list_objects_v2(Bucket=variant.bucket)["Contents"]
    assert sorted(each["Key"] for each in uploaded) == ["0.flac", "1.flac", "2.flac"]
    assert (found["items"], found["dead_letters"], found["in_progress_at_the_end"]) == (2, 1, 0)
    assert found["seconds_to_the_last_item"] == pytest.approx(20, abs=5)
    assert (found["invocations"], found["billed_seconds"], found["sqs_requests"]) == (2, 4.0, sqs_requests)
    assert found["usd"] == pytest.approx(2 * 16.6667e-6 + 2 * 2e-7 + sqs_requests * 4e-7, rel=1e-2)
