"""How large an input may be, so that no single file exhausts a function or the container."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from .input_error import InputError


def limit(default: float, variable: str) -> Any:
    """A limit; a whole number where its default is one.

    Args:
        variable: the environment variable that sets it.
    """
    return field(default=default, metadata={"variable": variable})


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of any file. A kind of input adds its own in a subclass, each a `limit`.

    Attributes:
        max_bytes: size of the file. 200 MiB are enough for 10 minutes of 24-bit 48 kHz stereo WAV (165 MiB).
    """

    max_bytes: int = limit(200 * 1024**2, "MAX_FILE_BYTES")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Read each limit's variable; those not set keep their defaults.

        Raises:
            ValueError: a value is not a number above 0, or not a whole one where it must be; the variable is named.
        """
        values: dict[str, Any] = {}
        for each in fields(cls):
            variable = each.metadata["variable"]
            if variable in environ:
                read = _whole if isinstance(each.default, int) else _positive
                values[each.name] = read(variable, environ[variable])
        return cls(**values)

    @classmethod
    def variables(cls) -> tuple[str, ...]:
        """The environment variables that it reads."""
        return tuple(each.metadata["variable"] for each in fields(cls))

    def check_size(self, size_bytes: int) -> None:
        """Refuse a file by its size alone, before any of it is downloaded.

        Raises:
            InputError: EMPTY_FILE or FILE_TOO_LARGE.
        """
        if size_bytes == 0:
            raise InputError("EMPTY_FILE", "The file is empty: 0 bytes.")
        if size_bytes > self.max_bytes:
            raise InputError(
                "FILE_TOO_LARGE", f"The file has {size_bytes:,} bytes; at most {self.max_bytes:,} bytes are allowed."
            )


def _positive(variable: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise ValueError(f"{variable} is {text!r}; a number above 0 is allowed.")
    return value


def _whole(variable: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text)):
        raise ValueError(f"{variable} is {text!r}; a whole number above 0 is allowed.")
    return int(text)
