"""How large an input may be, so that no single file exhausts a function or the container."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from inference.input_error import InputError


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The maximum size of an input.

    Attributes:
        max_bytes: size of the file. 200 MiB are enough for 10 minutes of 24-bit 48 kHz stereo WAV (165 MiB).
        max_seconds: duration of the audio.
        max_channels: channels of the audio.
    """

    max_bytes: int = 200 * 1024**2
    max_seconds: float = 600.0
    max_channels: int = 8

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Read MAX_FILE_BYTES, MAX_AUDIO_SECONDS and MAX_CHANNELS; those not set keep their defaults.

        Raises:
            ValueError: a value is not a number above 0, or MAX_CHANNELS is not a whole one; the variable is named.
        """
        return cls(
            max_bytes=int(_positive(environ, "MAX_FILE_BYTES", cls.max_bytes)),
            max_seconds=_positive(environ, "MAX_AUDIO_SECONDS", cls.max_seconds),
            max_channels=_whole(environ, "MAX_CHANNELS", cls.max_channels),
        )

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


def _positive(environ: Mapping[str, str], name: str, default: float) -> float:
    text = environ.get(name, str(default))
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise ValueError(f"{name} is {text!r}; a number above 0 is allowed.")
    return value


def _whole(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name, str(default))
    if not (text.isascii() and text.isdigit() and int(text)):
        raise ValueError(f"{name} is {text!r}; a whole number above 0 is allowed.")
    return int(text)
