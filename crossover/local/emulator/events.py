"""Functions are invoked asynchronously as on AWS.

- S3 and EventBridge invoke them through Lambda's API, and an alias has its own settings for asynchronous invocations.
- Throttled events are retried until they are too old, and dead letters look as on AWS.
- A function's reserved concurrency limits the events for its aliases and versions too.
"""

import contextvars
import json
import threading
import time
import urllib.request
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from botocore.exceptions import ClientError
from ministack.services import eventbridge, lambda_svc, s3

from crossover.local.account import ROOT_CREDENTIALS, root_authorization
from crossover.local.emulator.connection import aws_client, endpoint_url, gateway
from crossover.local.emulator.ministack_internals import Properties
from crossover.local.emulator.permissions import DeniedError, check_queue, check_service, session_of


def invoke_from_s3() -> None:
    """Let S3 send its events as on AWS: by an asynchronous Invoke request to Lambda, or a SendMessage to SQS."""

    def deliver(arn: str, event: Properties, bucket_region: str) -> None:
        _invoke("s3.amazonaws.com", event["Records"][0]["s3"]["bucket"]["arn"], arn, event)

    send_directly = s3._deliver_event_to_sqs

    def send(arn: str, event: Properties, bucket_region: str, bucket_name: str = "") -> None:
        if "Records" not in event:  # s3:TestEvent, while the request is being answered that sets the notification
            send_directly(arn, event, bucket_region, bucket_name)
            return
        check_queue("s3.amazonaws.com", queue=arn, source=f"arn:aws:s3:::{bucket_name}")
        *_, account, name = arn.split(":")
        message = {"QueueUrl": f"{gateway()}/{account}/{name}", "MessageBody": json.dumps(event)}
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": "AmazonSQS.SendMessage",
            "Authorization": root_authorization("sqs"),
        }
        _post(endpoint_url(), message, headers)

    s3._deliver_event_to_lambda = deliver
    s3._deliver_event_to_sqs = send


def invoke_from_eventbridge() -> None:
    """Let the rules of EventBridge do the same; what they may not send goes to the target's dead-letter queue."""
    deliver_elsewhere = eventbridge._invoke_target

    def deliver(target: Properties, event: Properties, rule: Properties, view: Any = None) -> None:
        whole = (view or eventbridge._pattern_event_view(event)).event_with_detail()
        try:
            if ":lambda:" in target["Arn"]:
                _invoke("events.amazonaws.com", rule["Arn"], target["Arn"], whole)
                return
            if ":sqs:" in target["Arn"]:
                check_queue("events.amazonaws.com", queue=target["Arn"], source=rule["Arn"])
            deliver_elsewhere(target, event, rule, view)
        except DeniedError as error:
            queue = target.get("DeadLetterConfig", {}).get("Arn")
            if queue:
                why = {"RULE_ARN": rule["Arn"], "ERROR_CODE": "NO_PERMISSIONS", "ERROR_MESSAGE": error.message}
                send_dead_letter(queue, whole, ROOT_CREDENTIALS, **why)

    eventbridge._invoke_target = deliver


def _invoke(service: str, source: str, function: str, event: Properties) -> None:
    """Invoke a function as a service, for one of its resources.

    Raises:
        DeniedError: the function's policy does not let it.
    """
    check_service(service, "lambda:InvokeFunction", function=function, source=source)
    url = f"{endpoint_url()}/2015-03-31/functions/{quote(function, safe='')}/invocations"
    headers = {
        "Content-Type": "application/json",
        "X-Amz-Invocation-Type": "Event",
        "Authorization": root_authorization("lambda"),
    }
    _post(url, event, headers)


def _post(url: str, content: Properties, headers: Mapping[str, str]) -> None:
    request = urllib.request.Request(url, json.dumps(content).encode(), dict(headers))
    urllib.request.urlopen(request, timeout=60).close()


