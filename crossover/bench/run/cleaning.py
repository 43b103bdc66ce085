"""Removes what a benchmark has uploaded and what it led to: objects, items, results, dead letters."""

from collections.abc import Iterable
from typing import TypedDict

from botocore.exceptions import BotoCoreError, ClientError

from crossover.aws import Clients
from crossover.dead_letter_queue import Scan
from crossover.deployed import Variant

OBJECTS_AT_ONCE = 1000
ITEMS_AT_ONCE = 25
RESULT_KEY = "results/{}-"  # with half of the input's SHA-256, as lambda_src/inference/local_predictor.py names results
MAX_TRIES = 10  # of items that DynamoDB returns as unprocessed


class ObjectVersion(TypedDict):
    """A version of an object, or a delete marker, as S3 wants it named."""

    Key: str
    VersionId: str


def clean(
    clients: Clients, variant: Variant, prefix: str, *, with_dead_letters: bool, inputs: Iterable[str] = ()
) -> list[str]:
    """Remove everything whose key has the prefix, and the results of the benchmark's files.

    Args:
        variant: the owner of buckets, table and queue.
        prefix: of the benchmark's keys.
        inputs: SHA-256 of the files whose results are removed.
        with_dead_letters: whether to search the dead-letter queue too.

    Returns:
        What could not be removed, each as a sentence.
    """
    problems: list[str] = []
    try:
        objects = _versions(clients, variant.bucket, prefix)
        _delete_items(clients, variant, sorted({each["Key"] for each in objects}))
        _delete_objects(clients, variant.bucket, objects)
        left = len(_versions(clients, variant.bucket, prefix))
        if left:
            problems.append(f"{left} objects under {prefix} remain in the bucket {variant.bucket}.")
    except (BotoCoreError, ClientError) as error:
        problems.append(
            f"Keys under {prefix} remain in the bucket {variant.bucket} and the table {variant.table}: {error}"
        )
    try:
        if variant.results_bucket:
            for sha256 in inputs:
                results = _versions(clients, variant.results_bucket, RESULT_KEY.format(sha256[:32]))
                _delete_objects(clients, variant.results_bucket, results)
    except (BotoCoreError, ClientError) as error:
        problems.append(f"Results of {prefix} remain in the bucket {variant.results_bucket}: {error}")
    try:
        if with_dead_letters:
            _delete_dead_letters(clients, variant, prefix)
    except (BotoCoreError, ClientError) as error:
        problems.append(f"Dead letters of {prefix} remain in {variant.dead_letter_queue}: {error}")
    return problems


def _versions(clients: Clients, bucket: str, prefix: str) -> list[ObjectVersion]:
    """Every version of every object, and the delete markers."""
    pages = clients("s3").get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
    return [
        {"Key": version["Key"], "VersionId": version["VersionId"]}
        for page in pages
        for kind in ("Versions", "DeleteMarkers")
        for version in page.get(kind, [])
    ]


def _delete_objects(clients: Clients, bucket: str, objects: list[ObjectVersion]) -> None:
    for start in range(0, len(objects), OBJECTS_AT_ONCE):
        chunk = objects[start : start + OBJECTS_AT_ONCE]
        clients("s3").delete_objects(Bucket=bucket, Delete={"Objects": chunk, "Quiet": True})


def _delete_items(clients: Clients, variant: Variant, keys: list[str]) -> None:
    for start in range(0, len(keys), ITEMS_AT_ONCE):
        requests = [
            {"DeleteRequest": {"Key": {"object_key": {"S": key}}}} for key in keys[start : start + ITEMS_AT_ONCE]
        ]
        for _ in range(MAX_TRIES):
            answer = clients("dynamodb").batch_write_item(RequestItems={variant.table: requests})
            requests = answer.get("UnprocessedItems", {}).get(variant.table, [])
            if not requests:
                break


def _delete_dead_letters(clients: Clients, variant: Variant, prefix: str) -> None:
    with Scan(clients("sqs"), variant.dead_letter_queue) as dead_letters:
        for each in dead_letters:
            if each.keys and all(key.startswith(prefix) for key in each.keys):
                dead_letters.delete(each)
