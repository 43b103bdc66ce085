"""Event source mappings poll queues as on AWS.

ministack polls, deletes what has succeeded, and moves what was received too often to the dead-letter queue. This adds:

- The function's role must let Lambda poll, when the mapping is made and while it polls.
- What is invoked is what the function or alias is by then. Its reserved concurrency throttles: the messages come back,
  and the attempt counts. Only MaximumConcurrency keeps Lambda from trying.
- A message that has failed comes back sooner than its visibility timeout, as other retries do here.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
"""

import time
from typing import Any

from ministack.services import lambda_svc, sqs

from crossover.local.emulator.events import current, function_of
from crossover.local.emulator.ministack_internals import Properties, on_change
from crossover.local.emulator.permissions import DeniedError, check_role

TO_POLL = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
CONCURRENCY = 5
"""Batches at once, with which Lambda begins; that it then adds 300 a minute is left out here."""


def install() -> None:
    """Replace parts of ministack's poller."""
    run_batch = lambda_svc._run_sqs_batch

    def run(mapping: Properties, function: Properties, event: Properties, batch: list[Properties], *queue: Any) -> None:
        run_batch(mapping, current(mapping["FunctionArn"]), event, batch, *queue)
        # ministack would let one failure stop the whole mapping for a second.
        lambda_svc._esm_backoff_until.pop(mapping["UUID"], None)
        soon = time.time() + lambda_svc._LAMBDA_ASYNC_RETRY_BASE_SECONDS
        for message in batch:  # those that succeeded are no longer in the queue
            message["visible_at"] = min(message["visible_at"], soon)

    lambda_svc._run_sqs_batch = run
    lambda_svc._sqs_esm_concurrency = concurrency
    on_change("AWS::Lambda::EventSourceMapping", before=lambda _, mapping: check_polling(mapping))


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
