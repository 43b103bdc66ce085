"""What a handler answers to whoever sent the event, by the outcome of each part of the event.

S3, SNS and EventBridge invoke asynchronously and want no answer: an error makes Lambda retry the event, and then
dead-letter it. An event source mapping deletes the messages of SQS that the answer does not name:
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
S3 Batch Operations writes what it is answered into the job's report:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-invoke-lambda.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import s3_events
from .failures import cause_of, describe, for_the_runtime

TEMPORARY_CAUSES = {"THROTTLED", "OVERLOADED", "TIMED_OUT", "UNREACHABLE", "SERVICE_ERROR"}
"""Of failures that S3 Batch Operations tries again before its job ends."""
MAX_RESULT_CHARACTERS = 1000


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one object.

    Attributes:
        text: SUCCEEDED, `FAILED <error_code>: <sentence>`, `PASSED_OVER: <sentence>`.
        kept: where the table keeps another item, `not stored: the table has a newer result`, or for a refusal of which
            it is not known whether the item is about the same bytes, `not stored: the table keeps the result of an
            upload`. It follows the text, in parentheses.
        failure: what may succeed later, or a malformed record; the text is then empty.
    """

    text: str = ""
    kept: str = ""
    failure: Exception | None = None


Outcomes = Sequence[tuple[s3_events.Part, Sequence[Outcome]]]


def answer(event: Any, outcomes: Outcomes) -> dict[str, Any] | None:
    """The handler's answer.

    Raises:
        failures.RedactedError: replaces one of the next kind whose message might contain a credential.
        Exception: the first failure; of messages, if all failed, so that the function's error metric and log show it
            and nothing is deleted even where the mapping does not ask for the answer.
    """
    if s3_events.is_from_batch_operations(event) and all(part.id for part, _ in outcomes):
        return {
            "invocationSchemaVersion": event["invocationSchemaVersion"],
            "treatMissingKeysAs": "TemporaryFailure",
            "invocationId": event.get("invocationId"),
            "results": [{"taskId": part.id, **_task_result(each)} for part, each in outcomes],
        }
    failed = [(part, error) for part, each in outcomes for error in [_first_failure(each)] if error]
    if failed and not (s3_events.is_from_queue(event) and len(failed) < len(outcomes)):
        raise for_the_runtime(failed[0][1]) from None
    if s3_events.is_from_queue(event):
        return {"batchItemFailures": [{"itemIdentifier": part.id} for part, _ in failed]}
    return None


def _first_failure(outcomes: Sequence[Outcome]) -> Exception | None:
    return next((each.failure for each in outcomes if each.failure), None)


def _task_result(outcomes: Sequence[Outcome]) -> Mapping[str, str]:
    """A FAILED item is a result too: if more than half of a job's tasks fail, S3 ends the job."""
    (outcome,) = outcomes
    if not outcome.failure:
        kept = f" ({outcome.kept})" if outcome.kept else ""
        text = outcome.text[: MAX_RESULT_CHARACTERS - len(kept)]  # the command counts by both ends
        return {"resultCode": "Succeeded", "resultString": f"{text}{kept}"}
    cause = cause_of(outcome.failure)
    return {
        "resultCode": "TemporaryFailure" if cause in TEMPORARY_CAUSES else "PermanentFailure",
        "resultString": f"{cause}: {describe(outcome.failure)}"[:MAX_RESULT_CHARACTERS],
    }
