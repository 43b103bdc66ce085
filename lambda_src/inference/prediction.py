"""The prediction for one file, as predictors return it and the table stores it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, TypedDict, cast

# No number of a prediction that came by JSON has more digits; DynamoDB's have 38, and reach 9.9E+125.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
_MAX_INTEGER = 10**38
_MIN_FLOAT, _MAX_FLOAT = 1e-130, 9.9e125
_MAX_DEPTH = 30  # DynamoDB stores 32 levels


class InvalidPredictionError(ValueError):
    """The container's answer is not a prediction."""


class ModelUnreadableError(Exception):
    """The model's file cannot be read, whatever it holds; a later attempt may succeed."""


class ResultNotStoredError(Exception):
    """S3 did not take a result; a later attempt may succeed. Its cause is what botocore raised."""


class ReadObject(TypedDict, total=False):
    """What S3 said of the object that was read, in the item's words.

    Attributes:
        etag: without quotes; empty for plain bytes.
        size_bytes: as it is stored.
        version_id: where the bucket has versions.
        uploaded_at: S3's Last-Modified in ISO 8601, UTC, in whole seconds; of a multipart upload when it began.
    """

    etag: str
    size_bytes: int
    version_id: str
    uploaded_at: str


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """The prediction for one file.

    Attributes:
        values: for the item, what the kinds of output and input make of the file, such as `label` and `audio_seconds`;
            text, numbers, lists and objects; never empty.
        model_sha256: of the model's file, hexadecimal.
        read: what S3 said of the object.
        timings_ms: wall time of `download`, `decode` and `inference`, and of `store_result` where there is a file, ms.
    """

    values: Mapping[str, Any]
    model_sha256: str
    read: ReadObject
    timings_ms: Mapping[str, float]

    def to_dict(self) -> dict[str, Any]:
        """The container's answer, ready for JSON."""
        return {
            **self.values,
            "model_sha256": self.model_sha256,
            **self.read,
            "timings_ms": self.timings_ms,
        }

    @classmethod
    def from_dict(cls, answer: Any) -> Self:
        """The inverse of `to_dict`.

        Raises:
            InvalidPredictionError: `answer` is not such a dict.
        """
        try:
            values = dict(answer)
            sha256, timings = (values.pop(name) for name in ("model_sha256", "timings_ms"))
            read = pop_read_object(values)
            prediction = cls(values=values, model_sha256=sha256, read=read, timings_ms=dict(timings))
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidPredictionError("The answer lacks a part of a prediction.") from error
        numbers = prediction.timings_ms.values()
        if not (
            values
            and isinstance(sha256, str)
            and "etag" in read
            and all(isinstance(number, int | float) for number in numbers)
            and _can_be_stored([values, list(numbers)])
        ):
            raise InvalidPredictionError("The answer has values that are not the texts and numbers of a prediction.")
        return prediction


def pop_read_object(answer: dict[str, Any]) -> ReadObject:
    """Take what the container tells of the object out of its answer; of an earlier release it tells the etag alone.

    Raises:
        ValueError: a value is not of its type.
    """
    types = {"etag": str, "size_bytes": int, "version_id": str, "uploaded_at": str}
    read = {name: answer.pop(name) for name in types if name in answer}
    if not all(type(value) is types[name] for name, value in read.items()) or not _can_be_stored(read):
        raise ValueError("What the answer tells of the object is not of its type.")
    return cast(ReadObject, read)


def _can_be_stored(value: Any, depth: int = 0) -> bool:
    """Whether DynamoDB can store a JSON value; NaN and infinity it cannot."""
    match value:
        case bool() | str():
            return True
        case int():
            return abs(value) < _MAX_INTEGER
        case float():
            return value == 0 or _MIN_FLOAT <= abs(value) <= _MAX_FLOAT
        case dict():
            return depth < _MAX_DEPTH and all(
                isinstance(name, str) and _can_be_stored(each, depth + 1) for name, each in value.items()
            )
        case list():
            return depth < _MAX_DEPTH and all(_can_be_stored(each, depth + 1) for each in value)
    return False
