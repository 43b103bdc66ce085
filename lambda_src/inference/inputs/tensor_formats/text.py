"""Text of JSON and CSV, and how much of it is read."""

import codecs
import encodings.utf_8_sig
import encodings.utf_16  # noqa: F401, both are looked up by name, when a container may no longer read where they lie

from ...input_error import InputError

MAX_TEXT_BYTES = 12 * 1024**2
MAX_TEXT_VALUES = 500_000
"""Each value of a text is a Python object of up to 100 bytes before it is one of an array. Half a million float64, of
up to 24 characters each, take 0.5 s (JSON) or 0.6 s (CSV) of one CPU (AMD EPYC), and 2 ms as .npy, which has neither
limit. numpy.loadtxt takes half as long as the csv module and float(), but reads no mixed columns.
"""
ENCODINGS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def read_text(data: bytes, supported: str) -> str:
    """UTF-8, or UTF-16 that begins with its byte order mark, as Excel writes it.

    Args:
        supported: what formats are, to end a message.

    Raises:
        InputError: UNSUPPORTED_FORMAT or TENSOR_TOO_LARGE.
    """
    encoding = next((name for mark, name in ENCODINGS if data.startswith(mark)), "utf-8")
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        text = decoder.decode(data[:MAX_TEXT_BYTES], final=len(data) <= MAX_TEXT_BYTES)
    except UnicodeDecodeError as error:
        raise _not_text(supported) from error
    if "\0" in text:
        raise _not_text(supported)
    if len(data) > MAX_TEXT_BYTES:
        raise InputError(
            "TENSOR_TOO_LARGE",
            f"The text has {len(data):,} bytes; at most {MAX_TEXT_BYTES:,} are allowed: send a larger tensor as .npy.",
        )
    return text


def check_values(count: int, max_elements: int) -> None:
    """Refuse more values than text may hold.

    Raises:
        InputError: TENSOR_TOO_LARGE.
    """
    allowed = min(max_elements, MAX_TEXT_VALUES)
    if count > allowed:
        hint = "" if allowed == max_elements else ": send a larger tensor as .npy"
        raise InputError(
            "TENSOR_TOO_LARGE", f"The text has some {count:,} values; at most {allowed:,} are allowed{hint}."
        )


def _not_text(supported: str) -> InputError:
    return InputError(
        "UNSUPPORTED_FORMAT", f"The file is neither known by its first bytes nor text in UTF-8; {supported}."
    )
