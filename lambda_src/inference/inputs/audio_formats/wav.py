"""What the chunks of a WAV file tell: http://soundfile.sapp.org/doc/WaveFormat/."""

import struct
from dataclasses import dataclass

from ...input_error import InputError

MPEG, MP3 = 0x50, 0x55
MAX_CHUNKS = 1_000
SIZE_ELSEWHERE = 0xFFFFFFFF  # in a file of 64 bits, whose sizes stand in its chunk ds64
MAX_TAG_BYTES = 256


@dataclass(frozen=True)
class Wav:
    """What a WAV file declares.

    Attributes:
        codec: its number, 1 for PCM.
        declared: bytes of the samples. A program that is ended, or that writes to a pipe, leaves 0, or what it wrote
            before there was more; or far too many, which readers pass over.
        behind: bytes behind the last chunk, without zeros at the end of the file.
    """

    codec: int
    declared: int
    behind: int

    @property
    def is_unfinished(self) -> bool:
        """Whether samples stand behind those that are declared. A little of anything may, such as a tag."""
        return not self.declared or self.behind > max(self.declared // 10, MAX_TAG_BYTES)

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
    codec, long_size, position = 0, 0, 12
    for _ in range(MAX_CHUNKS):
        kind = data[position : position + 4]
        if kind in (b"RIFF", b"RIFX", b"RF64", b"BW64"):
            raise InputError("UNSUPPORTED_FORMAT", "The file holds several WAV files end to end; it may hold one.")
        if position + 8 > len(data):
            break
        size = struct.unpack_from(order + "I", data, position + 4)[0]
        if kind == b"data" and size == SIZE_ELSEWHERE and b"ds64" in sizes:
            size = long_size
        if b"data" in sizes and not (_is_name(kind) and position + 8 + size <= len(data)):
            break  # no chunk
        if kind in (b"fmt ", b"data") and kind in sizes:
            raise InputError(
                "CORRUPT_AUDIO", f"The WAV file has two chunks {kind.decode().strip()!r}; it may have one."
            )
        sizes[kind] = size
        if kind == b"fmt " and position + 10 <= len(data):
            codec = struct.unpack_from(order + "H", data, position + 8)[0]
        elif kind == b"ds64" and position + 24 <= len(data):  # the size of the file, then that of the samples
            long_size = struct.unpack_from(order + "Q", data, position + 16)[0]
        position += 8 + size + size % 2
    return Wav(codec, sizes.get(b"data", 0), max(len(data.rstrip(b"\0")) - position, 0))


def _is_name(kind: bytes) -> bool:
    return all(0x20 <= byte < 0x7F for byte in kind)
