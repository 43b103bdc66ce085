"""The content of an object whose `Content-Encoding` says that it is compressed; S3 stores and returns it as it is."""

import gzip
import io
import zlib

from .input_error import InputError
from .limits import Limits

PLAIN = ("", "identity", "aws-chunked")  # the last is left behind by some clients, and nothing is encoded


def decoded(data: bytes, encoding: str, limits: Limits) -> bytes:
    """Undo the `Content-Encoding`, up to the maximum size of a file.

    Raises:
        InputError: UNSUPPORTED_ENCODING, CORRUPT_ENCODING or FILE_TOO_LARGE.
    """
    for name in reversed([part.strip().lower() for part in encoding.split(",")]):
        if name in ("gzip", "x-gzip"):
            data = _gunzipped(data, limits)
        elif name not in PLAIN:
            raise InputError(
                "UNSUPPORTED_ENCODING", f"The object's Content-Encoding is {name[:50]!r}; gzip and none are supported."
            )
    return data


def _gunzipped(data: bytes, limits: Limits) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            plain = file.read(limits.max_bytes + 1)
    except (OSError, EOFError, zlib.error) as error:
        message = "The object's Content-Encoding is gzip, which its content is not, or not to its end."
        raise InputError("CORRUPT_ENCODING", message) from error
    limits.check_size(len(plain))
    return plain
