"""Variants that are deployed, on AWS or on the local AWS: found by their stacks' outputs, used by uploading a file.

Everything here uses the AWS clients that it is given, so it does not know which of the two it talks to.
"""

import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, TypedDict, cast

from botocore.exceptions import BotoCoreError, ClientError

from crossover import aws
from crossover.aws import Clients
from crossover.dead_letter_queue import DeadLetter, Scan
from crossover.errors import CrossoverError, UsageError

DEAD_LETTER_INTERVAL_SECONDS = 3.0
# A longer queue is not searched to its end each time.
MAX_DEAD_LETTERS = 1000


@dataclass(frozen=True, kw_only=True)
class Delays:
    """The pauses between two reads of the table, s: each half as long again as the one before, up to the longest."""

    first: float
    longest: float

    def __iter__(self) -> Iterator[float]:
        delay = self.first
        while True:
            yield delay
            delay = min(1.5 * delay, self.longest)


# Short at first, since a warm variant answers within milliseconds.
DELAYS = Delays(first=0.02, longest=1.0)


class NoPredictionError(CrossoverError):
    """An upload has no item: its event is in the dead-letter queue, or may still be retried."""


@dataclass(frozen=True, kw_only=True)
class Backfill:
    """What lets a variant predict what lies in its bucket already.

    Attributes:
        role: ARN of the role of the jobs.
        bucket: name of the bucket of manifests and reports.
        key_prefix, key_suffix: of the keys that the variant predicts; empty where it predicts all.
        model_sha256: of the deployed model's file, hexadecimal.
    """

    role: str
    bucket: str
    key_prefix: str = ""
    key_suffix: str = ""
    model_sha256: str


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A deployed variant, as its stack's outputs describe it.

    Attributes:
        name: of the variant.
        stack: the stack's name.
        bucket: name of the bucket that takes files.
        table: name of the table that gets the items.
        function: name of the function that predicts, or has the endpoint predict.
        handler_arn: what uploads invoke, the function itself or an alias of it; empty where the stack is too old to
            say.
        dead_letter_queue: URL of the dead-letter queue.
        upload_queue: URL of the queue that S3 sends to; empty where it invokes the handler itself.
        endpoint: name of the SageMaker endpoint; empty where the variant has none.
        input_kind: that its model takes, such as "audio"; empty where the stack does not say.
        results_bucket: name of the bucket of results that do not fit an item; empty where the variant has none.
        backfill: what `crossover backfill` needs; None where the stack was deployed without it.
    """

    name: str
    stack: str
    bucket: str
    table: str
    function: str
    handler_arn: str
    dead_letter_queue: str
    upload_queue: str = ""
    endpoint: str = ""
    input_kind: str = ""
    results_bucket: str = ""
    backfill: Backfill | None = None

    @property
    def qualifier(self) -> str:
        """The alias that S3 invokes; empty for the function itself."""
        return "".join(self.handler_arn.split(":")[7:])


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file that was put into a variant's bucket.

    Attributes:
        variant: whose bucket it was.
        key: the object's key.
        earliest: no event of this upload is older.
        earlier_sequencer: of the item that an earlier upload under this key has produced; empty where there is none.
    """

    variant: Variant
    key: str
    earliest: datetime
    earlier_sequencer: str = ""


class LabelScore(TypedDict):
    """A label with its score."""

    label: str
    score: float


class Item(TypedDict, total=False):
    """The item of one object; one whose status is FAILED has an error instead of a prediction."""

    object_key: str
    bucket: str
    version_id: str
    etag: str
    sequencer: str
    size_bytes: float
    status: str
    label: str
    score: float
    top_labels: list[LabelScore]
    detections: list[dict[str, Any]]
    detection_count: float
    outputs: dict[str, dict[str, Any]]
    result_uri: str
    audio_seconds: float
    width: float
    height: float
    rows: float
    error_code: str
    error_message: str
    predictor: str
    model_sha256: str
    cold_start: bool
    timings_ms: dict[str, float]
    request_id: str
    uploaded_at: str
    completed_at: str
    expires_at: float


