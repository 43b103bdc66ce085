"""Redriving: each event goes to the stack's own handler again, and no dead letter is lost."""

import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.stub import Stubber

from crossover import aws
from crossover.aws import Clients
from crossover.dead_letter_queue import DeadLetter
from crossover.deadletters.redriving import NO_UPLOAD, Choice, Outcome, find, redrive
from crossover.deployed import Variant, find_variants
from crossover.errors import UsageError

from ..deployments import (
    create_stack,
    eventbridge_event,
    failed_event,
    letter_of,
    messages_in,
    put_dead_letter,
    put_failure,
    sns_message,
)

ALL = Choice()


class Lambda:
    """Takes events, and fails for those that have a key in `failing`."""

    def __init__(self, *, failing: dict[str, Exception] | None = None, status: int = 202) -> None:
        self.failing = failing or {}
        self.status = status
        self.invoked: list[dict[str, Any]] = []

    def invoke(self, **request: Any) -> dict[str, Any]:
        event = json.loads(request["Payload"])
        for record in event.get("Records", []):
            if "s3" in record and (error := self.failing.get(record["s3"]["object"]["key"])):
                raise error
        self.invoked.append({**request, "Payload": event})
        return {"StatusCode": self.status}

    @property
    def keys(self) -> list[str]:
        return [record["s3"]["object"]["key"] for request in self.invoked for record in request["Payload"]["Records"]]


def with_lambda(clients: Clients, function: Any) -> Clients:
    return lambda service, /: function if service == "lambda" else clients(service)


def run(
    clients: Clients, function: Lambda, variant: Variant, choice: Choice = ALL, **more: Any
) -> tuple[Outcome, dict[str, str]]:
    """Redrive; returns the outcome, and what was reported by the letter's id."""
    reports: dict[str, str] = {}

    def report(letter: DeadLetter, what: str) -> None:
        assert letter.id not in reports
        reports[letter.id] = what

    outcome = redrive(with_lambda(clients, function), variant, choice, report=report, **more)
    return outcome, reports


def test_the_handler_gets_the_event_unchanged_and_the_dead_letter_is_deleted(
    clients: Clients, variant: Variant
) -> None:
    event = failed_event(variant, "müller +1.wav", "two.wav")
    put_dead_letter(clients, variant, letter_of(event))
    client = clients("lambda")
    with Stubber(client) as stubber:  # it knows the parameters' names
        request = {
            "FunctionName": variant.handler_arn,
            "InvocationType": "Event",
            "Payload": json.dumps(event).encode(),
        }
        stubber.add_response("invoke", {"StatusCode": 202}, request)
        outcome = redrive(clients, variant, ALL, report=lambda letter, what: None)
        stubber.assert_no_pending_responses()
    assert (outcome.redriven, outcome.left, outcome.more) == (1, 0, "")
    assert messages_in(clients, variant) == (0, 0)


def test_events_of_eventbridge_are_redriven_whether_the_function_or_eventbridge_failed(
    clients: Clients, variant: Variant
) -> None:
    events = [eventbridge_event(variant, name) for name in ("a.wav", "b.wav")]
    put_dead_letter(clients, variant, letter_of(events[0]))
    put_dead_letter(clients, variant, json.dumps(events[1]), ERROR_CODE="NO_PERMISSIONS")
    elsewhere = eventbridge_event(replace(variant, bucket="another"), "c.wav")
    put_dead_letter(clients, variant, json.dumps(elsewhere))
    function = Lambda()
    outcome, _ = run(clients, function, variant)

    assert (outcome.redriven, outcome.left) == (2, 1)
    redriven = sorted((request["Payload"] for request in function.invoked), key=str)
    assert redriven == sorted(events, key=str)


