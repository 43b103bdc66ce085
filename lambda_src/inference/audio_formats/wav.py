"""What the chunks of a WAV file tell: http://soundfile.sapp.org/doc/WaveFormat/."""

import struct
from dataclasses import dataclass

from inference.input_error import InputError

MPEG, MP3 = 0x50, 0x55
MAX_CHUNKS = 1_000


@dataclass(frozen=True)
class Wav:
    """What a WAV file declares.

    Attributes:
        codec: its number, 1 for PCM.
        bytes_per_second: of the samples.
        declared: bytes of the samples. A program that is ended, or that writes to a pipe, leaves 0, or what it wrote
            before there was more; or far too many, which readers pass over.
        behind: bytes behind the last chunk, without zeros at the end of the file.
    """

    codec: int
    bytes_per_second: int
    declared: int
    behind: int

    @property
    def is_unfinished(self) -> bool:
        """Whether samples stand behind those that are declared. A little of anything may, such as a tag."""
        return not self.declared or self.behind > self.bytes_per_second

    @property
    def is_plain(self) -> bool:
        """Whether libsndfile reads all of it. It guesses how long an MP3 is."""
        return not self.is_unfinished and self.codec not in (MPEG, MP3)


def parse(data: bytes) -> Wav:
    """Read the headers of a WAV file's chunks.

    Raises:
        InputError: readers would play only a part: UNSUPPORTED_FORMAT where several WAV files stand end to end,
            CORRUPT_AUDIO where there are two formats or two chunks of samples.
    """
    order = ">" if data.startswith(b"RIFX") else "<"
    sizes: dict[bytes, int] = {}
    codec, bytes_per_second, position = 0, 0, 12
    for _ in range(MAX_CHUNKS):
        kind = data[position : position + 4]
        if kind in (b"RIFF", b"RIFX", b"RF64"):
            raise InputError("UNSUPPORTED_FORMAT", "The file holds several WAV files end to end; it may hold one.")
        if position + 8 > len(data):
            break
        size = struct.unpack_from(order + "I", data, position + 4)[0]
        if b"data" in sizes and not (kind.isascii() and position + 8 + size <= len(data)):
            break  # no chunk
        if kind in (b"fmt ", b"data") and kind in sizes:
            raise InputError(
                "CORRUPT_AUDIO", f"The WAV file has two chunks {kind.decode().strip()!r}; it may have one."
            )
        sizes[kind] = size
        if kind == b"fmt " and position + 20 <= len(data):
            codec, _, _, bytes_per_second = struct.unpack_from(order + "HHII", data, position + 8)
        position += 8 + size + size % 2
    return Wav(codec, bytes_per_second, sizes.get(b"data", 0), max(len(data.rstrip(b"\0")) - position, 0))
