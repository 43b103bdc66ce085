"""Variants that are deployed, on AWS or on the local AWS: found by their stacks' outputs, used by uploading a file.

Everything here goes through the AWS clients it is given, so it does not know which of the two it talks to.
"""

import contextlib
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import BotoCoreError, ClientError

from crossover import clock
from crossover.deadletters.letters import DeadLetter
from crossover.deadletters.queue import Walk
from crossover.errors import CrossoverError, UsageError

# Between two looks at the table: soon at first, since a warm variant answers within milliseconds, then ever less often.
FIRST_DELAY_SECONDS = 0.02
MAX_DELAY_SECONDS = 1.0
DEAD_LETTER_INTERVAL_SECONDS = 3.0
# A queue with more letters than this is not searched to its end at every look.
MAX_DEAD_LETTERS = 1000


class Clients(Protocol):
    """Gives AWS clients, as `boto3.client` does; asked often, so it should keep them."""

    def __call__(self, service: str, /) -> Any: ...


@contextlib.contextmanager
def aws_errors() -> Iterator[None]:
    """Turn what AWS clients raise into a message for a person."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise CrossoverError(f"AWS did not answer as hoped: {error}") from error


class NoPredictionError(CrossoverError):
    """An upload has no item: it ended in the dead-letter queue, or nothing is known of it yet."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A deployed variant, as its stack's outputs describe it.

    Attributes:
        name: standard, snapstart, sagemaker.
        stack: the stack's name.
        bucket: takes files.
        table: gets predictions.
        function: name of the function that S3 invokes.
        handler_arn: what S3 invokes, the function itself or an alias of it; empty where the stack is too old to say.
        dead_letter_queue: URL of the queue of what failed in the end.
        endpoint: the SageMaker endpoint; empty elsewhere.
    """

    name: str
    stack: str
    bucket: str
    table: str
    function: str
    handler_arn: str
    dead_letter_queue: str
    endpoint: str = ""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file that was put into a variant's bucket.

    Attributes:
        variant: whose bucket.
        key: under which key.
        earliest: no event of this upload is older.
        earlier_sequencer: of the item that an earlier upload under this key has left; empty where there is none.
    """

    variant: Variant
    key: str
    earliest: datetime
    earlier_sequencer: str = ""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What an upload came to.

    Attributes:
        item: the item in the predictions table.
        milliseconds: from S3's time of the upload to the handler's time of the item.
    """

    item: Mapping[str, Any]
    milliseconds: float


def find_variants(
    clients: Clients, *, prefix: str, names: Collection[str] = (), deployed_by: str = "npx cdk deploy"
) -> list[Variant]:
    """The deployed variants whose stacks are named `<prefix>-...`: all, or those with these names, in their order.

    Args:
        clients: of the account.
        prefix: the setting stack_prefix.
        names: which variants.
        deployed_by: the command that deploys them, for the person who has not.

    Raises:
        UsageError: there is none, or not one of these names.
    """
    cloudformation = clients("cloudformation")
    pages = cloudformation.get_paginator("describe_stacks").paginate()
    found = {
        variant.name: variant
        for page in pages
        for stack in page["Stacks"]
        if stack["StackName"].startswith(f"{prefix}-") and (variant := _variant(stack))
    }
    where = f"in {cloudformation.meta.region_name}"
    if not found:
        raise UsageError(f"No stack named {prefix}-... is deployed {where}; `{deployed_by}` does that.")
    missing = [name for name in names if name not in found]
    if missing:
        deployed = ", ".join(sorted(found))
        raise UsageError(f"The variant {missing[0]!r} is not deployed {where}; deployed are {deployed}.")
    return [found[name] for name in names] if names else list(found.values())


def _variant(stack: Mapping[str, Any]) -> Variant | None:
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    if "Predictor" not in outputs:
        return None  # another stack, or one that is still being created
    return Variant(
        name=outputs["Predictor"],
        stack=stack["StackName"],
        bucket=outputs["InputBucketName"],
        table=outputs["PredictionsTableName"],
        function=outputs["FunctionName"],
        handler_arn=outputs.get("HandlerArn", ""),
        dead_letter_queue=outputs["DeadLetterQueueUrl"],
        endpoint=outputs.get("EndpointName", ""),
    )


def predict(clients: Clients, variant: Variant, file: Path, *, key: str = "", timeout_seconds: float) -> Result:
    """Upload a file, under a key of its own unless one is given, and wait for its item.

    Raises:
        NoPredictionError: there is none after `timeout_seconds`, or the event is in the dead-letter queue.
        UsageError: the file cannot be read.
    """
    return wait(clients, upload(clients, variant, file, key=key), timeout_seconds=timeout_seconds)


def upload(clients: Clients, variant: Variant, file: Path, *, key: str = "") -> Upload:
    """Put a file into a variant's bucket, under `<random>/<file name>` unless a key is given.

    Raises:
        UsageError: the file cannot be read.
    """
    earlier = _get_item(clients, variant, key) if key else {}
    key = key or f"{uuid.uuid4().hex[:12]}/{file.name}"
    try:
        body = file.open("rb")
    except OSError as error:
        raise UsageError(f"The file {file} cannot be read: {error.strerror}.") from error
    with body:
        answer = clients("s3").put_object(Bucket=variant.bucket, Key=key, Body=body)
    return Upload(
        variant=variant,
        key=key,
        earliest=clock.answered_at(answer) - clock.TOLERANCE,
        earlier_sequencer=earlier.get("sequencer", ""),
    )


def wait(
    clients: Clients, upload: Upload, *, timeout_seconds: float, sleep: Callable[[float], None] = time.sleep
) -> Result:
    """Wait for an upload's item.

    Raises:
        NoPredictionError: there is none after `timeout_seconds`, or the event is in the dead-letter queue.
    """
    started = time.monotonic()
    next_look_at_queue = started + DEAD_LETTER_INTERVAL_SECONDS
    for delay in _delays():
        item = find_item(clients, upload)
        if item is not None:
            return Result(item=item, milliseconds=_milliseconds(item))
        now = time.monotonic()
        is_last = now >= started + timeout_seconds
        if is_last or now >= next_look_at_queue:
            letter = find_dead_letter(clients, upload)
            if letter is not None:
                raise NoPredictionError(f"The event is in the dead-letter queue: {letter.reason}.")
            next_look_at_queue = now + DEAD_LETTER_INTERVAL_SECONDS
        if is_last:
            break
        sleep(min(delay, started + timeout_seconds - now))
    raise NoPredictionError(
        f"There is no item after {timeout_seconds:g} s, and nothing in the dead-letter queue: the event may still be "
        f"retried. The log of the function {upload.variant.function} tells more."
    )


def _delays() -> Iterator[float]:
    delay = FIRST_DELAY_SECONDS
    while True:
        yield delay
        delay = min(1.5 * delay, MAX_DELAY_SECONDS)


def find_item(clients: Clients, upload: Upload) -> dict[str, Any] | None:
    """The item of this upload, or None where there is none yet or one of an earlier upload under the same key."""
    item = _get_item(clients, upload.variant, upload.key)
    return item if item and item["sequencer"] != upload.earlier_sequencer else None


def _get_item(clients: Clients, variant: Variant, key: str) -> dict[str, Any]:
    answer = clients("dynamodb").get_item(TableName=variant.table, Key={"object_key": {"S": key}}, ConsistentRead=True)
    return {name: _plain(TypeDeserializer().deserialize(value)) for name, value in answer.get("Item", {}).items()}


def find_dead_letter(clients: Clients, upload: Upload) -> DeadLetter | None:
    """The dead letter of this upload, or None. The queue keeps it."""
    with Walk(clients("sqs"), upload.variant.dead_letter_queue) as letters:
        for letter in islice(letters, MAX_DEAD_LETTERS):
            if any(part.key == upload.key and part.uploaded_at >= upload.earliest for part in letter.uploads):
                return letter
    return None


def _milliseconds(item: Mapping[str, Any]) -> float:
    """From the upload to the item, both by AWS's clocks, so without the time that waiting for it here adds."""
    duration = datetime.fromisoformat(item["completed_at"]) - datetime.fromisoformat(item["uploaded_at"])
    return duration / timedelta(milliseconds=1)


def _plain(value: Any) -> Any:
    """DynamoDB's decimals as float."""
    match value:
        case Decimal():
            return float(value)
        case dict():
            return {name: _plain(element) for name, element in value.items()}
        case list():
            return [_plain(element) for element in value]
    return value