def test_events_that_came_by_sns_are_redriven_as_they_came(clients: Clients, variant: Variant) -> None:
    events = [sns_message(failed_event(variant, "a.wav")), sns_message(eventbridge_event(variant, "b.wav"))]
    invoked = {"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": events[0]}]}
    put_dead_letter(clients, variant, letter_of(invoked))
    put_dead_letter(clients, variant, json.dumps(events[1]))
    elsewhere = failed_event(replace(variant, bucket="another"), "c.wav")
    put_dead_letter(clients, variant, json.dumps(sns_message(elsewhere)))
    function = Lambda()
    outcome, reports = run(clients, function, variant)

    assert (outcome.redriven, outcome.left) == (2, 1)
    assert sum("about the bucket 'another'" in what for what in reports.values()) == 1
    redriven = sorted((request["Payload"] for request in function.invoked), key=str)
    assert redriven == sorted([invoked, events[1]], key=str)


def test_every_dead_letter_of_a_long_queue_is_redriven_once(clients: Clients, variant: Variant) -> None:
    for number in range(25):
        put_failure(clients, variant, f"{number}.wav")
    function = Lambda()
    outcome, _ = run(clients, function, variant)
    assert outcome.redriven == 25
    assert sorted(function.keys) == sorted(f"{number}.wav" for number in range(25))
    assert messages_in(clients, variant) == (0, 0)
    assert run(clients, function, variant)[0] == Outcome()
    assert len(function.invoked) == 25


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ClientError({"Error": {"Code": "TooManyRequestsException", "Message": "Rate exceeded."}}, "Invoke"), "Rate"),
        (EndpointConnectionError(endpoint_url="https://lambda"), "Could not connect"),
    ],
)
def test_an_event_that_lambda_refuses_stays_and_the_others_are_redriven(
    clients: Clients, variant: Variant, error: Exception, reason: str
) -> None:
    failed, *_ = (put_failure(clients, variant, key) for key in ("bad.wav", "good.wav", "fine.wav"))
    outcome, reports = run(clients, Lambda(failing={"bad.wav": error}), variant)
    assert (outcome.redriven, outcome.left) == (2, 1)
    assert reports[failed].startswith("left in the queue: ")
    assert reason in reports[failed]
    assert messages_in(clients, variant) == (1, 0)
    outcome, _ = run(clients, Lambda(), variant)
    assert (outcome.redriven, outcome.left) == (1, 0)


def test_only_an_accepted_invocation_counts(clients: Clients, variant: Variant) -> None:
    put_failure(clients, variant, "a.wav")
    outcome, reports = run(clients, Lambda(status=200), variant)
    assert outcome.left == 1
    assert list(reports.values()) == ["left in the queue: Lambda answered with status 200 instead of 202."]
    assert messages_in(clients, variant) == (1, 0)


@pytest.mark.parametrize(
    "body", ["no JSON", "{}", letter_of(None), letter_of({"Records": []}), letter_of({"Event": "s3:TestEvent"})]
)
def test_a_dead_letter_without_an_upload_stays_and_is_named(clients: Clients, variant: Variant, body: str) -> None:
    left = put_dead_letter(clients, variant, body)
    good = put_failure(clients, variant, "good.wav")
    function = Lambda()
    outcome, reports = run(clients, function, variant)
    assert (outcome.redriven, outcome.left) == (1, 1)
    assert reports == {left: f"left in the queue: {NO_UPLOAD}", good: "redriven"}
    assert function.keys == ["good.wav"]
    assert messages_in(clients, variant) == (1, 0)


def test_a_dead_letter_about_another_bucket_is_not_redriven(clients: Clients, variant: Variant) -> None:
    event = failed_event(variant, "a.wav", "b.wav")
    event["Records"][1]["s3"]["bucket"]["name"] = "elsewhere"
    put_dead_letter(clients, variant, letter_of(event))
    function = Lambda()
    outcome, reports = run(clients, function, variant)
    assert outcome.left == 1
    assert "about the bucket 'elsewhere', not about" in next(iter(reports.values()))
    assert function.invoked == []


