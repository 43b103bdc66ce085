"""Which objects of a bucket a backfill predicts, and the list of them that a job can read."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from time import sleep
from typing import IO, Any
from urllib.parse import quote

from crossover.aws import Clients
from crossover.deployed import Delays, Variant
from crossover.errors import UsageError

PAGE = 1000  # keys in a page of ListObjectsV2
MOST_READ_ITEMS = 100  # of BatchGetItem
DELAYS = Delays(first=0.05, longest=5.0)
"""Before items are asked for that the table had no capacity for."""
SECOND = timedelta(seconds=1)  # of which S3 has times
ARCHIVES = ("GLACIER", "DEEP_ARCHIVE")
"""Storage classes that S3 gives no object of until it is restored. A list does not tell what Intelligent-Tiering has
archived."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which objects: those that match every criterion.

    Attributes:
        prefix, suffix: of the key.
        since: not older than this.
        before: older than this.
        limit: so many at most, in the order of their keys; 0 for all.
        missing: only those that the deployed model has neither predicted nor refused, with the same content.
    """

    prefix: str = ""
    suffix: str = ""
    since: datetime | None = None
    before: datetime | None = None
    limit: int = 0
    missing: bool = False

    def matches(self, found: Mapping[str, Any]) -> bool:
        """Whether an object, as ListObjectsV2 gives it, has the suffix and the age; the prefix is asked for."""
        return (
            found["Key"].endswith(self.suffix)
            and (self.since is None or found["LastModified"] >= self.since)
            and (self.before is None or found["LastModified"] < self.before)
        )

    @property
    def filter(self) -> dict[str, Any]:
        """The same for S3JobManifestGenerator, which excludes the times themselves."""
        names = {"MatchAnyPrefix": self.prefix, "MatchAnySuffix": self.suffix}
        given = {name: [text] for name, text in names.items() if text}
        return {
            **({"KeyNameConstraint": given} if given else {}),
            **({"CreatedAfter": self.since - SECOND} if self.since else {}),
            **({"CreatedBefore": self.before} if self.before else {}),
        }


@dataclass(frozen=True, kw_only=True)
class Count:
    """How many objects match, and how large they are together, of the keys that were listed.

    Attributes:
        listed: number of these keys.
        is_complete: whether they are all that begin with the prefix.
    """

    objects: int
    size_bytes: int
    listed: int
    is_complete: bool


def narrow(variant: Variant, choice: Choice) -> Choice:
    """The choice, without what the variant does not predict.

    Raises:
        UsageError: nothing that it allows is predicted.
    """
    assert variant.backfill
    own_prefix, own_suffix = variant.backfill.key_prefix, variant.backfill.key_suffix
    if not (choice.prefix.startswith(own_prefix) or own_prefix.startswith(choice.prefix)):
        raise UsageError(
            f"The value of --key-prefix is {choice.prefix!r}, but {variant.name} predicts only keys that begin with "
            f"{own_prefix!r}."
        )
    if not (choice.suffix.endswith(own_suffix) or own_suffix.endswith(choice.suffix)):
        raise UsageError(
            f"The value of --key-suffix is {choice.suffix!r}, but {variant.name} predicts only keys that end in "
            f"{own_suffix!r}."
        )
    longest = {"prefix": max(choice.prefix, own_prefix, key=len), "suffix": max(choice.suffix, own_suffix, key=len)}
    return Choice(**{**vars(choice), **longest})


def count(
    clients: Clients, variant: Variant, choice: Choice, *, most: int = 0, on_listed: Callable[[int], None] | None = None
) -> Count:
    """Count the objects that match, whatever their predictions.

    Args:
        most: so many keys are listed, rounded up to whole pages; 0 for all.
        on_listed: told after each page how many keys were listed.
    """
    pages = _pages(clients, variant, choice, on_listed)
    objects = size_bytes = listed = 0
    for page in islice(pages, -(-most // PAGE) or None):
        found = [each for each in page if choice.matches(each)]
        objects, size_bytes = objects + len(found), size_bytes + sum(each["Size"] for each in found)
        listed += len(page)
    return Count(objects=objects, size_bytes=size_bytes, listed=listed, is_complete=next(pages, None) is None)


def is_listed(clients: Clients, variant: Variant, choice: Choice) -> bool:
    """Whether the objects have to be listed here, because S3 cannot choose them.

    AWS does not say which versions the list has that S3 makes of a bucket with versions: an old one must not be
    predicted.
    """
    if choice.limit or choice.missing:
        return True
    return "Status" in clients("s3").get_bucket_versioning(Bucket=variant.bucket)


def chosen(
    clients: Clients,
    variant: Variant,
    choice: Choice,
    *,
    on_listed: Callable[[int], None] | None = None,
    on_archived: Callable[[], None] | None = None,
) -> Iterator[Mapping[str, Any]]:
    """The objects that match, without folders and what is archived, as ListObjectsV2 gives them.

    Args:
        on_listed: as in `count`.
        on_archived: called for each that is left out only because it is archived.
    """

    def is_readable(found: Mapping[str, Any]) -> bool:
        if found.get("StorageClass") not in ARCHIVES or "RestoreExpiryDate" in found.get("RestoreStatus", {}):
            return True
        if on_archived:
            on_archived()
        return False

    listed = (each for page in _pages(clients, variant, choice, on_listed) for each in page)
    matching: Iterable[Mapping[str, Any]] = (
        each for each in listed if choice.matches(each) and not each["Key"].endswith("/")
    )
    if choice.missing:
        matching = _without_prediction(clients, variant, matching)
    return islice(filter(is_readable, matching), choice.limit or None)


def write_manifest(file: IO[bytes], bucket: str, objects: Iterable[Mapping[str, Any]]) -> Count:
    """Write the list of objects that a job reads, CSV of bucket and URL-encoded key; returns how many they are."""
    text = io.TextIOWrapper(file, encoding="utf-8", write_through=True)
    writer = csv.writer(text, lineterminator="\n")
    number = size_bytes = 0
    for each in objects:
        writer.writerow([bucket, quote(each["Key"], safe="/")])
        number, size_bytes = number + 1, size_bytes + each["Size"]
    text.detach()
    return Count(objects=number, size_bytes=size_bytes, listed=number, is_complete=True)


def _pages(
    clients: Clients, variant: Variant, choice: Choice, on_listed: Callable[[int], None] | None
) -> Iterator[list[Mapping[str, Any]]]:
    paginator = clients("s3").get_paginator("list_objects_v2")
    listed = 0
    wanted = {"Bucket": variant.bucket, "Prefix": choice.prefix, "OptionalObjectAttributes": ["RestoreStatus"]}
    for answer in paginator.paginate(**wanted):
        page = answer.get("Contents", [])
        listed += len(page)
        if on_listed:
            on_listed(listed)
        yield page


def _without_prediction(
    clients: Clients, variant: Variant, objects: Iterable[Mapping[str, Any]]
) -> Iterator[Mapping[str, Any]]:
    """The objects that the deployed model has neither predicted nor refused, with the bytes that they have now."""
    assert variant.backfill
    left = iter(objects)
    while some := list(islice(left, MOST_READ_ITEMS)):
        items = _items(clients, variant, [each["Key"] for each in some])
        for each in some:
            wanted = (variant.backfill.model_sha256, each["ETag"].strip('"'))
            if items.get(each["Key"]) != wanted:
                yield each


def _items(clients: Clients, variant: Variant, keys: list[str]) -> dict[str, tuple[str, str]]:
    """By the keys, model and etag of the items that there are. Of a file refused unread there is no model."""
    found: dict[str, tuple[str, str]] = {}
    request = {
        "Keys": [{"object_key": {"S": key}} for key in keys],
        "ProjectionExpression": "object_key, model_sha256, etag",
    }
    left = {variant.table: request}
    for delay in DELAYS:
        answer = clients("dynamodb").batch_get_item(RequestItems=left)
        for item in answer["Responses"][variant.table]:
            values = {name: value["S"] for name, value in item.items()}
            found[values["object_key"]] = (values.get("model_sha256", ""), values.get("etag", ""))
        left = answer["UnprocessedKeys"]
        if not left:
            break
        sleep(delay)
    return found
