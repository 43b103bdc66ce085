"""The JSON requests: an S3 object reference, or one for a sample."""

import json
from typing import Any

from inference.input_error import InputError
from inference.s3_events import S3Object

# The longest key and the longest version id (1,024 bytes each) fit, even with every byte escaped as \u00XX.
MAX_JSON_BYTES = 16 * 1024


def is_sample_request(body: bytes) -> bool:
    """Whether it is `{"sample": true}`."""
    try:
        return bool(json.loads(body) == {"sample": True})
    except (ValueError, RecursionError):
        return False


def parse_object_reference(body: bytes) -> S3Object:
    """`{"bucket": .., "key": .., "version_id": .. | null, "size_bytes": .. | null}`; other keys are ignored.

    Raises:
        InputError: INVALID_REQUEST; the message names what is wrong.
    """
    try:
        request = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InputError("INVALID_REQUEST", f"The body is not JSON: {error}.") from error
    if not isinstance(request, dict):
        raise InputError("INVALID_REQUEST", "The JSON must be an object with the keys 'bucket' and 'key'.")
    size_bytes = request.get("size_bytes")
    if size_bytes is not None and (type(size_bytes) is not int or size_bytes < 0):
        raise InputError(
            "INVALID_REQUEST", f"'size_bytes' is {_shown(size_bytes)}; it must be a number of bytes or null."
        )
    return S3Object(
        bucket=_text(request, "bucket"),
        key=_text(request, "key"),
        version_id=None if request.get("version_id") is None else _text(request, "version_id"),
        size_bytes=size_bytes,
    )


def _text(request: dict[str, Any], name: str) -> str:
    value = request.get(name)
    if not isinstance(value, str) or not value:
        raise InputError("INVALID_REQUEST", f"{name!r} is {_shown(value)}; it must be a non-empty string.")
    try:
        value.encode()
    except UnicodeEncodeError as error:  # JSON can escape half a surrogate pair, which no name in S3 can contain
        raise InputError("INVALID_REQUEST", f"{name!r} is not valid Unicode.") from error
    return value


def _shown(value: Any) -> str:
    """An invalid value for a message; only its type where it may be long or nested."""
    return repr(value)[:50] if isinstance(value, str | int | float | None) else f"a JSON {type(value).__name__}"
