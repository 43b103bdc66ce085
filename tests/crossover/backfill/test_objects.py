"""Which objects a backfill predicts: counted, filtered by S3, or listed."""

import hashlib
import io
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crossover.aws import Clients
from crossover.backfill import objects
from crossover.backfill.objects import Choice, Count
from crossover.deployed import Variant
from crossover.errors import UsageError

from .jobs_service import MODEL, deploy, put

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@pytest.fixture
def variant(clients: Clients) -> Variant:
    return deploy(clients)


def keys(clients: Clients, variant: Variant, choice: Choice) -> list[str]:
    return [each["Key"] for each in objects.chosen(clients, variant, choice)]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (Choice(), ["a.wav", "in/b c.wav", "in/d.txt"]),
        (Choice(prefix="in/"), ["in/b c.wav", "in/d.txt"]),
        (Choice(suffix=".wav"), ["a.wav", "in/b c.wav"]),
        (Choice(prefix="in/", suffix=".wav"), ["in/b c.wav"]),
        (Choice(limit=2), ["a.wav", "in/b c.wav"]),
        (Choice(since=NOW - DAY, before=NOW + DAY), ["a.wav", "in/b c.wav", "in/d.txt"]),
        (Choice(since=NOW + DAY), []),
        (Choice(before=NOW - DAY), []),
    ],
)
def test_objects_match_every_criterion_and_folders_are_left_out(
    clients: Clients, variant: Variant, choice: Choice, expected: list[str]
) -> None:
    put(clients, variant, "a.wav", "in/", "in/b c.wav", "in/d.txt")
    assert keys(clients, variant, choice) == expected


