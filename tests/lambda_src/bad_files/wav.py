"""WAV and its variants: truncated, with false headers, unusual.

Chunks: http://soundfile.sapp.org/doc/WaveFormat/ ; RF64: https://tech.ebu.ch/docs/tech/tech3306.pdf
"""

import struct
from collections.abc import Iterator
from typing import TypedDict, Unpack

import numpy as np

from .bad_file import BadFile, encode, noise

PCM, ADPCM, FLOAT, EXTENSIBLE = 1, 2, 3, 0xFFFE
AS_FAR_AS_IT_GOES = "a recorder that was cut off leaves such a file; what is there is read"
LENGTH_UNKNOWN = "programs that write to a pipe leave the sizes wrong, so the data's true end counts"
SKIPPED = "chunks that a reader does not know are skipped"


class Numbers(TypedDict, total=False):
    """The numbers of a format, as `fmt` takes them."""

    codec: int
    channels: int
    rate: int
    bits: int
    align: int


def fmt(
    *,
    codec: int = PCM,
    channels: int = 1,
    rate: int = 16_000,
    bits: int = 16,
    align: int | None = None,
    more: bytes = b"",
) -> bytes:
    align = channels * bits // 8 % 65_536 if align is None else align
    return struct.pack("<HHIIHH", codec, channels, rate, rate * align % 2**32, align, bits) + more


def chunk(kind: bytes, body: bytes, size: int | None = None) -> bytes:
    """A chunk, whose declared size may be false."""
    return kind + struct.pack("<I", len(body) if size is None else size) + body


def riff(*chunks: bytes, kind: bytes = b"RIFF", size: int | None = None) -> bytes:
    return chunk(kind, b"WAVE" + b"".join(chunks), size)


def wav(data: bytes = bytes(3_200), *between: bytes, size: int | None = None, **how: Unpack[Numbers]) -> bytes:
    """A WAV file with a true header except for the arguments; a tenth of a second of silence by default."""
    return riff(chunk(b"fmt ", fmt(**how)), *between, chunk(b"data", data, size))


def files() -> Iterator[BadFile]:
    yield from _cut()
    yield from _lying_sizes()
    yield from _channels_and_rates()
    yield from _no_audio()
    yield from _not_finite()
    yield from _formats()
    yield from _chunks()
    yield from _rf64()


def _cut() -> Iterator[BadFile]:
    whole = wav(noise(100).astype("<i2").tobytes())
    for end in range(1, 60):
        code: str | None = "UNSUPPORTED_FORMAT"  # RIFF, in which there may be other things
        if end >= 12:
            code = None if end >= 46 else "EMPTY_AUDIO" if end == 44 else "CORRUPT_AUDIO"
        yield BadFile(f"WAV cut at byte {end}", whole[:end], code, "" if code else AS_FAR_AS_IT_GOES)
    yield BadFile("WAV with half a sample at its end", whole[:-1], None, AS_FAR_AS_IT_GOES)


def _lying_sizes() -> Iterator[BadFile]:
    data = bytes(3_200)
    for size in (0xFFFFFFFF, 0xFFFFFFFE, 0x80000000, 0x7FFFFFFF, 3_201, 10**9):
        yield BadFile(f"WAV whose data claim {size} bytes", wav(data, size=size), None, LENGTH_UNKNOWN)
    for size in (0, 1, 4, 36, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF):
        lying = riff(chunk(b"fmt ", fmt()), chunk(b"data", data), size=size)
        yield BadFile(f"WAV that claims {size} bytes", lying, None, LENGTH_UNKNOWN)
    for size in (0, 1, 2, 8, 14, 15, 17, 19, 100, 0x7FFFFFFF, 0xFFFFFFFF):
        lying = riff(chunk(b"fmt ", fmt(), size), chunk(b"data", data))
        code = None if size == 15 else "CORRUPT_AUDIO"
        why = "" if code else "an odd size is rounded up"
        yield BadFile(f"WAV whose format claims {size} bytes", lying, code, why)
    for align in (0, 1, 3, 7, 255, 65_535):
        yield BadFile(
            f"WAV with {align} bytes in each frame", wav(data, align=align), None, "the alignment is not needed"
        )


