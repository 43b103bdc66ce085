"""Deployed variants, with AWS answered by moto."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crossover import deployed
from crossover.aws import Clients
from crossover.deployed import NoPredictionError, Upload, Variant
from crossover.errors import UsageError

from .deployments import TEMPLATE, create_stack, failed_event, letter_of, messages_in, put_dead_letter, put_failure

SPEECH = Path(__file__).parents[2] / "model/samples/sense_and_sensibility_01_austen_64kb-0870.wav"


def put_item(clients: Clients, upload: Upload, *, milliseconds: int = 250, sequencer: str = "01") -> None:
    """What a handler leaves."""
    uploaded_at = datetime.now(UTC)
    completed_at = uploaded_at + timedelta(milliseconds=milliseconds)
    clients("dynamodb").put_item(
        TableName=upload.variant.table,
        Item={
            "object_key": {"S": upload.key},
            "sequencer": {"S": sequencer},
            "status": {"S": "SUCCEEDED"},
            "score": {"N": "0.75"},
            "top_labels": {"L": [{"M": {"label": {"S": "Speech"}, "score": {"N": "0.75"}}}]},
            "uploaded_at": {"S": uploaded_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")},
            "completed_at": {"S": completed_at.isoformat(timespec="milliseconds")},
        },
    )


def after(count: int, action: Callable[[], None]) -> Callable[[float], None]:
    """A `sleep` that takes no time and acts when it is called for the n-th time."""
    calls = 0

    def sleep(seconds: float) -> None:
        nonlocal calls
        calls += 1
        if calls == count:
            action()

    return sleep


def test_finds_variants_by_their_stacks_outputs(clients: Clients) -> None:
    create_stack(clients, "Crossover-Standard", "standard")
    create_stack(clients, "Crossover-SnapStart", "snapstart")
    create_stack(clients, "Another-Standard", "standard")
    clients("cloudformation").create_stack(StackName="Crossover-Network", TemplateBody=json.dumps(TEMPLATE))
    found = deployed.find_variants(clients, prefix="Crossover")
    assert {variant.stack for variant in found} == {"Crossover-Standard", "Crossover-SnapStart"}
    buckets = {bucket["Name"] for bucket in clients("s3").list_buckets()["Buckets"]}
    assert {variant.bucket for variant in found} < buckets


def test_variants_come_in_the_order_they_are_asked_for(clients: Clients) -> None:
    create_stack(clients, "Crossover-Standard", "standard")
    create_stack(clients, "Crossover-SnapStart", "snapstart")
    found = deployed.find_variants(clients, prefix="Crossover", names=["snapstart", "standard"])
    assert [variant.name for variant in found] == ["snapstart", "standard"]


def test_the_handler_is_what_the_stack_names(clients: Clients, variant: Variant) -> None:
    assert variant.handler_arn == "arn:aws:lambda:eu-central-1:123456789012:function:Crossover-Standard-Function:live"


def test_the_upload_queue_is_what_the_stack_names(clients: Clients, variant: Variant) -> None:
    assert variant.upload_queue == ""
    create_stack(clients, "Queued-Standard", "standard", outputs={"UploadQueueUrl": "https://sqs/uploads"})
    [queued] = deployed.find_variants(clients, prefix="Queued")
    assert queued.upload_queue == "https://sqs/uploads"


def test_a_variant_that_is_not_deployed_is_named_with_those_that_are(clients: Clients, variant: Variant) -> None:
    with pytest.raises(UsageError, match=r"'sagemaker' is not deployed in eu-central-1; deployed are standard\.$"):
        deployed.find_variants(clients, prefix="Crossover", names=["standard", "sagemaker"])


def test_an_empty_account_says_how_to_deploy(clients: Clients) -> None:
    with pytest.raises(
        UsageError, match=r"No variant is deployed in eu-central-1 in a stack named Mine-\.\.\.; `npx cdk deploy --all`"
    ):
        deployed.find_variants(clients, prefix="Mine")


def test_every_upload_has_a_unique_key_that_ends_with_the_files_name(clients: Clients, variant: Variant) -> None:
    first, second = (deployed.upload(clients, variant, SPEECH) for _ in range(2))
    assert first.key != second.key
    assert first.key.endswith(f"/{SPEECH.name}")
    body = clients("s3").get_object(Bucket=variant.bucket, Key=first.key)["Body"].read()
    assert body == SPEECH.read_bytes()


def test_an_upload_can_be_given_its_key(clients: Clients, variant: Variant) -> None:
    assert deployed.upload(clients, variant, SPEECH, key="calls/müller +1.wav").key == "calls/müller +1.wav"
    clients("s3").head_object(Bucket=variant.bucket, Key="calls/müller +1.wav")


def test_an_unreadable_file_is_named(clients: Clients, variant: Variant, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gone\.wav cannot be read: No such file or directory\.$"):
        deployed.upload(clients, variant, tmp_path / "gone.wav")


def test_waits_until_the_item_is_there_and_takes_the_time_from_it(clients: Clients, variant: Variant) -> None:
    upload = deployed.upload(clients, variant, SPEECH)
    appears = after(3, lambda: put_item(clients, upload, milliseconds=250))
    result = deployed.wait(clients, upload, timeout_seconds=60, sleep=appears)
    assert result.milliseconds == 250
    assert result.item["top_labels"] == [{"label": "Speech", "score": 0.75}]


def test_an_item_of_an_earlier_upload_under_the_same_key_is_not_the_answer(clients: Clients, variant: Variant) -> None:
    first = deployed.upload(clients, variant, SPEECH, key="again.wav")
    put_item(clients, first, sequencer="0055AED6DCD90281E5")
    second = deployed.upload(clients, variant, SPEECH, key="again.wav")
    assert deployed.find_item(clients, first) is not None
    assert deployed.find_item(clients, second) is None
    put_item(clients, second, sequencer="0055AED6DCD90281E6")
    assert deployed.find_item(clients, second) is not None


def test_a_dead_letter_ends_the_wait_with_the_functions_error(clients: Clients, variant: Variant) -> None:
    upload = deployed.upload(clients, variant, SPEECH, key="a b/ü.wav")
    put_dead_letter(clients, variant, "not a record of Lambda's")
    put_failure(clients, variant, "another.wav", error="ModelError")
    put_failure(clients, variant, upload.key)
    with pytest.raises(NoPredictionError, match=r"dead-letter queue: EndpointConnectionError: Could not connect\.$"):
        deployed.wait(clients, upload, timeout_seconds=0)


def test_a_dead_letter_stays_in_the_queue(clients: Clients, variant: Variant) -> None:
    upload = deployed.upload(clients, variant, SPEECH)
    put_failure(clients, variant, upload.key)
    assert deployed.find_dead_letter(clients, upload) is not None
    assert messages_in(clients, variant) == (1, 0)


def test_a_timeout_names_the_log_to_read(clients: Clients, variant: Variant) -> None:
    upload = deployed.upload(clients, variant, SPEECH)
    with pytest.raises(NoPredictionError, match=r"no item after 0 s.*log of the function Crossover-Standard-Function"):
        deployed.wait(clients, upload, timeout_seconds=0)


def test_a_dead_letter_that_does_not_say_when_counts_by_its_own_time(clients: Clients, variant: Variant) -> None:
    upload = deployed.Upload(variant=variant, key="a.wav", earliest=datetime.now(UTC) - timedelta(minutes=1))
    event = failed_event(variant, "a.wav")
    del event["Records"][0]["eventTime"]
    put_dead_letter(clients, variant, letter_of(event))
    assert deployed.find_dead_letter(clients, upload) is not None
    later = replace(upload, earliest=datetime.now(UTC) + timedelta(minutes=1))
    assert deployed.find_dead_letter(clients, later) is None


def test_a_dead_letter_of_an_earlier_upload_under_the_same_key_is_not_the_answer(
    clients: Clients, variant: Variant
) -> None:
    upload = deployed.upload(clients, variant, SPEECH, key="again.wav")
    put_dead_letter(clients, variant, letter_of(failed_event(variant, "again.wav", age=timedelta(hours=1))))
    assert deployed.find_dead_letter(clients, upload) is None