def test_a_dead_letter_that_could_not_be_deleted_is_redriven_by_the_next_run(
    clients: Clients, variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_failure(clients, variant, "a.wav")
    function = Lambda()

    def fail(**request: Any) -> None:
        raise ClientError({"Error": {"Code": "InternalError", "Message": "Later, perhaps."}}, "DeleteMessage")

    with monkeypatch.context() as patch:
        patch.setattr(clients("sqs"), "delete_message", fail)
        outcome, _ = run(clients, function, variant)
    assert (outcome.redriven, outcome.left) == (0, 1)
    assert messages_in(clients, variant) == (1, 0)
    outcome, _ = run(clients, function, variant)
    assert (outcome.redriven, outcome.left) == (1, 0)
    assert function.keys == ["a.wav", "a.wav"]
    assert messages_in(clients, variant) == (0, 0)


def test_what_fails_again_is_left_to_the_next_run(
    clients: Clients, variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws, "CLOCK_TOLERANCE", timedelta(0))
    monkeypatch.setattr(aws, "response_time", lambda answer: datetime.now(UTC))
    for number in range(12):
        put_failure(clients, variant, f"{number}.wav")

    class FailsAgain(Lambda):
        def invoke(self, **request: Any) -> dict[str, Any]:
            time.sleep(0.002)  # a letter's time has milliseconds
            put_dead_letter(clients, variant, letter_of(json.loads(request["Payload"])))
            return super().invoke(**request)

    function = FailsAgain()
    time.sleep(0.002)
    outcome, _ = run(clients, function, variant)
    assert outcome.redriven == len(function.invoked) == 12
    assert outcome.more == "some have come in meanwhile"
    assert messages_in(clients, variant) == (12, 0)


@pytest.mark.parametrize(
    ("choice", "keys"),
    [
        (Choice(key="calls/"), ["calls/1.wav", "calls/2.wav"]),
        (Choice(error="ModelError"), ["calls/2.wav", "music/3.wav"]),
        (Choice(key="calls/", error="ModelError"), ["calls/2.wav"]),
        (Choice(key="1.wav"), []),
        (Choice(error="Model"), []),
    ],
)
def test_only_what_is_chosen_is_redriven(clients: Clients, variant: Variant, choice: Choice, keys: list[str]) -> None:
    put_failure(clients, variant, "calls/1.wav")
    put_failure(clients, variant, "calls/2.wav", error="ModelError")
    put_failure(clients, variant, "music/3.wav", error="ModelError")
    put_dead_letter(clients, variant, "no JSON")
    function = Lambda()
    outcome, _ = run(clients, function, variant, choice)
    assert sorted(function.keys) == keys
    assert outcome == Outcome(redriven=len(keys))
    assert messages_in(clients, variant) == (4 - len(keys), 0)


def test_dead_letters_can_be_chosen_by_their_ids(clients: Clients, variant: Variant) -> None:
    _, second, _ = (put_failure(clients, variant, key) for key in ("1.wav", "2.wav", "3.wav"))
    function = Lambda()
    outcome, _ = run(clients, function, variant, Choice(ids=[second]))
    assert function.keys == ["2.wav"]
    assert outcome.redriven == 1
    assert messages_in(clients, variant) == (2, 0)


def test_a_dry_run_touches_nothing(clients: Clients, variant: Variant) -> None:
    good = put_failure(clients, variant, "a.wav")
    bad = put_dead_letter(clients, variant, "no JSON")
    function = Lambda()
    outcome, reports = run(clients, function, variant, dry_run=True)
    assert (outcome.redriven, outcome.left) == (1, 1)
    assert reports == {good: "would be redriven", bad: f"left in the queue: {NO_UPLOAD}"}
    assert function.invoked == []
    assert messages_in(clients, variant) == (2, 0)


def test_a_stack_that_does_not_name_its_handler_must_be_deployed_again(clients: Clients, variant: Variant) -> None:
    put_failure(clients, variant, "a.wav")
    with pytest.raises(UsageError, match="The stack Crossover-Standard has no output HandlerArn; deploy it again"):
        run(clients, Lambda(), replace(variant, handler_arn=""))
    assert messages_in(clients, variant) == (1, 0)


def test_a_dead_letter_is_found_by_a_prefix_of_its_id(clients: Clients, variant: Variant) -> None:
    ids = [put_failure(clients, variant, f"{number}.wav") for number in range(12)]
    beginning = next(ids[5][:length] for length in range(1, 37) if sum(i.startswith(ids[5][:length]) for i in ids) == 1)
    [(where, letter)] = find(clients, [variant], [beginning])
    assert (where, letter.id, letter.keys) == (variant, ids[5], ["5.wav"])
    assert messages_in(clients, variant) == (12, 0)


def test_an_id_that_matches_no_dead_letter_or_several_is_named(clients: Clients, variant: Variant) -> None:
    for key in ("1.wav", "2.wav", "3.wav"):
        put_failure(clients, variant, key)
    with pytest.raises(UsageError, match=r"There is no dead letter 'gone' in the queue of standard\.$"):
        find(clients, [variant], ["gone"])
    with pytest.raises(UsageError, match=r"The id '' is not unique, it matches .* and .*; give more of it\.$"):
        find(clients, [variant], [""])


@pytest.fixture
def with_queue(clients: Clients, variant: Variant) -> Variant:
    """The variant with an upload queue, whose messages become dead letters once they were received twice."""
    sqs = clients("sqs")
    attributes = sqs.get_queue_attributes(QueueUrl=variant.dead_letter_queue, AttributeNames=["QueueArn"])["Attributes"]
    redrive = {"deadLetterTargetArn": attributes["QueueArn"], "maxReceiveCount": 1}
    queue = sqs.create_queue(
        QueueName="uploads", Attributes={"VisibilityTimeout": "0", "RedrivePolicy": json.dumps(redrive)}
    )
    return replace(variant, upload_queue=queue["QueueUrl"])


def test_with_an_upload_queue_the_event_is_sent_there_again(clients: Clients, with_queue: Variant) -> None:
    of_lambda, of_the_queue = failed_event(with_queue, "a.wav"), eventbridge_event(with_queue, "b.wav")
    put_dead_letter(clients, with_queue, letter_of(of_lambda))  # from before it had one
    sqs = clients("sqs")
    sqs.send_message(QueueUrl=with_queue.upload_queue, MessageBody=json.dumps(of_the_queue))
    for _ in range(2):
        sqs.receive_message(QueueUrl=with_queue.upload_queue)
    function = Lambda()

    outcome, _ = run(clients, function, with_queue)

    assert (outcome.redriven, outcome.left, function.invoked) == (2, 0, [])
    assert messages_in(clients, with_queue) == (0, 0)
    sent = sqs.receive_message(QueueUrl=with_queue.upload_queue, MaxNumberOfMessages=10)["Messages"]
    assert sorted(message["Body"] for message in sent) == sorted(map(json.dumps, (of_lambda, of_the_queue)))


def test_while_the_upload_queue_is_drained_the_handler_is_invoked(clients: Clients) -> None:
    outputs = {"UploadQueueUrl": "https://sqs/uploads", "Ingest": "drain"}
    create_stack(clients, "Drained-Standard", "standard", outputs=outputs)
    [drained] = find_variants(clients, prefix="Drained")
    put_failure(clients, drained, "a.wav")
    function = Lambda()

    outcome, _ = run(clients, function, drained)

    assert (outcome.redriven, function.keys) == (1, ["a.wav"])


def test_a_dead_letter_of_an_earlier_upload_queue_invokes_the_handler(clients: Clients, with_queue: Variant) -> None:
    event = failed_event(with_queue, "a.wav")
    sqs = clients("sqs")
    sqs.send_message(QueueUrl=with_queue.upload_queue, MessageBody=json.dumps(event))
    for _ in range(2):
        sqs.receive_message(QueueUrl=with_queue.upload_queue)
    function = Lambda()

    outcome, _ = run(clients, function, replace(with_queue, upload_queue=""))

    assert outcome.redriven == 1
    assert [request["Payload"] for request in function.invoked] == [event]
