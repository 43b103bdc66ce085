"""Faults of S3 and DynamoDB: the event fails, is retried, and then gives one item for the whole file."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    FlexibleChecksumError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from inference import clients
from inference.local_predictor import LocalPredictor
from inference.processor import Processor
from inference.s3_events import InvalidEventError

from .conftest import SPEECH
from .events import event, record
from .faulty_aws import Answer, FaultyAws, Handler, breaks_off, hangs, json_error, resets, says, stalls, xml_error

FILE = SPEECH.read_bytes()
EVENT = event(record("a.wav", size=len(FILE)))
STORED = says(b"{}", content_type="application/x-amz-json-1.0")
CONDITION_FAILED = json_error("ConditionalCheckFailedException")
Start = Callable[[], Processor[LocalPredictor]]


@pytest.fixture
def start(start_local: Start, faulty: FaultyAws, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Makes a processor with the test's changes; no read takes longer than 0.2 s."""
    for service in ("s3", "dynamodb"):
        monkeypatch.setitem(clients._CONFIGS[service], "read_timeout", 0.2)
    faulty.answers = {"s3": [says(FILE)], "dynamodb": [STORED]}
    return start_local


def written(faulty: FaultyAws) -> list[dict[str, Any]]:
    """The items that DynamoDB was sent."""
    return [json.loads(body)["Item"] for body in faulty.bodies["dynamodb"]]


def ends_chunks_early(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.send_header("ETag", '"e"')
    handler.end_headers()
    handler.wfile.write(b"186a0\r\n" + FILE[:1000])
    handler.close_connection = True


def resets_half_way(handler: Handler) -> None:
    handler.begin(200, len(FILE))
    handler.wfile.write(FILE[: len(FILE) // 2])
    resets(handler)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (xml_error("SlowDown", 503), ClientError),
        (xml_error("InternalError", 500), ClientError),
        (says(b"<html>", 502), ClientError),
        (resets, ConnectionClosedError),
        (hangs, ReadTimeoutError),
        (breaks_off(FILE), ResponseStreamingError),
        (stalls(FILE), ReadTimeoutError),
        (resets_half_way, ResponseStreamingError),
        (says(FILE, x_amz_checksum_crc32="AAAAAA=="), FlexibleChecksumError),
    ],
    ids=[
        "SlowDown",
        "InternalError",
        "bad gateway",
        "reset",
        "no answer",
        "end in the body",
        "stall",
        "reset in the body",
        "altered",
    ],
)
def test_a_failed_read_writes_no_item_and_the_events_retry_reads_the_whole_file(
    start: Start, faulty: FaultyAws, fault: Answer, error: type[Exception]
) -> None:
    processor = start()
    faulty.answers["s3"] = [fault]
    with pytest.raises(error):
        processor.process(EVENT, "first")
    assert written(faulty) == []

    faulty.answers["s3"] = [says(FILE)]
    processor.process(EVENT, "retry")
    (item,) = written(faulty)
    assert (item["label"]["S"], item["audio_seconds"]["N"]) == ("Speech", "7.1")


@pytest.mark.parametrize("fault", [xml_error("SlowDown", 503), resets, hangs], ids=["SlowDown", "reset", "no answer"])
def test_a_read_that_fails_once_is_retried_immediately(start: Start, faulty: FaultyAws, fault: Answer) -> None:
    faulty.answers["s3"] = [fault, says(FILE)]
    start().process(EVENT, "r")
    assert written(faulty)[0]["label"]["S"] == "Speech"


def test_a_body_without_a_length_is_an_error(start: Start, faulty: FaultyAws) -> None:
    faulty.answers["s3"] = [ends_chunks_early]
    with pytest.raises(Exception, match=r"."):
        start().process(EVENT, "r")
    assert written(faulty) == []


@pytest.mark.parametrize(
    "fault",
    [
        json_error("ThrottlingException"),
        json_error("ProvisionedThroughputExceededException"),
        json_error("InternalServerError", 500),
        says(b"", 503),
        resets,
        hangs,
    ],
    ids=["ThrottlingException", "ProvisionedThroughput", "500", "503", "reset", "no answer"],
)
def test_a_failed_write_is_retried_immediately_and_by_the_event_if_it_keeps_failing(
    start: Start, faulty: FaultyAws, fault: Answer
) -> None:
    faulty.answers["dynamodb"] = [fault, STORED]
    processor = start()
    processor.process(EVENT, "r")
    assert len(faulty.bodies["dynamodb"]) == 2

    faulty.answers["dynamodb"] = [fault]
    with pytest.raises((ClientError, BotoCoreError)):
        processor.process(EVENT, "r")


@pytest.mark.parametrize("lost", [resets, hangs], ids=["reset", "no answer"])
def test_a_write_whose_response_was_lost_counts_as_done(
    start: Start, faulty: FaultyAws, lost: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    # The item was written; the second attempt finds it.
    faulty.answers["dynamodb"] = [lost, CONDITION_FAILED]
    processor = start()
    processor.process(EVENT, "r")
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (last["event"], last["status"], last["stored"]) == ("prediction", "SUCCEEDED", False)
    assert len(faulty.bodies["dynamodb"]) == 2


@pytest.mark.parametrize("fault", ["malformed", "failing"])
def test_a_malformed_record_does_not_affect_the_others(start: Start, faulty: FaultyAws, fault: str) -> None:
    poisoned = record("b.wav", size=len(FILE))
    if fault == "malformed":
        poisoned["s3"]["object"]["size"] = "large"
        error: type[Exception] = InvalidEventError
    else:
        faulty.answers["s3"] = [says(FILE), xml_error("AccessDenied", 403), says(FILE)]
        error = ClientError
    records = [record("a.wav", size=len(FILE)), poisoned, record("c.wav", size=len(FILE))]
    with pytest.raises(error):
        start().process(event(*records), "r")
    assert [item["object_key"]["S"] for item in written(faulty)] == ["a.wav", "c.wav"]


def test_the_first_failure_is_the_one_that_is_raised(start: Start, faulty: FaultyAws) -> None:
    faulty.answers["s3"] = [xml_error("AccessDenied", 403), xml_error("NoSuchBucket", 404)]
    with pytest.raises(ClientError, match="AccessDenied"):
        start().process(event(record("a.wav"), record("b.wav")), "r")
