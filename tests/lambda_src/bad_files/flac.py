"""FLAC: truncated, with false headers, and small files of long duration.

Format: https://www.rfc-editor.org/rfc/rfc9639.html
"""

import struct
from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

from .bad_file import BadFile, around, noise
from .not_audio import id3_tag

MAX_PER_FRAME = 65_535
WHOLE_FRAMES = "its length is not declared, so its frames are all there is"
OPTIONAL = "the fault is in a part that decoding does not need"


def crc(data: bytes, bits: int, polynomial: int) -> int:
    table, shift, mask = _crc_table(bits, polynomial), bits - 8, (1 << bits) - 1
    register = 0
    for byte in data:
        register = (register << 8 ^ table[register >> shift ^ byte]) & mask
    return register


@cache
def _crc_table(bits: int, polynomial: int) -> list[int]:
    table = []
    for register in range(256):
        register <<= bits - 8
        for _ in range(8):
            register = (register << 1 ^ polynomial * (register >> bits - 1)) & (1 << bits) - 1
        table.append(register)
    return table


def block(kind: int, body: bytes, size: int | None = None, *, last: bool = False) -> bytes:
    """A metadata block, whose declared size may be false."""
    return bytes([kind | last << 7]) + (len(body) if size is None else size).to_bytes(3, "big") + body


def stream_info(
    *, total: int, channels: int = 1, rate: int = 16_000, bits: int = 16, most: int = MAX_PER_FRAME, least: int = 16
) -> bytes:
    """The body of STREAMINFO; a total of 0 means unknown."""
    packed = rate << 44 | channels - 1 << 41 | bits - 1 << 36 | total
    return struct.pack(">HH", least, most) + bytes(6) + packed.to_bytes(8, "big") + bytes(16)


def frame(
    number: int, samples: int, subframes: bytes, *, channels: int = 1, size_code: int = 4, rate_code: int = 0
) -> bytes:
    """A frame of 16-bit samples at STREAMINFO's rate, unless the codes differ."""
    coded = chr(number).encode("utf-8", "surrogatepass")
    header = (
        bytes([0xFF, 0xF8, 0x70 | rate_code, channels - 1 << 4 | size_code << 1])
        + coded
        + struct.pack(">H", samples - 1)
    )
    body = header + bytes([crc(header, 8, 0x07)]) + subframes
    return body + struct.pack(">H", crc(body, 16, 0x8005))


def silent(number: int, samples: int = MAX_PER_FRAME, channels: int = 1) -> bytes:
    """A frame of a few bytes for the maximum number of samples."""
    return frame(number, samples, bytes(3) * channels, channels=channels)


def spoken(number: int, samples: NDArray[np.float32]) -> bytes:
    """A frame of uncompressed samples."""
    return frame(number, len(samples), b"\x02" + (samples * 32_767).astype(">i2").tobytes())


def flac(frames: bytes, *blocks: bytes, **info: int) -> bytes:
    return b"fLaC" + block(0, stream_info(**info), last=not blocks) + b"".join(blocks) + frames