@dataclass(frozen=True, kw_only=True)
class Result:
    """The result of an upload.

    Attributes:
        item: the item in the predictions table.
        milliseconds: from the upload, by S3's clock, to the item's completion, by the handler's.
    """

    item: Item
    milliseconds: float


def find_variants(
    clients: Clients, *, prefix: str, names: Collection[str] = (), deployed_by: str = "npx cdk deploy --all"
) -> list[Variant]:
    """The deployed variants whose stacks are named `<prefix>-...` or just `<prefix>`.

    Args:
        clients: of the account.
        prefix: the setting stack_prefix, or the name of a stack.
        names: of the variants, which are returned in this order; empty for all.
        deployed_by: the command that deploys them, for the error message.

    Raises:
        UsageError: no variant is deployed, or not one of these names.
    """
    cloudformation = clients("cloudformation")
    pages = cloudformation.get_paginator("describe_stacks").paginate()
    outputs = {
        stack["StackName"]: {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
        for page in pages
        for stack in page["Stacks"]
        if f"{stack['StackName']}-".startswith(f"{prefix}-")
    }
    found = {variant.name: variant for stack in outputs if (variant := _variant(stack, outputs[stack]))}
    where = f"in {cloudformation.meta.region_name}"
    if not found:
        raise UsageError(f"No variant is deployed {where} in a stack named {prefix}-...; `{deployed_by}` deploys it.")
    missing = [name for name in names if name not in found]
    if missing:
        deployed = ", ".join(sorted(found))
        raise UsageError(f"The variant {missing[0]!r} is not deployed {where}; deployed are {deployed}.")
    return [found[name] for name in names] if names else list(found.values())


def _variant(stack: str, outputs: Mapping[str, str]) -> Variant | None:
    if "Predictor" not in outputs:
        return None  # the stack is not a variant's, or is still being created
    return Variant(
        name=outputs["Predictor"],
        stack=stack,
        bucket=outputs["InputBucketName"],
        table=outputs["PredictionsTableName"],
        function=outputs["FunctionName"],
        handler_arn=outputs.get("HandlerArn", ""),
        dead_letter_queue=outputs["DeadLetterQueueUrl"],
        upload_queue=outputs.get("UploadQueueUrl", "") if outputs.get("Ingest") != "drain" else "",
        endpoint=outputs.get("EndpointName", ""),
        input_kind=outputs.get("InputKind", ""),
        results_bucket=outputs.get("ResultsBucketName", ""),
        backfill=_backfill(outputs),
    )


def _backfill(outputs: Mapping[str, str]) -> Backfill | None:
    if "BackfillRoleArn" not in outputs:
        return None
    return Backfill(
        role=outputs["BackfillRoleArn"],
        bucket=outputs["BackfillBucketName"],
        key_prefix=outputs.get("KeyPrefix", ""),
        key_suffix=outputs.get("KeySuffix", ""),
        model_sha256=outputs["ModelSha256"],
    )


def read_protection(output: str) -> dict[str, str]:
    """A stack's output Protection: the settings that protect data as they are deployed, by their name.

    It is `key=value` with spaces between, each value as `-c` takes it, but for bucket and table: `own` or `existing`.
    A stack that is too old, or one of the user's own constructs, has no such output. KeyArn is the ARN of the KMS key
    that encrypts new data, where that is not one of AWS's.
    """
    return dict(part.split("=", 1) for part in output.split() if "=" in part)


def predict(clients: Clients, variant: Variant, file: Path, *, key: str = "", timeout_seconds: float) -> Result:
    """Upload a file, under a unique key unless one is given, and wait for its item.

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
    earlier = _get_item(clients, variant, key) if key else Item()
    key = key or f"{uuid.uuid4().hex[:12]}/{file.name}"
    try:
        body = file.open("rb")
    except OSError as error:
        raise UsageError(f"The file {file} cannot be read: {error.strerror}.") from error
    with body:
        response = clients("s3").put_object(Bucket=variant.bucket, Key=key, Body=body)
    return Upload(
        variant=variant,
        key=key,
        earliest=aws.response_time(response) - aws.CLOCK_TOLERANCE,
        earlier_sequencer=earlier.get("sequencer", ""),
    )


def wait(
    clients: Clients, upload: Upload, *, timeout_seconds: float, sleep: Callable[[float], None] = time.sleep
) -> Result:
    """Wait for an upload's item.

    Raises:
        NoPredictionError: there is none after `timeout_seconds`, or the event is in the dead-letter queue.
    """
    end = wait_for_end(clients, upload, timeout_seconds=timeout_seconds, sleep=sleep)
    if isinstance(end, DeadLetter):
        raise NoPredictionError(f"The event is in the dead-letter queue: {end.reason}.")
    if end is None:
        raise NoPredictionError(
            f"There is no item after {timeout_seconds:g} s and no dead letter, so the event may still be retried; see "
            f"the log of the function {upload.variant.function}."
        )
    return Result(item=end, milliseconds=_milliseconds(end))


def wait_for_end(
    clients: Clients,
    upload: Upload,
    *,
    timeout_seconds: float,
    delays: Delays = DELAYS,
    dead_letter_interval: float = DEAD_LETTER_INTERVAL_SECONDS,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    is_abandoned: Callable[[], bool] = lambda: False,
    on_error: Callable[[Exception], None] | None = None,
) -> Item | DeadLetter | None:
    """Wait for an upload's item or dead letter.

    Args:
        upload: which one.
        timeout_seconds: longest wait.
        delays: between two reads of the table.
        dead_letter_interval: time between two reads of the dead-letter queue, s; it is always read at the end.
        monotonic, sleep: the clock.
        is_abandoned: asked before each read whether to stop waiting.
        on_error: told of an error of AWS, after which the waiting goes on; without it, the error is raised.

    Returns:
        The item, the dead letter, or None where neither came in time or the waiting was abandoned.
    """
    end = monotonic() + timeout_seconds
    next_look_at_queue = monotonic() + dead_letter_interval
    for delay in delays:
        if is_abandoned():
            return None
        now = monotonic()
        is_last = now >= end
        try:
            item = find_item(clients, upload)
            if item is not None:
                return item
            if is_last or now >= next_look_at_queue:
                next_look_at_queue = now + dead_letter_interval
                dead_letter = find_dead_letter(clients, upload)
                if dead_letter is not None:
                    return dead_letter
        except (BotoCoreError, ClientError) as error:
            if on_error is None:
                raise
            on_error(error)
        if is_last:
            break
        sleep(min(delay, max(0.0, end - now)))
    return None


def find_item(clients: Clients, upload: Upload) -> Item | None:
    """The item of this upload; None while there is none, or only that of an earlier upload under the same key."""
    item = _get_item(clients, upload.variant, upload.key)
    return item if item and item["sequencer"] != upload.earlier_sequencer else None


def _get_item(clients: Clients, variant: Variant, key: str) -> Item:
    """The item of a key; an empty one where there is none."""
    from boto3.dynamodb.types import (
        TypeDeserializer,  # here, because it imports all of boto3, which takes half a second
    )

    response = clients("dynamodb").get_item(
        TableName=variant.table, Key={"object_key": {"S": key}}, ConsistentRead=True
    )
    values = response.get("Item", {})
    return cast(Item, {name: _plain(TypeDeserializer().deserialize(value)) for name, value in values.items()})


def find_dead_letter(clients: Clients, upload: Upload) -> DeadLetter | None:
    """The dead letter of this upload, or None. It stays in the queue."""
    with Scan(clients("sqs"), upload.variant.dead_letter_queue) as scan:
        for dead_letter in islice(scan, MAX_DEAD_LETTERS):
            for failed in dead_letter.uploads:
                if failed.key == upload.key and (failed.uploaded_at or dead_letter.sent_at) >= upload.earliest:
                    return dead_letter
    return None


def _milliseconds(item: Item) -> float:
    """From the upload to the item, both by AWS's clocks, so without what polling for it here adds."""
    duration = datetime.fromisoformat(item["completed_at"]) - datetime.fromisoformat(item["uploaded_at"])
    return duration / timedelta(milliseconds=1)


def _plain(value: Any) -> Any:
    """The value with floats in place of DynamoDB's decimals."""
    match value:
        case Decimal():
            return float(value)
        case dict():
            return {name: _plain(element) for name, element in value.items()}
        case list():
            return [_plain(element) for element in value]
    return value
