"""Upload queues that a deployment would delete."""

import pytest

from crossover.doctor import upload_queues
from tests.crossover.doctor.stubs import Aws, run, stack

[QUEUES] = upload_queues.CHECKS
URL = "https://sqs.us-east-1.amazonaws.com/123456789012/uploads"


def deployed(aws: Aws, ingest: str) -> None:
    entry = {
        "StackName": "Crossover-Standard",
        "StackStatus": "CREATE_COMPLETE",
        "CreationTime": "2026-01-01",
        "Outputs": [
            {"OutputKey": "UploadQueueUrl", "OutputValue": URL},
            {"OutputKey": "Ingest", "OutputValue": ingest},
        ],
    }
    aws.answers("cloudformation", "describe_stacks", {"Stacks": [entry]})


def holds(aws: Aws, visible: int, in_flight: int) -> None:
    counts = {
        "ApproximateNumberOfMessages": str(visible),
        "ApproximateNumberOfMessagesNotVisible": str(in_flight),
    }
    aws.answers("sqs", "get_queue_attributes", {"Attributes": counts}, QueueUrl=URL, AttributeNames=list(counts))


@pytest.mark.parametrize(("ingest", "visible", "in_flight"), [("queue", 0, 0), ("queue", 5, 2), ("drain", 0, 7)])
def test_what_waits_would_be_lost(aws: Aws, ingest: str, visible: int, in_flight: int) -> None:
    deployed(aws, ingest)
    holds(aws, visible, in_flight)
    [(status, found, todo)] = run(QUEUES, aws, stack())
    assert status == "warning"
    assert f"now about {visible + in_flight} uploads" in found
    assert todo == "Deploy it with ingest=drain, and with ingest=direct once the queue is empty."


def test_a_queue_that_was_emptied_may_go(aws: Aws) -> None:
    deployed(aws, "drain")
    holds(aws, 0, 0)
    assert run(QUEUES, aws, stack()) == [("ok", "the upload queue of Crossover-Standard is empty", "")]


def test_a_queue_that_stays_is_not_asked_for(aws: Aws) -> None:
    deployed(aws, "queue")
    assert run(QUEUES, aws, stack(outputs={"UploadQueueUrl": URL})) == []
