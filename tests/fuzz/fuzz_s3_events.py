"""`s3_events.parts` separates objects from malformed records for any JSON; and a key arrives unchanged."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import atheris

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "lambda_src")]

with atheris.instrument_imports(include=["inference"]):
    from inference.s3_events import InvalidEventError, PassedOver, S3Object, parse, parts

from tests.fuzz import target  # noqa: E402
from tests.lambda_src.events import BUCKET, batch_task, event, record  # noqa: E402

MAX_KEY_BYTES = 1_024


def check(data: bytes) -> None:
    """The first byte tells what the others are: an event in JSON, changes to a valid record, or a key."""
    kind, rest = data[:1], data[1:]
    if kind == b"j":
        check_event(rest)
    elif kind == b"r":
        check_any(event(broken_record(rest), record("after.wav")))
    elif kind == b"k":
        check_key(rest)


def check_event(text: bytes) -> None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return
    check_any(value)


def check_any(value: Any) -> None:
    try:
        entries = [entry for part in parts(value) for entry in part.entries]
    except InvalidEventError:
        return
    for entry in entries:
        assert isinstance(entry, S3Object | PassedOver | InvalidEventError), entry
        if isinstance(entry, PassedOver):
            assert entry.reason.endswith("."), entry
        elif isinstance(entry, S3Object):
            assert entry.key and entry.bucket, entry
            assert len(entry.key.encode()) <= MAX_KEY_BYTES, entry
            assert entry.size_bytes is None or entry.size_bytes >= 0, entry
        else:
            str(entry).encode()  # can be logged


def broken_record(data: bytes) -> dict[str, Any]:
    """A valid record, some of whose members are replaced or left out."""
    provider = atheris.FuzzedDataProvider(data)
    broken = record("before.wav", size=provider.ConsumeInt(9))
    for _ in range(provider.ConsumeIntInRange(1, 4)):
        place: Any = broken
        while isinstance(place, dict) and place:
            name = sorted(place)[provider.ConsumeIntInRange(0, len(place) - 1)]
            if provider.ConsumeBool() and isinstance(place[name], dict):
                place = place[name]
                continue
            if provider.ConsumeBool():
                place[name] = anything(provider)
            else:
                del place[name]
            break
    return broken


def anything(provider: Any) -> Any:
    return provider.PickValueInList(
        [
            provider.ConsumeUnicode(50),  # lone surrogates too
            provider.ConsumeInt(20),
            provider.ConsumeFloat(),
            provider.ConsumeUnicode(5) * 1_000,
            *(None, True, [], {}, "", "%", "%ff", [None], {"name": None}),
        ]
    )


def check_key(data: bytes) -> None:
    key = data.decode(errors="ignore")
    if not 0 < len(key.encode()) <= MAX_KEY_BYTES:
        return
    (entry,) = parse(event(record(key)))
    assert isinstance(entry, S3Object), entry
    assert (entry.bucket, entry.key) == (BUCKET, key)


def seeds() -> Iterator[bytes]:
    for key in ("a.wav", "a b+c%20.wav", "ä/ö/ü.wav", "日本語.flac", "%2B+ ", "\0\n\t"):
        yield b"k" + key.encode()
        yield b"j" + json.dumps(event(record(key))).encode()
    odd: list[Any] = [
        {},
        [],
        None,
        "",
        {"Event": "s3:TestEvent"},
        {"Records": []},
        {"Records": [None]},
        {"Records": {}},
    ]
    for whole in odd:
        yield b"j" + json.dumps(whole).encode()
    in_sqs = {"eventSource": "aws:sqs", "body": json.dumps(event(record("a.wav")))}
    in_sns = {"EventSource": "aws:sns", "Sns": {"Type": "Notification", "Message": json.dumps(event(record("a.wav")))}}
    entity = {"key": "a.wav", "size": 5, "sequencer": "00"}
    detail = {"bucket": {"name": BUCKET}, "object": entity}
    of_eventbridge = {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}
    for sent in (
        event(in_sqs),
        event({"messageId": "m", **in_sqs}),
        event(in_sns),
        of_eventbridge,
        batch_task("a.wav"),
    ):
        yield b"j" + json.dumps(sent).encode()
    yield from (b"r" + bytes([number * 7 % 256]) * 40 for number in range(20))


if __name__ == "__main__":
    target.run("s3_events", check, seeds())