def _channels_and_rates() -> Iterator[BadFile]:
    for channels in (9, 16, 32, 64, 255, 256, 1_024):
        data = bytes(2 * channels * 100)
        yield BadFile(f"WAV of {channels} channels", wav(data, channels=channels), "TOO_MANY_CHANNELS")
    for channels in (0, 1_025, 65_535):
        yield BadFile(f"WAV of {channels} channels", wav(channels=channels), "CORRUPT_AUDIO")
    for rate in (1, 2, 10, 999, 768_001, 1_000_000, 10_000_000, 2**31 - 1):
        yield BadFile(f"WAV at {rate} Hz", wav(rate=rate), "UNSUPPORTED_SAMPLE_RATE")
    for rate in (0, 2**31, 2**32 - 1):
        yield BadFile(f"WAV at {rate} Hz", wav(rate=rate), "CORRUPT_AUDIO")
    for rate in (1_000, 1_009, 44_101, 767_999, 768_000):
        yield BadFile(f"WAV at {rate} Hz", wav(rate=rate), None, "odd, but within what is allowed")
    for rate, channels in ((1_000, 1), (8_000, 1), (1_000, 8)):
        data = bytes(601 * rate * channels)
        yield BadFile(
            f"WAV of 601 s at {rate} Hz in {channels}",
            wav(data, rate=rate, channels=channels, bits=8),
            "AUDIO_TOO_LONG",
        )


def _no_audio() -> Iterator[BadFile]:
    for channels in (1, 2, 8):
        yield BadFile(f"WAV of no frames in {channels} channels", wav(b"", channels=channels), "EMPTY_AUDIO")
        yield BadFile(f"WAV of less than a frame of {channels}", wav(b"\0", channels=channels), "CORRUPT_AUDIO")
    yield BadFile("WAV without data", riff(chunk(b"fmt ", fmt())), "CORRUPT_AUDIO")
    yield BadFile("WAV without a format", riff(chunk(b"data", bytes(3_200))), "CORRUPT_AUDIO")
    data_first = riff(chunk(b"data", bytes(3_200)), chunk(b"fmt ", fmt()))
    yield BadFile("WAV with its data first", data_first, None, "the order of the two does not matter")
    yield BadFile("WAV without chunks", riff(), "CORRUPT_AUDIO")


def _not_finite() -> Iterator[BadFile]:
    for bits, kind in ((32, np.float32), (64, np.float64)):
        for value in (np.nan, np.inf, -np.inf):
            for at in (0, 999, slice(None)):
                samples = np.zeros(1_000, kind)
                samples[at] = value
                where = "everywhere" if isinstance(at, slice) else f"at {at}"
                data = wav(samples.tobytes(), codec=FLOAT, bits=bits)
                yield BadFile(f"WAV with {value} in {bits} bits {where}", data, "NON_FINITE_SAMPLES")
    for rate in (8_000, 44_100):
        samples = np.zeros((1_000, 2), np.float32)
        samples[500, 1] = np.nan
        data = wav(samples.tobytes(), codec=FLOAT, bits=32, channels=2, rate=rate)
        yield BadFile(f"WAV with one NaN in one channel at {rate} Hz", data, "NON_FINITE_SAMPLES")
    data = wav(np.full(1_000, 1e300).tobytes(), codec=FLOAT, bits=64)
    yield BadFile("WAV with samples beyond 32 bits", data, "NON_FINITE_SAMPLES")
    data = wav(np.full((1_000, 8), 3e38, np.float32).tobytes(), codec=FLOAT, bits=32, channels=8)
    yield BadFile("WAV whose channels' sum is beyond 32 bits", data, "NON_FINITE_SAMPLES")