class Events:
    """Lambda's asynchronous invocations: errors are retried, then the failure destination gets the event.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html

    Attributes:
        in_progress: number of accepted events that have neither succeeded nor become a dead letter.
    """

    def __init__(self) -> None:
        self.in_progress = 0
        self._lock = threading.Lock()

    def install(self) -> None:
        """Replace ministack's own, which counts a throttle as a failure and ignores an alias's settings."""
        lambda_svc.invoke_async_with_retry = self.accept

    def accept(self, function: Properties, event: Properties) -> None:
        """Accept an event for a function's version, whose ARN says what was invoked."""
        with self._lock:
            self.in_progress += 1
        context = contextvars.copy_context()  # holds the account and the region of the request
        threading.Thread(target=context.run, args=(self._process, function, event), daemon=True).start()

    def _process(self, function: Properties, event: Properties) -> None:
        try:
            invoke_until_it_ends(function, event)
        finally:
            with self._lock:
                self.in_progress -= 1


def invoke_until_it_ends(function: Properties, event: Properties) -> None:
    """Invoke a function until it succeeds, has failed too often or the event is too old; then send the dead letter."""
    arn = function["config"]["FunctionArn"]
    settings = asynchronous_settings(arn)
    most_retries = int(settings.get("MaximumRetryAttempts", 2))
    oldest = time.monotonic() + int(settings.get("MaximumEventAgeInSeconds", 6 * 3600))
    base_seconds = lambda_svc._LAMBDA_ASYNC_RETRY_BASE_SECONDS
    failures = 0
    while True:
        function = current(arn)
        result = lambda_svc._execute_function(function, event)
        if not result.get("error"):
            return
        delay = base_seconds
        if not result.get("throttle"):
            delay = base_seconds * 2**failures
            failures += 1
        condition = "RetriesExhausted" if failures > most_retries else "EventAgeExceeded"
        if failures > most_retries or time.monotonic() + delay > oldest:
            break
        time.sleep(delay)
    destination = settings.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    if destination:
        version = function["config"]["Version"]
        body = dead_letter(event, arn=arn, version=version, condition=condition, failures=failures, result=result)
        role = function["config"]["Role"]
        try:
            send_dead_letter(destination, body, session_of(role, function["config"]["FunctionName"]))
        except ClientError as error:  # then it is lost, as on AWS
            print(f"The dead letter of {arn} could not be sent: {error}")


def current(arn: str) -> Properties:
    """What an ARN names by now: a function may have been updated, or an alias moved, since the event came."""
    found, config, _ = lambda_svc._get_func_record_for_ref(arn)
    # Reserved for the whole function: ministack would not limit aliases and versions.
    return {**found, "config": {**config, "FunctionArn": arn}, "concurrency": function_of(arn).get("concurrency")}


def asynchronous_settings(arn: str) -> Properties:
    """The EventInvokeConfig of what was invoked: an alias, a version, or the function itself."""
    _, qualifier = lambda_svc._lambda_function_name_and_qualifier_from_arn(arn)
    settings: Properties = function_of(arn)["event_invoke_configs"].get(qualifier or "$LATEST") or {}
    return settings


def function_of(arn: str) -> Properties:
    """ministack's record of the function that an ARN, with any qualifier, belongs to."""
    function: Properties = lambda_svc._get_base_func_record_for_ref(arn)[0]
    return function


def dead_letter(
    event: Properties, *, arn: str, version: str, condition: str, failures: int, result: Properties
) -> Properties:
    """The record that a failure destination gets.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """
    qualified = arn if arn.count(":") == 7 else f"{arn}:$LATEST"
    record = {
        "version": "1.0",
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": qualified,
            "condition": condition,
            "approximateInvokeCount": failures,
        },
        "requestPayload": event,
    }
    if result.get("throttle"):  # it was never run, so there is no response
        return record
    context = {"statusCode": 200, "executedVersion": version, "functionError": "Unhandled"}
    return {**record, "responseContext": context, "responsePayload": result["body"]}


def send_dead_letter(destination: str, body: Properties, credentials: Mapping[str, str], **attributes: str) -> None:
    """Send a dead letter to a queue, the only kind of destination that is supported here, as the function's role."""
    *_, service, _region, account, name = destination.split(":")
    if service != "sqs":
        raise ValueError(f"The failure destination {destination} is not an SQS queue.")
    sqs, queue = aws_client("sqs", credentials), f"{gateway()}/{account}/{name}"
    typed = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(body), MessageAttributes=typed)
