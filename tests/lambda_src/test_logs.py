"""What the handlers print: one line of JSON for each file, its metrics on the same line, and no secrets."""

import io
import json
import re
import traceback
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import soundfile
from botocore.exceptions import ClientError

from inference.failures import RedactedError

from .conftest import CONTEXT, SECRETS, SPEECH, load_handler
from .events import event, record
from .faulty_aws import Answer, FaultyAws, Handler, breaks_off, json_error, resets, says, xml_error

STACK = "Crossover-Standard"
Handle = Callable[[dict[str, Any]], None]
NEW_LINES = "a\nb\r\nc\x0bd\x0ce\x1cf\x85g\u2028h\u2029i.wav"  # every line break that str.splitlines knows


@pytest.fixture
def handle(aws: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Handle:
    monkeypatch.setenv("PREDICTOR", "standard")
    monkeypatch.setenv("METRICS_STACK", STACK)
    handler = load_handler("standard_handler").handler
    return lambda sent: handler(sent, CONTEXT)


def only_line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The one line that was printed, as JSON."""
    output = capsys.readouterr().out
    assert output.endswith("\n")
    (line,) = output.splitlines()
    parsed: dict[str, Any] = json.loads(line)
    return parsed


def metrics_of(line: dict[str, Any]) -> dict[str, float]:
    """The metrics of a line, found the way CloudWatch Logs finds them.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    assert set(line["_aws"]) == {"Timestamp", "CloudWatchMetrics"}
    assert 1.7e12 < line["_aws"]["Timestamp"] < 4e12  # milliseconds, as a whole number
    assert isinstance(line["_aws"]["Timestamp"], int)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert set(directive) == {"Namespace", "Dimensions", "Metrics"}
    assert directive["Namespace"] == "Crossover"
    assert directive["Dimensions"] == [["Stack"]]
    assert line["Stack"] == STACK
    found = {}
    for definition in directive["Metrics"]:
        name, unit = definition["Name"], definition["Unit"]
        assert unit == ("Milliseconds" if name in ("Duration", "Inference") else "Count")
        assert isinstance(line[name], int | float)
        found[name] = line[name]
    return found


@pytest.mark.parametrize("monitored", [True, False])
def test_at_the_level_error_a_file_that_succeeds_leaves_no_more_than_its_metrics(
    handle: Handle,
    aws: SimpleNamespace,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    monitored: bool,
) -> None:
    monkeypatch.setenv("LOG_LEVEL", "error")
    if not monitored:
        monkeypatch.delenv("METRICS_STACK")
    handler = load_handler("standard_handler").handler
    handler(event(aws.upload("a.wav", SPEECH.read_bytes())), CONTEXT)
    if monitored:
        line = only_line(capsys)
        assert metrics_of(line)["Succeeded"] == 1
        assert line["event"] == "metrics"
        assert not {"object_key", "label", "bucket"} & set(line)
    else:
        assert capsys.readouterr().out == ""

    handler(event(aws.upload("b.wav", b"no audio")), CONTEXT)
    refused = only_line(capsys)
    assert (refused["event"], refused["object_key"], refused["status"]) == ("prediction", "b.wav", "FAILED")


def test_a_prediction_is_logged_with_its_metrics(
    handle: Handle, aws: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    sent = event(aws.upload("a.wav", SPEECH.read_bytes()))
    handle(sent)
    line = only_line(capsys)
    assert (line["event"], line["request_id"]) == ("prediction", CONTEXT.aws_request_id)
    assert (line["object_key"], line["predictor"], line["cold_start"]) == ("a.wav", "standard", True)
    assert set(line["timings_ms"]) == {"download", "decode", "inference", "total"}
    metrics = metrics_of(line)
    assert set(metrics) == {"Duration", "Inference", "ColdStart", "Succeeded", "Refused", "Failed"}
    assert metrics["Inference"] == line["timings_ms"]["inference"]
    assert metrics["Duration"] > line["timings_ms"]["total"]  # it includes the write
    assert [metrics[name] for name in ("ColdStart", "Succeeded", "Refused", "Failed")] == [1, 1, 0, 0]

    handle(sent)
    assert metrics_of(only_line(capsys))["ColdStart"] == 0


def test_a_refused_file_is_counted_as_refused(
    handle: Handle, aws: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    handle(event(aws.upload("letter.wav", b"Dear Sir or Madam")))
    line = only_line(capsys)
    assert (line["event"], line["error_code"]) == ("prediction", "UNSUPPORTED_FORMAT")
    metrics = metrics_of(line)
    assert "Inference" not in metrics
    assert [metrics[name] for name in ("Succeeded", "Refused", "Failed")] == [0, 1, 0]


def test_a_failure_is_logged_with_its_cause(handle: Handle, capsys: pytest.CaptureFixture[str]) -> None:
    elsewhere = record("a.wav")
    elsewhere["s3"]["bucket"]["name"] = "no-such-bucket"
    with pytest.raises(ClientError):
        handle(event(elsewhere))
    line = only_line(capsys)
    assert (line["event"], line["request_id"], line["object_key"]) == ("failure", CONTEXT.aws_request_id, "a.wav")
    assert (line["cause"], line["bucket"], line["cold_start"]) == ("UNEXPECTED", "no-such-bucket", True)
    assert line["error"].startswith("NoSuchBucket: ")
    assert set(line["timings_ms"]) == {"total"}
    metrics = metrics_of(line)
    assert [metrics[name] for name in ("ColdStart", "Succeeded", "Refused", "Failed")] == [1, 0, 0, 1]


@pytest.mark.parametrize("sent", [{"Records": [None]}, {"httpMethod": "GET"}])
def test_an_invalid_event_is_logged_too(
    handle: Handle, capsys: pytest.CaptureFixture[str], sent: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="event"):
        handle(sent)
    line = only_line(capsys)
    assert (line["event"], line["cause"]) == ("failure", "INVALID_EVENT")
    assert metrics_of(line)["Failed"] == 1


def test_an_event_of_several_files_counts_one_cold_start(
    handle: Handle, aws: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    handle(event(*(aws.upload(f"{number}.wav", b"no audio") for number in range(3))))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [metrics_of(line)["ColdStart"] for line in lines] == [1, 0, 0]


def test_without_a_stack_there_are_no_metrics(
    aws: SimpleNamespace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREDICTOR", "standard")
    load_handler("standard_handler").handler(event(aws.upload("a.wav", b"no audio")), CONTEXT)
    assert not {"_aws", "Stack", "Duration", "Refused"} & set(only_line(capsys))


@pytest.mark.parametrize("key", [NEW_LINES, "é" * 512, "\x00\x1b[31m", '"}\n{"event": "prediction"}'])
def test_whatever_the_key_the_log_has_one_line(
    handle: Handle, aws: SimpleNamespace, capsys: pytest.CaptureFixture[str], key: str
) -> None:
    handle(event(record(key, size=0)))
    line = only_line(capsys)
    assert (line["object_key"], line["error_code"]) == (key, "EMPTY_FILE")


def test_whatever_the_message_the_log_has_one_line(
    handle: Handle, aws: SimpleNamespace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import standard_handler

    def fail(_: Any) -> None:
        raise RuntimeError("x" * 10_000_000 + NEW_LINES)

    monkeypatch.setattr(standard_handler.processor.predictor, "predict", fail)
    with pytest.raises(RedactedError):
        handle(event(record("a.wav")))
    assert len(only_line(capsys)["error"]) < 2000


# --- no secrets

WORDS = b"for your ears only"


def audio_with_words() -> bytes:
    """A WAV file whose samples spell the words."""
    file = io.BytesIO()
    samples = [int.from_bytes(WORDS[at : at + 2], "little") for at in range(0, len(WORDS), 2)] * 1000
    soundfile.write(file, [sample / 2**15 for sample in samples], 16_000, format="WAV", subtype="PCM_16")
    assert WORDS in file.getvalue()
    return file.getvalue()


AUDIO = audio_with_words()


def echoing(respond: Callable[[str, str], Answer]) -> Answer:
    """Answers with the request's headers, as AWS does for a wrong signature."""

    def answer(handler: Handler) -> None:
        respond(handler.headers["Authorization"], handler.headers["X-Amz-Security-Token"])(handler)

    return answer


SIGNATURE_ERROR = "The request signature we calculated does not match the signature you provided."
S3_FAULTS = {
    "text": says(WORDS * 100),
    "half a file": says(AUDIO[: len(AUDIO) // 2]),
    "broken audio": says(AUDIO[:44].replace(b"fmt ", b"tmf ") + AUDIO[44:]),
    "a body that breaks off": breaks_off(AUDIO),
    "a reset": resets,
    "audio as an error": says(AUDIO, 500),
    "words as an error": says(WORDS, 400),
    "a wrong checksum": says(AUDIO, x_amz_checksum_crc32="AAAAAA=="),
    "a signature that does not fit": echoing(
        lambda authorization, token: xml_error(
            "SignatureDoesNotMatch",
            403,
            SIGNATURE_ERROR,
            f"<AWSAccessKeyId>{SECRETS['AWS_ACCESS_KEY_ID']}</AWSAccessKeyId>"
            f"<CanonicalRequest>GET\nx-amz-security-token:{token}\n{authorization}</CanonicalRequest>",
        )
    ),
    "a token that is expired": echoing(
        lambda _, token: xml_error("ExpiredToken", 400, "The token expired.", f"<Token-0>{token}</Token-0>")
    ),
}
DYNAMODB_FAULTS = {
    "a signature that does not fit ": echoing(
        lambda authorization, token: json_error(
            "InvalidSignatureException",
            400,
            f"{SIGNATURE_ERROR}\n\nThe Canonical String for this request should have been\n'POST\n/\n\n"
            f"x-amz-security-token:{token}\n'\n\nThe String-to-Sign should have been\n'{authorization}'\n",
        )
    ),
    "a header that is incomplete": echoing(
        lambda authorization, _: json_error(
            "IncompleteSignatureException",
            400,
            f"Authorization header requires 'Credential' parameter. Authorization={authorization}",
        )
    ),
    "no service": says(b"<html>Service Unavailable</html>", 503),
    "another reset": resets,
}
CASES = [("s3", *case) for case in S3_FAULTS.items()] + [("dynamodb", *case) for case in DYNAMODB_FAULTS.items()]


@pytest.mark.parametrize(("service", "fault"), [(case[0], case[2]) for case in CASES], ids=[case[1] for case in CASES])
def test_the_log_contains_neither_credentials_nor_audio(
    faulty: FaultyAws,
    start_local: Callable[[], Any],
    service: str,
    fault: Answer,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("WARNING")  # what Lambda's runtime logs
    faulty.answers = {"s3": [says(AUDIO)], "dynamodb": [says(b"{}")]} | {service: [fault]}
    raised = ""
    try:
        start_local().process(event(record("a.wav", size=len(AUDIO))), "r")
    except Exception:
        raised = traceback.format_exc()  # more than Lambda's runtime prints of an exception

    printed = capfd.readouterr()
    log = printed.out + printed.err + caplog.text + raised
    assert "a.wav" in log
    assert any(faulty.authorizations)
    signatures = re.findall("Signature=([0-9a-f]{64})", "".join(faulty.authorizations))
    assert len(signatures) == len(faulty.authorizations)
    for secret in (*SECRETS.values(), *signatures, WORDS.decode(), repr(AUDIO[100:130])[2:-1]):
        assert secret not in log