def _formats() -> Iterator[BadFile]:
    for bits in (0, 33, 64, 255, 65_535):
        yield BadFile(f"WAV of {bits} bits", wav(bits=bits), "UNSUPPORTED_FORMAT")
    for bits in (1, 7, 12):
        yield BadFile(f"WAV of {bits} bits", wav(bits=bits), None, "samples of odd sizes stand in whole bytes")
    for codec in (0, 4, 5, 0x10, 0x22, 0x92, 0x161, 0x162, 0x2000, 0x674F, 0xFFFF):
        yield BadFile(f"WAV of codec {codec:#x}", wav(codec=codec), "UNSUPPORTED_FORMAT")
    yield BadFile("WAV of MP3 with nothing but zeros", wav(codec=0x55), "CORRUPT_AUDIO")
    for subtype in ("MS_ADPCM", "IMA_ADPCM", "G721_32", "GSM610", "ALAW", "ULAW", "NMS_ADPCM_32"):
        whole = encode(noise(4_000), 8_000, format="WAV", subtype=subtype)
        yield BadFile(f"WAV of {subtype} cut in half", whole[: len(whole) // 2], None, AS_FAR_AS_IT_GOES)
    # MS ADPCM: samples in a block, and the number of coefficients that follow. FFmpeg decodes it by the block's size.
    for samples, coefficients in ((0, 7), (65_535, 7), (500, 0), (500, 65_535)):
        more = struct.pack("<HHH", 32, samples, coefficients) + bytes(28)
        data = riff(chunk(b"fmt ", fmt(codec=ADPCM, bits=4, align=256, more=more)), chunk(b"data", bytes(2_560)))
        name = f"WAV of MS ADPCM with {samples} samples in a block and {coefficients} coefficients"
        yield BadFile(name, data, None, "the coefficients are always the same seven, and blocks tell their size")
    # IMA ADPCM: the size of a block.
    for align in (0, 1, 4, 5, 65_535):
        more = struct.pack("<HH", 2, 505)
        data = riff(chunk(b"fmt ", fmt(codec=0x11, bits=4, align=align, more=more)), chunk(b"data", bytes(2_560)))
        code = "CORRUPT_AUDIO" if align == 1 else None
        why = "" if code else "any four bytes begin a block"
        yield BadFile(f"WAV of IMA ADPCM in blocks of {align}", data, code, why)
    for guid in (bytes(16), b"\xff" * 16):
        more = struct.pack("<HHI", 22, 16, 1) + guid
        data = riff(chunk(b"fmt ", fmt(codec=EXTENSIBLE, more=more)), chunk(b"data", bytes(3_200)))
        yield BadFile(f"extensible WAV of codec {guid[0]:x}", data, "UNSUPPORTED_FORMAT")
    for size in (16, 18, 24, 38):
        header = fmt(codec=EXTENSIBLE, more=struct.pack("<HHI", 22, 16, 1) + bytes(16))[:size]
        data = riff(chunk(b"fmt ", header), chunk(b"data", bytes(3_200)))
        yield BadFile(f"extensible WAV with {size} bytes of format", data, "UNSUPPORTED_FORMAT")
    yield BadFile("big-endian WAV with little-endian sizes", wav().replace(b"RIFF", b"RIFX"), "CORRUPT_AUDIO")


def _chunks() -> Iterator[BadFile]:
    for kind in (
        b"LIST",
        b"JUNK",
        b"bext",
        b"cart",
        b"smpl",
        b"cue ",
        b"PEAK",
        b"fact",
        b"inst",
        b"PAD ",
        b"id3 ",
        b"\0\0\0\0",
    ):
        name = kind.decode().strip("\0 ") or "no name"
        yield BadFile(f"WAV with an empty chunk {name}", wav(bytes(3_200), chunk(kind, b"")), None, SKIPPED)
        for size in (5_000, 0x7FFFFFFF, 0xFFFFFFFF):
            data = wav(bytes(3_200), chunk(kind, bytes(8), size))
            yield BadFile(f"WAV whose chunk {name} claims {size} bytes", data, "CORRUPT_AUDIO")
    lying_list = chunk(b"LIST", b"INFOINAM" + struct.pack("<I", 0xFFFFFFF0) + b"name")
    yield BadFile("WAV with a name of 4 GB", wav(bytes(3_200), lying_list), None, SKIPPED)
    loops = chunk(b"smpl", struct.pack("<9I", *[0] * 7, 0xFFFFFFFF, 0))
    yield BadFile("WAV with 4 billion loops", wav(bytes(3_200), loops), None, SKIPPED)
    cues = chunk(b"cue ", struct.pack("<I", 0xFFFFFFFF))
    yield BadFile("WAV with 4 billion cues", wav(bytes(3_200), cues), None, SKIPPED)
    yield BadFile("WAV of a hundred thousand chunks", wav(bytes(3_200), chunk(b"JUNK", b"") * 100_000), None, SKIPPED)
    yield BadFile("WAV with a chunk of odd size", wav(bytes(3_200), chunk(b"JUNK", b"\0")), "CORRUPT_AUDIO")
    yield BadFile("WAV with two formats", wav(bytes(3_200), chunk(b"fmt ", fmt(channels=2))), "CORRUPT_AUDIO")
    data = riff(chunk(b"fmt ", fmt()), *[chunk(b"data", bytes(3_200))] * 2)
    yield BadFile("WAV with two data", data, "CORRUPT_AUDIO")
    yield BadFile("WAV with text behind it", wav() + b"Dear Sir or Madam,", None, SKIPPED)
    for kind in (b"RIFF", b"RF64"):
        data = wav() + wav().replace(b"RIFF", kind)
        yield BadFile(f"two WAV files end to end, the second {kind.decode()}", data, "UNSUPPORTED_FORMAT")
    yield BadFile("the word RIFF twice", b"RIFFRIFF", "UNSUPPORTED_FORMAT")


def _rf64() -> Iterator[BadFile]:
    def rf64(ds64: bytes, data: bytes = bytes(3_200)) -> bytes:
        return riff(ds64, chunk(b"fmt ", fmt()), chunk(b"data", data, 0xFFFFFFFF), kind=b"RF64", size=0xFFFFFFFF)

    for claimed, code in (
        (0, None),
        (1, "CORRUPT_AUDIO"),
        (10**12, None),
        (2**63 - 1, None),
        (2**64 - 1, "CORRUPT_AUDIO"),
    ):
        ds64 = chunk(b"ds64", struct.pack("<QQQI", 3_272, claimed, claimed // 2, 0))
        yield BadFile(f"RF64 whose data claim {claimed} bytes", rf64(ds64), code, "" if code else LENGTH_UNKNOWN)
    for entries in (1, 1_000, 0xFFFFFFFF):
        ds64 = chunk(b"ds64", struct.pack("<QQQI", 3_272, 3_200, 1_600, entries))
        yield BadFile(f"RF64 with a missing table of {entries} entries", rf64(ds64), None, "it is not needed")
    yield BadFile("RF64 without its sizes", rf64(b""), "CORRUPT_AUDIO")
    whole = rf64(chunk(b"ds64", struct.pack("<QQQI", 3_272, 3_200, 1_600, 0)))
    for end in (4, 8, 11):
        yield BadFile(f"RF64 cut at byte {end}", whole[:end], "UNSUPPORTED_FORMAT")
    for end in (12, 16, 20, 28, 36, 44, 48, 56, 72, 76):
        yield BadFile(f"RF64 cut at byte {end}", whole[:end], "CORRUPT_AUDIO")
    yield BadFile("RF64 cut before its first sample", whole[:80], "EMPTY_AUDIO")
    yield BadFile("RF64 cut behind its first sample", whole[:82], None, AS_FAR_AS_IT_GOES)
