"""The handlers on real audio and real events, against moto."""

import gzip
import io
import itertools
import json
import subprocess
import sys
import time
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import soundfile
from botocore.exceptions import ClientError, EndpointConnectionError
from moto.sagemakerruntime import sagemakerruntime_backends

from inference.prediction import InvalidPredictionError
from inference.s3_events import InvalidEventError

from .conftest import AUDIO, CONTEXT, ENDPOINT_ANSWER, MODEL, ROOT, SPEECH, load_handler
from .events import BUCKET, batch_task, event, record

HEALTH_CHECK = {"Event": "crossover:HealthCheck"}
LOCAL = ["standard_handler", "snapstart_handler"]
SPEECH_BYTES = SPEECH.read_bytes()


@pytest.fixture(params=LOCAL)
def handler(request: pytest.FixtureRequest, aws: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("PREDICTOR", request.param.removesuffix("_handler"))
    return load_handler(request.param).handler


@pytest.fixture
def proxy(aws: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("PREDICTOR", "sagemaker")
    monkeypatch.setenv("ENDPOINT_NAME", "endpoint")
    return load_handler("sagemaker_trigger_handler").handler


def queue_endpoint_answer() -> None:
    backend = sagemakerruntime_backends["123456789012"]["us-east-1"]
    backend.results_queue.append((json.dumps(ENDPOINT_ANSWER), "application/json", "variant", ""))


def test_speech_becomes_a_prediction(handler: Any, aws: SimpleNamespace) -> None:
    handler(event(aws.upload("in/speech one.wav", SPEECH_BYTES)), CONTEXT)
    item = aws.item("in/speech one.wav")
    assert (item["status"]["S"], item["label"]["S"]) == ("SUCCEEDED", "Speech")
    assert float(item["score"]["N"]) > 0.9
    assert len(item["top_labels"]["L"]) == 5
    assert float(item["audio_seconds"]["N"]) == pytest.approx(7.1)
    assert set(item["timings_ms"]["M"]) == {"download", "decode", "inference", "total"}


def test_an_item_has_every_attribute_of_the_design(
    handler: Any, aws: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    version = aws.s3.put_object(Bucket=BUCKET, Key="a.wav", Body=SPEECH_BYTES)["VersionId"]
    handler(event(record("a.wav", size=len(SPEECH_BYTES), versionId=version)), CONTEXT)
    assert set(aws.item("a.wav")) == {
        *(
            "object_key",
            "bucket",
            "version_id",
            "etag",
            "sequencer",
            "size_bytes",
            "status",
            "label",
            "score",
            "top_labels",
        ),
        *("audio_seconds", "predictor", "model_sha256", "cold_start", "timings_ms", "request_id"),
        *("uploaded_at", "completed_at"),
    }
    assert aws.item("a.wav")["request_id"]["S"] == CONTEXT.aws_request_id


def test_the_version_in_the_event_is_read_not_the_newest(handler: Any, aws: SimpleNamespace) -> None:
    aws.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    first = aws.s3.put_object(Bucket=BUCKET, Key="a.wav", Body=SPEECH_BYTES)
    aws.s3.put_object(Bucket=BUCKET, Key="a.wav", Body=b"not audio")
    handler(event(record("a.wav", versionId=first["VersionId"])), CONTEXT)
    assert aws.item("a.wav")["label"]["S"] == "Speech"
    assert aws.item("a.wav")["etag"]["S"] == first["ETag"].strip('"')


def test_what_no_event_tells_of_an_object_is_what_s3_says_when_it_is_read(handler: Any, aws: SimpleNamespace) -> None:
    aws.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    for key, body in (("a.wav", SPEECH_BYTES), ("letter.wav", b"Dear Sir or Madam")):
        put = aws.s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        handler(batch_task(key), CONTEXT)
        item = aws.item(key)
        said = [item[name].popitem()[1] for name in ("etag", "version_id", "size_bytes")]
        assert said == [put["ETag"].strip('"'), put["VersionId"], str(len(body))]
        stored = aws.s3.head_object(Bucket=BUCKET, Key=key)["LastModified"]
        assert datetime.fromisoformat(item["uploaded_at"]["S"]) == stored
        assert item["uploaded_at"]["S"].endswith(".000Z")


@pytest.mark.parametrize(
    ("clip", "label"),
    [("misc_crow.flac", "Crow"), ("misc_burp.flac", "Burping, eructation"), ("perc_bell.flac", "Bicycle bell")],
)
def test_real_sounds_are_recognised(handler: Any, aws: SimpleNamespace, clip: str, label: str) -> None:
    handler(event(aws.upload(clip, (AUDIO / clip).read_bytes())), CONTEXT)
    assert aws.item(clip)["label"]["S"] == label


@pytest.mark.parametrize("kind", ["OGG", "MP3", "FLAC"])
def test_compressed_speech_is_speech(handler: Any, aws: SimpleNamespace, kind: str) -> None:
    samples, rate = soundfile.read(SPEECH)
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=kind)
    handler(event(aws.upload(f"speech.{kind.lower()}", file.getvalue())), CONTEXT)
    assert aws.item(f"speech.{kind.lower()}")["label"]["S"] == "Speech"


def test_only_the_first_event_of_an_environment_is_cold(handler: Any, aws: SimpleNamespace) -> None:
    for key in ("1.wav", "2.wav"):
        handler(event(aws.upload(key, SPEECH_BYTES)), CONTEXT)
    assert aws.item("1.wav")["cold_start"]["BOOL"] is True
    assert aws.item("2.wav")["cold_start"]["BOOL"] is False


def test_every_record_of_an_event_becomes_an_item(handler: Any, aws: SimpleNamespace) -> None:
    handler(event(aws.upload("1.wav", SPEECH_BYTES), aws.upload("2 ü.wav", SPEECH_BYTES)), CONTEXT)
    assert aws.item("1.wav")["label"] == aws.item("2 ü.wav")["label"] == {"S": "Speech"}


def test_bad_audio_is_a_failed_item_without_a_retry(handler: Any, aws: SimpleNamespace) -> None:
    handler(event(aws.upload("letter.wav", b"Dear Sir or Madam,\n" * 50)), CONTEXT)
    item = aws.item("letter.wav")
    assert (item["status"]["S"], item["error_code"]["S"]) == ("FAILED", "UNSUPPORTED_FORMAT")
    assert item["error_message"]["S"].endswith(".")
    assert "label" not in item
    assert item["etag"]["S"] == aws.s3.head_object(Bucket=BUCKET, Key="letter.wav")["ETag"].strip('"')
    assert len(item["model_sha256"]["S"]) == 64


def test_a_file_that_is_too_large_is_refused_before_it_is_downloaded(
    aws: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREDICTOR", "standard")
    monkeypatch.setenv("MAX_FILE_BYTES", "1000")
    load_handler("standard_handler").handler(event(record("never-uploaded.wav", size=1001)), CONTEXT)
    item = aws.item("never-uploaded.wav")
    assert item["error_code"]["S"] == "FILE_TOO_LARGE"
    assert item["error_message"]["S"] == "The file has 1,001 bytes; at most 1,000 bytes are allowed."


def test_the_content_length_from_s3_is_checked_too(aws: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREDICTOR", "standard")
    monkeypatch.setenv("MAX_FILE_BYTES", "1000")
    aws.upload("a.wav", SPEECH_BYTES)
    sizeless = record("a.wav")
    del sizeless["s3"]["object"]["size"]
    load_handler("standard_handler").handler(event(sizeless), CONTEXT)
    assert aws.item("a.wav")["error_code"]["S"] == "FILE_TOO_LARGE"


def test_samples_too_large_for_the_model_are_a_failed_item(handler: Any, aws: SimpleNamespace) -> None:
    file = io.BytesIO()
    soundfile.write(file, [1e30, -1e30] * 8000, 16_000, format="WAV", subtype="FLOAT")
    handler(event(aws.upload("loud.wav", file.getvalue())), CONTEXT)
    assert aws.item("loud.wav")["error_code"]["S"] == "NON_FINITE_SCORES"


def test_what_the_model_refuses_is_a_failed_item_with_its_reason(
    aws: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREDICTOR", "standard")
    reported = Path(__file__).parent / "reported/models"
    for model, seconds, silent, code in (
        ("c3-needs-400-samples", 0.02, False, "MODEL_REFUSED_INPUT"),
        ("c3-needs-400-samples", 1.0, False, None),
        ("c2-nan-on-silence", 1.0, True, "NON_FINITE_SCORES"),
        ("c2-nan-on-silence", 1.0, False, None),
    ):
        monkeypatch.setenv("MODEL_S3_URI", str(reported / f"{model}.onnx"))
        module = load_handler("standard_handler")
        module.processor.check_health()  # which predicts no silence
        samples = [0.0 if silent else (-1) ** at / 10 for at in range(round(seconds * 16_000))]
        file = io.BytesIO()
        soundfile.write(file, samples, 16_000, format="WAV")
        key = f"{model} {seconds} {silent}.wav"
        module.handler(event(aws.upload(key, file.getvalue())), CONTEXT)
        item = aws.item(key)
        assert item.get("error_code", {}).get("S") == code, item
        if code == "MODEL_REFUSED_INPUT":
            assert "(waveform [320]): Invalid input shape: {320}" in item["error_message"]["S"]


@pytest.mark.parametrize("limit", ["MAX_AUDIO_SECONDS", "MAX_CHANNELS", "MAX_FILE_BYTES"])
def test_priming_does_not_depend_on_the_limits_of_files(
    aws: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setenv("PREDICTOR", "standard")
    monkeypatch.setenv(limit, "1")
    load_handler("standard_handler").processor.check_health()


def test_an_archived_object_is_a_failed_item_that_says_to_restore_it(
    handler: Any, aws: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.s3.put_object(Bucket=BUCKET, Key="old.wav", Body=SPEECH_BYTES, StorageClass="DEEP_ARCHIVE")
    handler(event(record("old.wav", size=len(SPEECH_BYTES))), CONTEXT)
    item = aws.item("old.wav")
    assert item["error_code"]["S"] == "OBJECT_ARCHIVED"
    assert "archived in DEEP_ARCHIVE; restore it" in item["error_message"]["S"]


@pytest.mark.parametrize(
    ("encoding", "body", "code"),
    [
        ("gzip", gzip.compress(SPEECH_BYTES), None),
        ("aws-chunked, gzip", gzip.compress(SPEECH_BYTES[:1000]) + gzip.compress(SPEECH_BYTES[1000:]), None),
        ("aws-chunked", SPEECH_BYTES, None),
        ("gzip", SPEECH_BYTES, "CORRUPT_ENCODING"),
        ("gzip", gzip.compress(SPEECH_BYTES)[:-20], "CORRUPT_ENCODING"),
        ("gzip", gzip.compress(bytes(10_000_000)), "FILE_TOO_LARGE"),
        ("br", SPEECH_BYTES, "UNSUPPORTED_ENCODING"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_content_encoding_is_undone_or_named(
    encoding: str, body: bytes, code: str | None, aws: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREDICTOR", "standard")
    monkeypatch.setenv("MAX_FILE_BYTES", "5000000")
    aws.s3.put_object(Bucket=BUCKET, Key="a.wav", Body=body, ContentEncoding=encoding)
    load_handler("standard_handler").handler(event(record("a.wav", size=len(body))), CONTEXT)
    item = aws.item("a.wav")
    assert item.get("error_code", {}).get("S") == code, item
    assert len(item["model_sha256"]["S"]) == 64
    if not code:
        assert item["label"]["S"] == "Speech"


def test_what_is_passed_over_leaves_a_log_line_and_no_item(
    handler: Any, aws: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    deleted = {**record("gone.wav"), "eventName": "ObjectRemoved:Delete"}
    handler(event(aws.upload("folder/", b""), deleted), CONTEXT)
    handler({"Service": "Amazon S3", "Event": "s3:TestEvent"}, CONTEXT)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    passed_over = [line for line in lines if line["event"] == "passed_over"]
    assert [line["reason"] for line in passed_over] == [
        "It stands for a folder.",
        "It reports 'ObjectRemoved:Delete', no upload.",
        "It is S3's test of a new notification.",
    ]
    assert passed_over[0]["object_key"] == "folder/"
    assert aws.item("folder/") is None


def test_an_object_deleted_meanwhile_is_a_failed_item(handler: Any, aws: SimpleNamespace) -> None:
    handler(event(record("gone.wav")), CONTEXT)
    assert aws.item("gone.wav")["error_code"]["S"] == "OBJECT_NOT_FOUND"


def test_a_transient_error_is_raised_and_does_not_stop_the_others(handler: Any, aws: SimpleNamespace) -> None:
    missing_bucket = record("x.wav")
    missing_bucket["s3"]["bucket"]["name"] = "no-such-bucket"
    with pytest.raises(ClientError, match="NoSuchBucket"):
        handler(event(missing_bucket, aws.upload("good.wav", SPEECH_BYTES)), CONTEXT)
    assert aws.item("good.wav")["status"]["S"] == "SUCCEEDED"
    assert aws.item("x.wav") is None


def test_s3s_test_event_writes_nothing(handler: Any, aws: SimpleNamespace) -> None:
    handler({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": BUCKET}, CONTEXT)
    assert aws.dynamodb.scan(TableName="predictions")["Count"] == 0


def test_a_health_check_writes_no_item_and_no_metric_and_does_not_use_up_the_cold_start(
    handler: Any, aws: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert handler(HEALTH_CHECK, CONTEXT) is None
    line = json.loads(capsys.readouterr().out)
    assert (line["event"], line["healthy"], line["request_id"]) == ("health_check", True, CONTEXT.aws_request_id)
    assert "_aws" not in line
    assert aws.dynamodb.scan(TableName="predictions")["Count"] == 0
    handler(event(aws.upload("a.wav", SPEECH_BYTES)), CONTEXT)
    assert aws.item("a.wav")["cold_start"]["BOOL"] is True


def test_a_health_check_fails_if_the_table_cannot_be_written(
    handler: Any, aws: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.dynamodb.delete_table(TableName="predictions")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        handler(HEALTH_CHECK, CONTEXT)
    line = json.loads(capsys.readouterr().out)
    assert (line["event"], line["healthy"], line["cause"]) == ("health_check", False, "UNEXPECTED")


def test_a_health_check_fails_if_the_model_fails(
    handler: Any, aws: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    processor = sys.modules[handler.__module__].processor
    broken = SimpleNamespace(contract=processor.predictor.model.contract, predict=lambda _: 1 / 0)
    monkeypatch.setattr(processor.predictor, "model", broken)
    with pytest.raises(ZeroDivisionError):
        handler(HEALTH_CHECK, CONTEXT)


def test_an_event_that_is_not_s3s_is_an_error(handler: Any) -> None:
    with pytest.raises(InvalidEventError):
        handler({"httpMethod": "GET"}, CONTEXT)


def test_items_expire_where_a_lifetime_is_set(aws: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREDICTOR", "standard")
    monkeypatch.setenv("ITEM_LIFETIME_DAYS", "30")
    load_handler("standard_handler").handler(event(aws.upload("a.wav", SPEECH_BYTES)), CONTEXT)
    assert int(aws.item("a.wav")["expires_at"]["N"]) == pytest.approx(time.time() + 30 * 86_400, abs=3600)


def test_each_file_is_one_line_of_json_in_the_log(
    handler: Any, aws: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    handler(event(aws.upload("a.wav", SPEECH_BYTES)), CONTEXT)
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["object_key"] == "a.wav"
    assert json.loads(line)["stored"] is True


def test_the_model_comes_from_s3(aws: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.s3.put_object(Bucket=BUCKET, Key="assets/model.onnx", Body=MODEL.read_bytes())
    monkeypatch.setenv("MODEL_S3_URI", f"s3://{BUCKET}/assets/model.onnx")
    monkeypatch.setenv("PREDICTOR", "standard")
    load_handler("standard_handler").handler(event(aws.upload("a.wav", SPEECH_BYTES)), CONTEXT)
    assert aws.item("a.wav")["label"]["S"] == "Speech"


def test_a_handler_without_its_environment_names_what_is_missing(
    aws: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MODEL_S3_URI")
    monkeypatch.delenv("PREDICTOR", raising=False)
    with pytest.raises(RuntimeError, match="lacks PREDICTOR, MODEL_S3_URI"):
        load_handler("standard_handler")


def test_snapstart_primes_before_the_snapshot_and_renews_after_it(
    aws: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    import snapshot_restore_py

    monkeypatch.setenv("PREDICTOR", "snapstart")
    module = load_handler("snapstart_handler")
    before = [hook for hook, _, _ in snapshot_restore_py.get_before_snapshot()]
    after = [hook for hook, _, _ in snapshot_restore_py.get_after_restore()]
    assert module.prime in before
    assert module.renew_clients in after

    module.prime()
    assert aws.dynamodb.scan(TableName="predictions")["Count"] == 0
    module.handler(event(aws.upload("1.wav", SPEECH_BYTES)), CONTEXT)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AFTERRESTORE")
    module.renew_clients()
    signatures = []
    for client in (module.processor.predictor.s3, module.processor.store.dynamodb):
        # The credentials of a client show only in the requests that it sends.
        client.meta.events.register_first(
            "before-send", lambda request, **_: signatures.append(str(request.headers["Authorization"]))
        )
    module.handler(event(aws.upload("2.wav", SPEECH_BYTES)), CONTEXT)
    assert aws.item("2.wav")["cold_start"]["BOOL"] is True
    assert len(signatures) == 2
    assert all("Credential=AFTERRESTORE/" in signature for signature in signatures)


@pytest.mark.parametrize(("kind", "primed"), [("provisioned-concurrency", True), ("on-demand", False)])
def test_a_provisioned_environment_primes_at_init_and_its_first_event_is_warm(
    aws: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, kind: str, primed: bool
) -> None:
    monkeypatch.setenv("PREDICTOR", "provisioned")
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", kind)
    done = []
    monkeypatch.setattr("inference.local_predictor.LocalPredictor.prime", lambda self: done.append("model"))
    monkeypatch.setattr("inference.store.PredictionStore.prime", lambda self: done.append("table"))
    module = load_handler("provisioned_handler")
    assert done == (["model", "table"] if primed else [])
    module.handler(event(aws.upload("1.wav", SPEECH_BYTES)), CONTEXT)
    assert aws.item("1.wav")["label"]["S"] == "Speech"
    assert aws.item("1.wav")["cold_start"]["BOOL"] is not primed


def test_the_proxy_writes_what_the_endpoint_answers(proxy: Any, aws: SimpleNamespace) -> None:
    queue_endpoint_answer()
    proxy(event(record("any size.wav", size=50 * 1024**2)), CONTEXT)
    item = aws.item("any size.wav")
    assert (item["status"]["S"], item["label"]["S"], item["predictor"]["S"]) == ("SUCCEEDED", "Speech", "sagemaker")
    assert item["etag"]["S"] == "e"


@pytest.mark.parametrize(("body", "healthy"), [(json.dumps(ENDPOINT_ANSWER).encode(), True), (b"hello", False)])
def test_a_health_check_of_the_proxy_depends_on_the_endpoints_answer(
    proxy: Any, aws: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, body: bytes, healthy: bool
) -> None:
    predictor = sys.modules["sagemaker_trigger_handler"].processor.predictor
    asked = []

    def answer(**request: Any) -> dict[str, Any]:  # moto's endpoint accepts only text
        asked.append(request["ContentType"])
        return {"Body": io.BytesIO(body)}

    monkeypatch.setattr(predictor, "runtime", SimpleNamespace(invoke_endpoint=answer))
    with nullcontext() if healthy else pytest.raises(InvalidPredictionError):
        proxy(HEALTH_CHECK, CONTEXT)
    assert asked == ["application/json"]
    assert aws.dynamodb.scan(TableName="predictions")["Count"] == 0


def test_the_proxy_refuses_by_size_without_asking_the_endpoint(proxy: Any, aws: SimpleNamespace) -> None:
    proxy(event(record("huge.wav", size=201 * 1024**2), record("empty.wav", size=0)), CONTEXT)
    assert aws.item("huge.wav")["error_code"]["S"] == "FILE_TOO_LARGE"
    assert aws.item("empty.wav")["error_code"]["S"] == "EMPTY_FILE"


def test_the_proxy_raises_when_the_endpoint_cannot_be_reached(
    proxy: Any, aws: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = sys.modules["sagemaker_trigger_handler"]

    def unreachable(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://runtime.sagemaker.us-east-1.amazonaws.com")

    monkeypatch.setattr(module.processor.predictor, "_sleep", lambda _: None)
    monkeypatch.setattr(module.processor.predictor, "_clock", itertools.count(step=5).__next__)
    monkeypatch.setattr(module.processor.predictor.runtime, "invoke_endpoint", unreachable)
    with pytest.raises(EndpointConnectionError):
        proxy(event(record("a.wav")), CONTEXT)
    assert aws.item("a.wav") is None


def test_the_proxy_imports_nothing_that_its_bundle_leaves_out() -> None:
    code = (
        "import sys; sys.modules |= dict.fromkeys(('numpy', 'onnxruntime', 'soundfile', 'soxr', 'boto3'));"
        "import sagemaker_trigger_handler"
    )
    environment = {
        "PYTHONPATH": str(ROOT / "lambda_src"),
        "PREDICTIONS_TABLE": "t",
        "PREDICTOR": "sagemaker",
        "ENDPOINT_NAME": "e",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