def silence(total_frames: int, declared: int, *, channels: int, rate: int) -> bytes:
    """A stream of silence, in whole frames."""
    frames = b"".join(silent(n, channels=channels) for n in range(-(-total_frames // MAX_PER_FRAME)))
    return flac(frames, total=declared, channels=channels, rate=rate)


def files() -> Iterator[BadFile]:
    yield from _cut()
    yield from _lying()
    yield from _bombs()
    yield from _blocks()
    yield from _frames()


def _noise(count: int = 10) -> list[bytes]:
    return [spoken(number, noise(400, seed=number)[:, 0]) for number in range(count)]


def _boundaries(parts: list[bytes]) -> list[int]:
    return [sum(map(len, parts[:count])) for count in range(1, len(parts))]


def _cut() -> Iterator[BadFile]:
    frames = _noise()
    blocks = [block(1, bytes(10)), block(4, struct.pack("<II", 0, 0), last=True)]
    for total, declared, start in ((4_000, "known", 0), (0, "unknown", 26)):  # the length ends before byte 26
        parts = [b"fLaC", bytes([0]), b"\0\0\x22", stream_info(total=total), *blocks, *frames]
        whole, boundaries = b"".join(parts), _boundaries(parts)
        first_frame = boundaries[5]
        for cut in around(boundaries, len(whole)):
            code: str | None = "CORRUPT_AUDIO" if cut >= 4 else "UNSUPPORTED_FORMAT"
            if not total and cut >= boundaries[4] - 2:
                code = None if cut >= first_frame and cut + 1 not in boundaries else "CORRUPT_AUDIO"
                code = "EMPTY_AUDIO" if first_frame <= cut <= first_frame + 1 else code
            if cut >= start:
                name = f"FLAC of {declared} length cut at byte {cut}"
                yield BadFile(name, whole[:cut], code, "" if code else WHOLE_FRAMES)


def _lying() -> Iterator[BadFile]:
    frames = b"".join(_noise())
    for total in (4_001, 8_000, 600 * 16_000):
        yield BadFile(f"FLAC that declares {total} of 4,000 samples", flac(frames, total=total), "CORRUPT_AUDIO")
    for total in (600 * 16_000 + 1, 2**31, 2**36 - 1):
        yield BadFile(f"FLAC that declares {total} of 4,000 samples", flac(frames, total=total), "AUDIO_TOO_LONG")
    for total in (1, 399, 400, 3_999):
        data = flac(frames, total=total)
        yield BadFile(f"FLAC that declares {total} of 4,000 samples", data, None, "all that is there is read")
    for rate in (1, 999, 768_001, 2**20 - 1):
        yield BadFile(f"FLAC at {rate} Hz", flac(frames, total=4_000, rate=rate), "UNSUPPORTED_SAMPLE_RATE")
    yield BadFile("FLAC at 0 Hz", flac(frames, total=4_000, rate=0), "CORRUPT_AUDIO")
    for bits in (1, 4, 7, 12, 20, 32):
        yield BadFile(f"FLAC whose header tells {bits} bits", flac(frames, total=4_000, bits=bits), "CORRUPT_AUDIO")
    for bits in (8, 24):
        data = flac(frames, total=4_000, bits=bits)
        yield BadFile(f"FLAC whose header tells {bits} bits", data, None, "each frame tells its own depth")
    for channels in (2, 8):
        data = flac(frames, total=4_000, channels=channels)
        yield BadFile(f"FLAC whose header tells {channels} channels", data, None, OPTIONAL)
    for most in (0, 1, 15, 16, 399):
        data = flac(frames, total=4_000, most=most, least=most)
        yield BadFile(f"FLAC whose frames are larger than {most}", data, None, OPTIONAL)
    yield BadFile("FLAC with no frames and no length", flac(b"", total=0), "EMPTY_AUDIO")
    yield BadFile("FLAC with no frames", flac(b"", total=4_000), "CORRUPT_AUDIO")


def _bombs() -> Iterator[BadFile]:
    for channels, rate in (
        (1, 16_000),
        (1, 48_000),
        (2, 48_000),
        (8, 48_000),
        (1, 192_000),
        (1, 655_350),
        (8, 655_350),
    ):
        name = f"FLAC of silence in {channels} channels at {rate} Hz"
        two_hours = min(7_200 * rate, 150_000_000)
        small = silence(rate, 599 * rate, channels=channels, rate=rate)
        too_many = 599 * rate * channels > 600 * 48_000 * 8
        yield BadFile(f"{name} that declares 599 s of 1", small, "TOO_MANY_SAMPLES" if too_many else "CORRUPT_AUDIO")
        for declared in (7_200 * rate, 2**36 - 1):
            data = silence(two_hours, declared, channels=channels, rate=rate)
            yield BadFile(f"{name} that declares {declared} samples", data, "AUDIO_TOO_LONG")
        data = silence(two_hours, 0, channels=channels, rate=rate)
        code = "TOO_MANY_SAMPLES" if max(channels, 2) * rate > 4 * 48_000 else "AUDIO_TOO_LONG"
        yield BadFile(f"{name} of unknown length", data, code)


def _blocks() -> Iterator[BadFile]:
    frames = b"".join(_noise())
    for kind in (1, 2, 3, 4, 5, 6, 7, 126):
        lying = block(kind, bytes(8), 2**24 - 1, last=True)
        yield BadFile(f"FLAC whose block {kind} claims 16 MB", flac(frames, lying, total=4_000), "CORRUPT_AUDIO")
    yield BadFile(
        "FLAC with an impossible block", flac(frames, block(127, b"", last=True), total=4_000), None, OPTIONAL
    )
    comments = block(4, struct.pack("<II", 0, 0xFFFFFFFF), last=True)
    yield BadFile("FLAC with 4 billion comments", flac(frames, comments, total=4_000), None, OPTIONAL)
    vendor = block(4, struct.pack("<II", 0xFFFFFFFF, 0), last=True)
    yield BadFile("FLAC of a vendor with 4 GB of name", flac(frames, vendor, total=4_000), None, OPTIONAL)
    picture = block(6, struct.pack(">IIIIIIII", 3, 0, 0, 0, 0, 0, 0, 0xFFFFFFFF), last=True)
    yield BadFile("FLAC with a picture of 4 GB", flac(frames, picture, total=4_000), None, OPTIONAL)
    cues = block(5, bytes(395) + b"\xff", last=True)
    yield BadFile("FLAC with 255 missing cues", flac(frames, cues, total=4_000), "CORRUPT_AUDIO")
    seeks = block(3, b"\xfe" * 18 * 1_000, last=True)
    yield BadFile("FLAC with lying seek points", flac(frames, seeks, total=4_000), None, OPTIONAL)
    padding = [block(1, b"")] * 100_000 + [block(1, b"", last=True)]
    yield BadFile("FLAC of a hundred thousand blocks", flac(frames, *padding, total=4_000), None, OPTIONAL)
    yield BadFile("FLAC with blocks that do not end", flac(frames, block(1, b""), total=4_000), "CORRUPT_AUDIO")
    yield BadFile("FLAC without STREAMINFO", b"fLaC" + block(1, bytes(34), last=True) + frames, "CORRUPT_AUDIO")
    short = b"fLaC" + block(0, stream_info(total=4_000)[:33], last=True) + frames
    yield BadFile("FLAC with a short STREAMINFO", short, "CORRUPT_AUDIO")
    twice = flac(frames, block(0, stream_info(total=9_000, channels=2), last=True), total=4_000)
    yield BadFile("FLAC with two STREAMINFO", twice, "CORRUPT_AUDIO")
    whole = flac(frames, total=4_000)
    yield BadFile("FLAC behind an ID3 tag that claims 256 MB", id3_tag(2**28 - 1)[:10] + whole, "UNSUPPORTED_FORMAT")
    yield BadFile("FLAC behind a hundred ID3 tags", id3_tag(0) * 100 + whole, None, OPTIONAL)
    yield BadFile("FLAC with a tag behind it", whole + b"TAG" + bytes(125), None, OPTIONAL)
    yield BadFile("two FLAC files end to end", whole * 2, None, "all of both is read")


def _frames() -> Iterator[BadFile]:
    frames = _noise()

    def with_fifth(damaged: bytes) -> bytes:
        return flac(b"".join([*frames[:4], damaged, *frames[5:]]), total=4_000)

    good = frames[4]
    yield BadFile("FLAC without its fifth frame", with_fifth(b""), "CORRUPT_AUDIO")
    yield BadFile("FLAC with zeros for a frame", with_fifth(bytes(len(good))), "CORRUPT_AUDIO")
    yield BadFile(
        "FLAC with a wrong checksum of a header",
        with_fifth(good[:7] + bytes([good[7] ^ 1]) + good[8:]),
        "CORRUPT_AUDIO",
    )
    yield BadFile(
        "FLAC with a wrong checksum of a frame", with_fifth(good[:-1] + bytes([good[-1] ^ 1])), "CORRUPT_AUDIO"
    )
    for kind in (0x04, 0x12, 0x3A, 0x7E, 0x80, 0x81):
        damaged = frame(4, 400, bytes([kind]) + bytes(801))
        yield BadFile(f"FLAC with a subframe of type {kind:#x}", with_fifth(damaged), "CORRUPT_AUDIO")
    for code in (3, 7):
        damaged = frame(4, 400, good[8:-2], size_code=code)
        yield BadFile(f"FLAC with a frame of depth {code}", with_fifth(damaged), "CORRUPT_AUDIO")
    yield BadFile("FLAC with a frame at no rate", with_fifth(frame(4, 400, good[8:-2], rate_code=15)), "CORRUPT_AUDIO")
    for channels in (2, 8, 9, 12, 16):
        damaged = frame(4, 400, bytes(3) * channels, channels=channels)
        result = (None, "channels may change") if channels <= 9 else ("CORRUPT_AUDIO", "")  # 9 is a way to code two
        yield BadFile(f"FLAC with a frame of {channels} channels", with_fifth(damaged), *result)
    yield BadFile("FLAC of nothing but sync codes", flac(b"\xff\xf8" * 500_000, total=4_000), "CORRUPT_AUDIO")
    yield BadFile(
        "FLAC of frames that never end", flac(b"".join(f[:-3] for f in frames * 20), total=0), "CORRUPT_AUDIO"
    )
