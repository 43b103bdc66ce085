"""The error for an input that can never succeed; it becomes a result."""

from collections.abc import Mapping
from typing import Any


class InputError(Exception):
    """An input that no retry can turn into a prediction.

    It becomes a FAILED item in the table, or a 4xx from the container, and is never retried. What may succeed later
    (throttling, a 5xx, a time-out) is an ordinary exception.

    Args:
        code: stable, in UPPER_SNAKE_CASE, for programs. Of every object: EMPTY_FILE, FILE_TOO_LARGE, OBJECT_NOT_FOUND,
            OBJECT_ARCHIVED, UNSUPPORTED_ENCODING, CORRUPT_ENCODING, MODEL_REFUSED_INPUT and NO_RESULTS_BUCKET; from the
            container also UNSUPPORTED_CONTENT_TYPE and INVALID_REQUEST. The kinds of input and output name theirs.
        message: one sentence for a person: what was wrong, the value, what is allowed.

    Attributes:
        read: what S3 said of the object that was read, as in prediction.ReadObject; empty where none was.
        model_sha256: of the model that it was read for; empty where none was.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.read: Mapping[str, Any] = {}
        self.model_sha256 = ""
