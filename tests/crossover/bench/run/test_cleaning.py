"""What a benchmark has made is removed, and nothing else; AWS is answered by moto."""

from dataclasses import replace
from typing import Any

import pytest

from crossover.aws import Clients
from crossover.bench.run import cleaning
from crossover.bench.run.cleaning import clean
from crossover.deployed import Variant
from tests.crossover.deployments import messages_in, put_dead_letter, put_failure

from .test_requesting import Broken

PREFIX = "bench-abc/"


def fill(clients: Clients, variant: Variant, prefix: str, count: int) -> None:
    for number in range(count):
        key = f"{prefix}{number}"
        clients("s3").put_object(Bucket=variant.bucket, Key=key, Body=b"x")
        clients("dynamodb").put_item(TableName=variant.table, Item={"object_key": {"S": key}})


def left(clients: Clients, variant: Variant) -> tuple[set[str], set[str]]:
    """Keys of objects, of whatever version, and of items."""
    listed = clients("s3").list_object_versions(Bucket=variant.bucket)
    objects = {each["Key"] for kind in ("Versions", "DeleteMarkers") for each in listed.get(kind, [])}
    items = clients("dynamodb").scan(TableName=variant.table)["Items"]
    return objects, {item["object_key"]["S"] for item in items}


def test_removes_only_its_own_objects_and_items(
    clients: Clients, variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleaning, "OBJECTS_AT_ONCE", 7)
    fill(clients, variant, PREFIX, 30)
    fill(clients, variant, "bench-other/", 2)
    assert clean(clients, variant, PREFIX, with_dead_letters=False) == []
    assert left(clients, variant) == ({"bench-other/0", "bench-other/1"}, {"bench-other/0", "bench-other/1"})


def test_removes_every_version_of_an_object_and_the_delete_markers(clients: Clients, variant: Variant) -> None:
    versioning = {"Status": "Enabled"}
    clients("s3").put_bucket_versioning(Bucket=variant.bucket, VersioningConfiguration=versioning)
    fill(clients, variant, PREFIX, 2)
    fill(clients, variant, PREFIX, 1)
    clients("s3").delete_object(Bucket=variant.bucket, Key=f"{PREFIX}1")
    assert clean(clients, variant, PREFIX, with_dead_letters=False) == []
    assert left(clients, variant) == (set(), set())


def test_removes_only_dead_letters_of_the_benchmark(clients: Clients, variant: Variant) -> None:
    put_failure(clients, variant, f"{PREFIX}0")
    put_failure(clients, variant, "other.wav")
    put_dead_letter(clients, variant, "not a record of Lambda's")
    assert clean(clients, variant, PREFIX, with_dead_letters=False) == []
    assert messages_in(clients, variant) == (3, 0)
    assert clean(clients, variant, PREFIX, with_dead_letters=True) == []
    assert messages_in(clients, variant) == (2, 0)


def test_removes_the_results_of_its_files_and_no_others(clients: Clients, variant: Variant) -> None:
    region = {"LocationConstraint": clients("s3").meta.region_name}
    clients("s3").create_bucket(Bucket="results", CreateBucketConfiguration=region)
    for sha256 in ("a" * 64, "b" * 64):
        clients("s3").put_object(Bucket="results", Key=f"results/{sha256[:32]}-{'5' * 16}.npz", Body=b"x")
    stores = replace(variant, results_bucket="results")
    assert clean(clients, stores, PREFIX, with_dead_letters=False, inputs=["a" * 64]) == []
    [kept] = clients("s3").list_objects_v2(Bucket="results")["Contents"]
    assert "b" * 32 in kept["Key"]
    gone = replace(variant, results_bucket="gone")
    [sentence] = clean(clients, gone, PREFIX, with_dead_letters=False, inputs=["a" * 64])
    assert sentence.startswith(f"Results of {PREFIX} remain in the bucket gone: ")


def test_reports_what_could_not_be_removed(clients: Clients, variant: Variant) -> None:
    fill(clients, variant, PREFIX, 2)
    broken = Broken(clients("s3"), "delete_objects", times=1)
    [sentence] = clean(lambda name: broken if name == "s3" else clients(name), variant, PREFIX, with_dead_letters=True)
    assert sentence.startswith(f"Keys under {PREFIX} remain in the bucket {variant.bucket}")


def test_reports_dead_letters_that_could_not_be_removed(clients: Clients, variant: Variant) -> None:
    put_failure(clients, variant, f"{PREFIX}0")
    broken = Broken(clients("sqs"), "receive_message", times=1)
    [sentence] = clean(lambda name: broken if name == "sqs" else clients(name), variant, PREFIX, with_dead_letters=True)
    assert sentence.startswith(f"Dead letters of {PREFIX} remain in {variant.dead_letter_queue}: ")


class Deaf:
    """An S3 that says it has deleted what it has not."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return (lambda **_: {}) if name == "delete_objects" else getattr(self._real, name)


def test_checks_that_they_are_gone(clients: Clients, variant: Variant) -> None:
    fill(clients, variant, PREFIX, 2)
    deaf = Deaf(clients("s3"))
    problems = clean(lambda name: deaf if name == "s3" else clients(name), variant, PREFIX, with_dead_letters=False)
    assert problems == [f"2 objects under {PREFIX} remain in the bucket {variant.bucket}."]


class Busy:
    """A DynamoDB that takes one item of a batch only."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def batch_write_item(self, RequestItems: dict[str, list[Any]]) -> dict[str, Any]:  # noqa: N803
        [(table, requests)] = RequestItems.items()
        self._real.batch_write_item(RequestItems={table: requests[:1]})
        return {"UnprocessedItems": {table: requests[1:]} if requests[1:] else {}}


def test_retries_items_that_dynamodb_did_not_process(clients: Clients, variant: Variant) -> None:
    fill(clients, variant, PREFIX, 4)
    busy = Busy(clients("dynamodb"))
    assert clean(lambda n: busy if n == "dynamodb" else clients(n), variant, PREFIX, with_dead_letters=False) == []
    assert left(clients, variant) == (set(), set())
