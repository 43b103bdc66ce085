"""The prediction for one file, as predictors return it and the table stores it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

# No number of a prediction that came by JSON has more digits; DynamoDB's have 38, and reach 9.9E+125.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
_MAX_INTEGER = 10**38
_MIN_FLOAT, _MAX_FLOAT = 1e-130, 9.9e125
_MAX_DEPTH = 30  # DynamoDB stores 32 levels


class InvalidPredictionError(ValueError):
    """The container's answer is not a prediction."""


class ResultNotStoredError(Exception):
    """S3 did not take a result; a later attempt may succeed. Its cause is what botocore raised."""


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """The prediction for one file.

    Attributes:
        values: for the item, what the kinds of output and input make of the file, such as `label` and `audio_seconds`;
            text, numbers, lists and objects; never empty.
        model_sha256: of the model's file, hexadecimal.
        etag: of the object that was read; empty for plain bytes.
        timings_ms: wall time of `download`, `decode` and `inference`, and of `store_result` where there is a file, ms.
    """

    values: Mapping[str, Any]
    model_sha256: str
    etag: str = ""
    timings_ms: Mapping[str, float]

    def to_dict(self) -> dict[str, Any]:
        """The container's answer, ready for JSON."""
        own = {name: value for name, value in vars(self).items() if name != "values"}
        return {**self.values, **own}

    @classmethod
    def from_dict(cls, answer: Any) -> Self:
        """The inverse of `to_dict`.

        Raises:
            InvalidPredictionError: `answer` is not such a dict.
        """
        try:
            values = dict(answer)
            sha256, etag, timings = (values.pop(name) for name in ("model_sha256", "etag", "timings_ms"))
            prediction = cls(values=values, model_sha256=sha256, etag=etag, timings_ms=dict(timings))
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidPredictionError("The answer lacks a part of a prediction.") from error
        numbers = prediction.timings_ms.values()
        if not (
            values
            and isinstance(sha256, str)
            and isinstance(etag, str)
            and all(isinstance(number, int | float) for number in numbers)
            and _can_be_stored([values, list(numbers)])
        ):
            raise InvalidPredictionError("The answer has values that are not the texts and numbers of a prediction.")
        return prediction


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
