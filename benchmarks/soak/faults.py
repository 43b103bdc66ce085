"""Faults that occur on AWS: what a worker gets instead of the answer that it expects.

The texts are those of the services. A worker is a caller of AWS: a function, or the endpoint's container.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

ALWAYS = sys.maxsize
"""As a number of requests: the fault lasts, and the event must become a dead letter."""


class Action(Enum):
    """What the proxy does with a request."""

    REFUSE = "answer with an error, without forwarding"
    RESET = "reset the connection, without forwarding"
    RESET_IN_BODY = "forward, and reset the connection in the middle of the answer's body"
    TRUNCATE = "forward, and close the connection in the middle of the answer's body"
    HOLD = "forward, and keep the answer for a while"
    LOSE = "forward, and reset the connection instead of answering"
    KILL = "kill the worker, without forwarding"
    FORWARD_AND_KILL = "forward, and kill the worker instead of answering"


@dataclass(frozen=True)
class Answer:
    """An answer of a service, such as an error with the service's own text."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One class of faults.

    Attributes:
        name: as printed.
        service: to which the affected requests go: s3 (GetObject), dynamodb (PutItem) or sagemaker (InvokeEndpoint).
        action: what is done with the request.
        times: how many requests of one object may meet it. A fault that occurs at most twice does no harm, since an
            event is tried three times.
        answer: for REFUSE.
        seconds: for HOLD.
        harmless: whether the worker gets its answer nevertheless.
    """

    name: str
    service: str
    action: Action
    times: tuple[int, ...] = (1, 2, ALWAYS)
    answer: Answer | None = None
    seconds: float = 0.0
    harmless: bool = False


def _s3(status: int, code: str, message: str) -> Answer:
    text = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Answer(status, text.encode(), {"Content-Type": "application/xml"})


def _dynamodb(status: int, code: str, message: str) -> Answer:
    content = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message}
    return Answer(status, json.dumps(content).encode(), {"Content-Type": "application/x-amz-json-1.0"})


def _sagemaker(status: int, code: str, **content: object) -> Answer:
    return Answer(status, json.dumps(content).encode(), {"Content-Type": "application/json", "x-amzn-ErrorType": code})


def _model_error(status: int, message: str) -> Answer:
    quoted = f'Received server error ({status}) from primary with message "{message}".'
    return _sagemaker(
        424,
        "ModelError",
        Message=f"{quoted} See the endpoint's log group for more information.",
        OriginalStatusCode=status,
        OriginalMessage=message,
    )


OVERLOADED = json.dumps({"error_code": "OVERLOADED", "error_message": "All 66 places are taken; try again later."})
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html: 60 s are the most.
TIMED_OUT = "Your invocation timed out while waiting for a response from container primary."

FAULTS = (
    Fault(
        name="S3: 503 SlowDown",
        service="s3",
        action=Action.REFUSE,
        answer=_s3(503, "SlowDown", "Please reduce your request rate."),
    ),
    Fault(
        name="S3: 500 InternalError",
        service="s3",
        action=Action.REFUSE,
        answer=_s3(500, "InternalError", "We encountered an internal error. Please try again."),
    ),
    Fault(name="S3: reset before the answer", service="s3", action=Action.RESET),
    Fault(name="S3: reset in the body", service="s3", action=Action.RESET_IN_BODY),
    Fault(name="S3: body cut short", service="s3", action=Action.TRUNCATE),
    Fault(name="S3: slow", service="s3", action=Action.HOLD, times=(1, 2), seconds=1.0, harmless=True),
    # Longer than the handlers wait, so that their own time-out ends it.
    Fault(name="S3: no answer in time", service="s3", action=Action.HOLD, times=(1,), seconds=12.0),
    Fault(name="S3: worker killed meanwhile", service="s3", action=Action.KILL),
    Fault(
        name="DynamoDB: throttled",
        service="dynamodb",
        action=Action.REFUSE,
        answer=_dynamodb(400, "ThrottlingException", "Throughput exceeds the current capacity of your table or index."),
    ),
    Fault(
        name="DynamoDB: 500",
        service="dynamodb",
        action=Action.REFUSE,
        answer=_dynamodb(500, "InternalServerError", "The request processing has failed because of an unknown error."),
    ),
    Fault(name="DynamoDB: reset before the write", service="dynamodb", action=Action.RESET),
    Fault(name="DynamoDB: answer lost after the write", service="dynamodb", action=Action.LOSE, times=(1, 2)),
    Fault(name="DynamoDB: no answer in time", service="dynamodb", action=Action.HOLD, times=(1, 2), seconds=5.0),
    Fault(name="DynamoDB: worker killed before the write", service="dynamodb", action=Action.KILL),
    Fault(
        name="DynamoDB: worker killed after the write",
        service="dynamodb",
        action=Action.FORWARD_AND_KILL,
        times=(1, 2),
    ),
    Fault(
        name="SageMaker: throttled",
        service="sagemaker",
        action=Action.REFUSE,
        answer=_sagemaker(400, "ThrottlingException", message="Rate exceeded"),
    ),
    Fault(
        name="SageMaker: 503",
        service="sagemaker",
        action=Action.REFUSE,
        answer=_sagemaker(503, "ServiceUnavailable", Message="The service is currently unavailable."),
    ),
    Fault(
        name="SageMaker: 500",
        service="sagemaker",
        action=Action.REFUSE,
        answer=_sagemaker(500, "InternalFailure", Message="An internal failure occurred."),
    ),
    Fault(
        name="SageMaker: model error 503",
        service="sagemaker",
        action=Action.REFUSE,
        answer=_model_error(503, OVERLOADED),
    ),
    Fault(
        name="SageMaker: its own 60 s are over",
        service="sagemaker",
        action=Action.REFUSE,
        answer=_model_error(0, TIMED_OUT),
    ),
    Fault(name="SageMaker: reset before the answer", service="sagemaker", action=Action.RESET),
    Fault(name="SageMaker: answer lost", service="sagemaker", action=Action.LOSE),
    Fault(name="SageMaker: slow", service="sagemaker", action=Action.HOLD, times=(1, 2), seconds=2.0, harmless=True),
    Fault(name="SageMaker: proxy killed meanwhile", service="sagemaker", action=Action.KILL),
)


def faults_of(*, has_endpoint: bool) -> list[Fault]:
    """The faults that a variant can meet: those of SageMaker only where it has an endpoint."""
    return [fault for fault in FAULTS if fault.service != "sagemaker" or has_endpoint]
