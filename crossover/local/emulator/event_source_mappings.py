"""Event source mappings poll queues as on AWS.

ministack polls, and moves what was received too often to the dead-letter queue. This adds:

- The function's role must let Lambda poll, when the mapping is made and while it polls.
- What is invoked is what the function or alias is by then. Only MaximumConcurrency keeps Lambda from trying.
- What reserved concurrency throttles, Lambda tries again until the messages' visibility timeout is over. Then they
  come back, as what has failed does, and the attempt counts.
- LAMBDA_QUEUE_RETRY_SECONDS lets them come back that soon after an attempt, for tests.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

import json
import math
import os
import time
from typing import Any

from ministack.services import lambda_svc, sqs

from crossover.local.emulator.events import current, function_of
from crossover.local.emulator.ministack_internals import Properties, on_change
from crossover.local.emulator.permissions import DeniedError, check_role

TO_POLL = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
CONCURRENCY = 5
"""Batches at once, with which Lambda begins; that it then adds 300 a minute is left out here."""

THROTTLED_SECONDS = 1.0
"""Until Lambda tries again what was throttled; AWS does not say how long it waits."""


def install() -> None:
    """Replace parts of ministack's poller."""
    lambda_svc._run_sqs_batch = run
    lambda_svc._sqs_esm_concurrency = concurrency
    on_change("AWS::Lambda::EventSourceMapping", before=lambda _, mapping: check_polling(mapping))


def run(
    mapping: Properties, _: Properties, event: Properties, batch: list[Properties], queue_url: str, *__: Any
) -> None:
    """Invoke a mapping's function with messages, and delete those that have succeeded."""
    try:
        while True:
            result = lambda_svc._execute_function(current(mapping["FunctionArn"]), event)
            visible_at = min(message["visible_at"] for message in batch)
            if not result.get("throttle") or time.time() + THROTTLED_SECONDS > visible_at:
                break
            time.sleep(THROTTLED_SECONDS)
        if not result.get("error"):
            reports = "ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", [])
            failed = failed_messages(result.get("body"), batch) if reports else set()
            done = {each["receipt_handle"] for each in batch if each["id"] not in failed}
            sqs._delete_messages_for_esm(queue_url, done)
    finally:
        soon = time.time() + float(os.environ.get("LAMBDA_QUEUE_RETRY_SECONDS", math.inf))
        for message in batch:  # those that succeeded are no longer in the queue
            message["visible_at"] = min(message["visible_at"], soon)


def failed_messages(answer: Any, batch: list[Properties]) -> set[str]:
    """The ids of the messages that a function's answer names as failed; all where it is malformed."""
    every = {message["id"] for message in batch}
    try:
        content = json.loads(answer) if isinstance(answer, str) else answer
        failed = {failure["itemIdentifier"] for failure in (content or {}).get("batchItemFailures") or ()}
    except (ValueError, TypeError, KeyError, AttributeError):
        return every
    return failed if failed <= every else every


def concurrency(mapping: Properties, *_: Any) -> int:
    """How many batches of a mapping may be invoked at once; 0 while its function's role does not let Lambda poll."""
    try:
        check_polling(mapping)
    except DeniedError:
        return 0
    return int((mapping.get("ScalingConfig") or {}).get("MaximumConcurrency") or CONCURRENCY)


def check_polling(mapping: Properties) -> None:
    """Check whether the function's role lets Lambda poll the queue.

    Raises:
        DeniedError: it does not.
    """
    function = function_of(mapping.get("FunctionArn") or mapping["FunctionName"])
    try:
        check_role(function["config"]["Role"], TO_POLL, mapping["EventSourceArn"])
    except DeniedError as denied:
        missing = "The provided execution role does not have permissions to call ReceiveMessage on SQS"
        raise DeniedError("InvalidParameterValueException", f"{missing}: {denied.message}") from None


def messages_in_progress() -> int:
    """How many messages are in the queues that mappings poll: waiting, being processed or to be tried again."""
    polled = {mapping["EventSourceArn"] for *_, mapping in lambda_svc._iter_all_esms()}
    queues = list(sqs._queues._data.values())
    return sum(len(queue["messages"]) for queue in queues if queue["attributes"].get("QueueArn") in polled)
