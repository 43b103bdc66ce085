"""The predictions table: idempotent writes; an older event never overwrites a newer result."""

import contextlib
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

# S3's sequencers are hexadecimal strings of varying length, compared after padding the shorter one on the right with
# zeros. Padded to one length, DynamoDB's string comparison gives S3's order.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
SEQUENCER_LENGTH = 32
# Of a result that no event has asked for: an object that S3 Batch Operations found in its bucket. Every event's
# sequencer is above it, so a later event replaces the result.
NO_EVENT = "0" * SEQUENCER_LENGTH
UPLOAD = ("version_id", "size_bytes", "uploaded_at")
"""What an item says of its upload besides the etag; another prediction of the same object leaves it as it is."""


class PredictionStore:
    """Items of the predictions table, one for each object key.

    Args:
        dynamodb: a botocore DynamoDB client.
        table: name of the table; its partition key is `object_key`.
    """

    def __init__(self, *, dynamodb: Any, table: str) -> None:
        self.dynamodb = dynamodb
        self.table = table

    def put(self, item: Mapping[str, Any], *, newest_at: str = "") -> bool:
        """Write the item unless the table has the result of the same or of a newer event.

        A retry of a write whose response was lost finds its own item and counts as done.

        Without a sequencer the result is of an object that was found in its bucket. It replaces an item with the same
        `etag`, so that another model can predict again what lies there: the item keeps what it says of the upload. It
        also replaces an item that was completed before `newest_at`: whatever upload that is about, it is older. Both
        keep the sequencer of the event, so that a later event replaces them and an earlier one does not. Else the item
        may be about a newer upload, and stays.

        Args:
            item: `object_key`, `sequencer` and any other attributes; values are str, bool, int, float, dict or list;
                None is left out.
            newest_at: of an object that was found, a time at which it was the newest upload of its key, in the form of
                `completed_at`; empty where that is not known.

        Returns:
            False where the table already has this event's result or a newer one.

        Raises:
            botocore.exceptions.BotoCoreError, ClientError: DynamoDB did not store the item.
        """
        sequencer = item["sequencer"].upper().ljust(SEQUENCER_LENGTH, "0")
        attributes = _attributes({**item, "sequencer": sequencer})
        if item["sequencer"]:
            return self._put(attributes, "sequencer < :sequencer") is None
        replaces = "sequencer = :sequencer AND (etag = :etag OR completed_at < :newest_at)"
        values = {"etag": {"S": item.get("etag", "")}, "newest_at": {"S": newest_at}}
        existing = self._put(attributes, replaces, **values)
        if existing and "sequencer" in existing and item.get("etag"):
            attributes["sequencer"] = existing["sequencer"]
            if existing.get("etag") == attributes["etag"]:
                attributes |= {name: existing[name] for name in UPLOAD if name in existing}
            # Meanwhile a newer event's result may come; it has another sequencer.
            existing = self._put(attributes, replaces, **values)
        return existing is None

    def _put(self, item: Mapping[str, Any], replaces: str, **values: Any) -> Mapping[str, Any] | None:
        """Write the item if there is none or the condition holds; else, where values are given, returns the one there.

        Args:
            item: in DynamoDB's notation.
            replaces: the condition, on `:sequencer`, which is the item's, and the values.
            values: by their names without the colon, in DynamoDB's notation.
        """
        try:
            self.dynamodb.put_item(
                TableName=self.table,
                Item=item,
                ConditionExpression=f"attribute_not_exists(object_key) OR {replaces}",
                ExpressionAttributeValues={f":{name}": value for name, value in values.items()}
                | {":sequencer": item["sequencer"]},
                ReturnValuesOnConditionCheckFailure="ALL_OLD" if values else "NONE",
            )
        except self.dynamodb.exceptions.ConditionalCheckFailedException as error:
            existing: Mapping[str, Any] = error.response.get("Item", {})
            return existing
        return None

    def check(self) -> None:
        """Send a write whose condition never holds: no item both exists and does not exist.

        Raises:
            botocore.exceptions.BotoCoreError, ClientError: DynamoDB would not store an item.
        """
        with contextlib.suppress(self.dynamodb.exceptions.ConditionalCheckFailedException):
            self.dynamodb.put_item(
                TableName=self.table,
                Item={"object_key": {"S": "prime"}},
                ConditionExpression="attribute_exists(object_key) AND attribute_not_exists(object_key)",
            )

    def prime(self) -> None:
        """Run `check` once, so that no request has to wait for its first run; errors are ignored."""
        with contextlib.suppress(ClientError):
            self.check()


def _attributes(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _attribute(value) for key, value in values.items() if value is not None}


def _attribute(value: Any) -> dict[str, Any]:
    """A JSON value in DynamoDB's notation."""
    match value:
        case str():
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case int() | float():
            return {"N": repr(value)}
        case Mapping():
            return {"M": _attributes(value)}
        case list() | tuple():
            return {"L": [_attribute(element) for element in value]}
    raise TypeError(f"A {type(value).__name__} cannot be stored; allowed are str, bool, int, float, dict and list.")