def test_what_is_archived_is_left_out_until_it_is_restored(
    clients: Clients, variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(clients, variant, "4 live", "5 live")
    archived = {
        "0 predicted": "GLACIER",
        "1": "GLACIER",
        "2": "DEEP_ARCHIVE",
        "3 at once": "GLACIER_IR",
        "4": "GLACIER",
    }
    s3 = clients("s3")
    for key, storage_class in archived.items():
        s3.put_object(Bucket=variant.bucket, Key=key, Body=b"1", StorageClass=storage_class)
    item = {"object_key": "0 predicted", "model_sha256": MODEL, "etag": hashlib.md5(b"1").hexdigest()}
    clients("dynamodb").put_item(TableName=variant.table, Item={name: {"S": value} for name, value in item.items()})
    pages = objects._pages

    def with_restored(*given: Any) -> Iterator[list[Mapping[str, Any]]]:  # moto's list has no RestoreStatus
        for page in pages(*given):
            restored = {"IsRestoreInProgress": False, "RestoreExpiryDate": NOW + DAY}
            yield [{**each, **({"RestoreStatus": restored} if each["Key"] == "4" else {})} for each in page]

    monkeypatch.setattr(objects, "_pages", with_restored)
    told: list[None] = []
    found = objects.chosen(clients, variant, Choice(missing=True, limit=3), on_archived=lambda: told.append(None))
    assert [each["Key"] for each in found] == ["3 at once", "4", "4 live"]
    assert len(told) == 2


def test_what_the_deployed_model_has_predicted_or_refused_is_left_out_unless_the_object_has_changed(
    clients: Clients, variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "MOST_READ_ITEMS", 2)
    names = ["1.wav", "2.wav", "3.wav"]
    etags = put(clients, variant, *names, "changed", "refused", "refused unread", "of another model")
    dynamodb = clients("dynamodb")
    items = {name: {"model_sha256": MODEL, "etag": etags[name]} for name in names[:-1]}
    items["changed"] = {"model_sha256": MODEL, "etag": "0" * 32}
    items["refused"] = {"model_sha256": MODEL, "etag": etags["refused"], "status": "FAILED"}
    items["refused unread"] = {"etag": etags["refused unread"]}
    items["of another model"] = {"model_sha256": "cd" * 32, "etag": etags["of another model"]}
    for key, values in items.items():
        item = {name: {"S": value} for name, value in {"object_key": key, **values}.items()}
        dynamodb.put_item(TableName=variant.table, Item=item)
    left = [names[-1], "changed", "of another model", "refused unread"]
    assert keys(clients, variant, Choice(missing=True)) == left
    assert keys(clients, variant, Choice(missing=True, limit=1)) == left[:1]


def test_the_filter_of_s3_means_the_same() -> None:
    assert Choice().filter == {}
    choice = Choice(prefix="in/", suffix=".wav", since=NOW, before=NOW + DAY)
    assert choice.filter == {
        "KeyNameConstraint": {"MatchAnyPrefix": ["in/"], "MatchAnySuffix": [".wav"]},
        "CreatedAfter": NOW - timedelta(seconds=1),  # later than this, in whole seconds
        "CreatedBefore": NOW + DAY,
    }


def test_items_that_the_table_has_no_capacity_for_are_asked_for_again_later(
    clients: Clients, variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(clients, variant, "1.wav", "2.wav")
    pauses: list[float] = []
    monkeypatch.setattr(objects, "sleep", pauses.append)
    dynamodb = clients("dynamodb")
    batch_get_item = dynamodb.batch_get_item

    def busy(**request: Any) -> dict[str, Any]:
        if len(pauses) < 3:
            return {"Responses": {variant.table: []}, "UnprocessedKeys": request["RequestItems"]}
        answer: dict[str, Any] = batch_get_item(**request)
        return answer

    monkeypatch.setattr(dynamodb, "batch_get_item", busy)
    assert keys(clients, variant, Choice(missing=True)) == ["1.wav", "2.wav"]
    assert len(set(pauses)) == 3
    assert pauses == sorted(pauses)


def test_all_is_counted_unless_it_may_not(clients: Clients, variant: Variant, monkeypatch: pytest.MonkeyPatch) -> None:
    put(clients, variant, "1.wav", "2.wav", "3.txt")
    suffix = Choice(suffix=".wav")
    assert objects.count(clients, variant, suffix) == Count(objects=2, size_bytes=10, listed=3, is_complete=True)
    monkeypatch.setattr(objects, "PAGE", 1)
    s3 = clients("s3")
    in_small_pages = s3.get_paginator("list_objects_v2")
    paginate = in_small_pages.paginate
    monkeypatch.setattr(
        in_small_pages, "paginate", lambda **wanted: paginate(**wanted, PaginationConfig={"PageSize": 1})
    )
    monkeypatch.setattr(s3, "get_paginator", lambda _: in_small_pages)
    some = Count(objects=2, size_bytes=10, listed=2, is_complete=False)
    assert objects.count(clients, variant, suffix, most=2) == some
    assert objects.count(clients, variant, suffix, most=3).is_complete
    told: list[int] = []
    assert objects.count(clients, variant, suffix, on_listed=told.append).is_complete
    assert told == [1, 2, 3]


def test_s3_lists_the_objects_unless_it_cannot_choose_them(clients: Clients, variant: Variant) -> None:
    assert not objects.is_listed(clients, variant, Choice(prefix="in/"))
    assert objects.is_listed(clients, variant, Choice(limit=1))
    assert objects.is_listed(clients, variant, Choice(missing=True))
    versioning = {"Status": "Enabled"}
    clients("s3").put_bucket_versioning(Bucket=variant.bucket, VersioningConfiguration=versioning)
    assert objects.is_listed(clients, variant, Choice())  # old versions must not be predicted


def test_a_manifest_has_bucket_and_encoded_key() -> None:
    file = io.BytesIO()
    found = [{"Key": key, "Size": 1} for key in ("a b+c.wav", 'ü,"\n.wav')]
    assert objects.write_manifest(file, "files", found) == Count(objects=2, size_bytes=2, listed=2, is_complete=True)
    assert file.getvalue() == b"files,a%20b%2Bc.wav\nfiles,%C3%BC%2C%22%0A.wav\n"


@pytest.mark.parametrize(
    ("given", "narrowed"),
    [
        (Choice(), Choice(prefix="in/", suffix=".wav")),
        (Choice(prefix="in/2026/", suffix="x.wav"), Choice(prefix="in/2026/", suffix="x.wav")),
        (Choice(prefix="i", suffix="v"), Choice(prefix="in/", suffix=".wav")),
    ],
)
def test_only_what_the_variant_predicts_is_chosen(clients: Clients, given: Choice, narrowed: Choice) -> None:
    assert objects.narrow(deploy(clients, KeyPrefix="in/", KeySuffix=".wav"), given) == narrowed


@pytest.mark.parametrize(("given", "option"), [(Choice(prefix="out/"), "prefix"), (Choice(suffix=".mp3"), "suffix")])
def test_a_choice_of_which_nothing_is_predicted_is_refused(clients: Clients, given: Choice, option: str) -> None:
    with pytest.raises(UsageError, match=f"^The value of --key-{option} is .*, but standard predicts only keys that"):
        objects.narrow(deploy(clients, KeyPrefix="in/", KeySuffix=".wav"), given)
