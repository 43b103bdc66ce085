"""MP3: truncated, damaged, and with false tags.

Frames: http://www.mp3-tech.org/programmer/frame_header.html ; Xing: http://gabriel.mp3-tech.org/mp3infotag.html
"""

import struct
from collections.abc import Iterator

from .bad_file import BadFile, encode, noise
from .not_audio import id3_tag

RESYNC = "a player finds the next frame behind a little damage"
AS_FAR_AS_IT_GOES = "what is there of a download is played"
# MPEG 1, layer III, mono; 128 and 32 kbit/s at 44.1 kHz: silence of 1,152 samples.
FRAME = b"\xff\xfb\x90\xc4" + bytes(413)
SMALL_FRAME = b"\xff\xfb\x10\xc4" + bytes(100)


def xing(*, frames: int, size: int, kind: bytes = b"Xing", toc: bytes = bytes(100)) -> bytes:
    """A first frame that declares the length in frames and bytes; its flags declare both and a table."""
    tag = kind + struct.pack(">III", 7, frames, size) + toc
    return FRAME[:4] + bytes(17) + tag + bytes(len(FRAME) - 21 - len(tag))


def files() -> Iterator[BadFile]:
    yield from _cut()
    yield from _damaged()
    yield from _tags()
    yield from _xing()
    yield from _headers()


def _cut() -> Iterator[BadFile]:
    whole = FRAME * 10
    for end in (1, 2, 3, 4, 5, 20, 416, 417, 418, 420):
        yield BadFile(f"MP3 cut at byte {end}", whole[:end], "UNSUPPORTED_FORMAT")
    for end in range(2 * len(FRAME), len(whole), 100):
        yield BadFile(f"MP3 cut at byte {end}", whole[:end], None, AS_FAR_AS_IT_GOES)
    real = encode(noise(16_000), format="MP3")
    for part in range(2, 8):
        end = len(real) * part // 8
        yield BadFile(f"real MP3 cut at byte {end}", real[:end], None, AS_FAR_AS_IT_GOES)


def _damaged() -> Iterator[BadFile]:
    for size in (1, 4, 100, 1_000):
        data = FRAME * 10 + b"\x55" * size + FRAME * 10
        code = None if size <= 100 else "CORRUPT_AUDIO"
        yield BadFile(f"MP3 with {size} bytes of junk", data, code, "" if code else RESYNC)
    # libsndfile searches these byte by byte, with a read for each: minutes for a large file without the limit on reads.
    for size, junk in ((500, b"\0"), (1_000, b"\0"), (1_000, b"\xff"), (600, b"\x55")):
        data = FRAME * 10 + (SMALL_FRAME + junk * size) * (2_000_000 // size)
        yield BadFile(f"MP3 with {size} bytes of {junk[0]:#x} behind each frame", data, "CORRUPT_AUDIO")
    data = FRAME * 10 + (FRAME + FRAME[:4] * 250) * 2_000
    yield BadFile("MP3 with beginnings of frames behind each frame", data, "CORRUPT_AUDIO")
    yield BadFile("MP3 of nothing but beginnings", FRAME[:4] * 500_000, "UNSUPPORTED_FORMAT")
    yield BadFile("MP3 of nothing but ones", b"\xff" * 1_000_000, "UNSUPPORTED_FORMAT")
    yield BadFile("MP3 with zeros behind its first frame", FRAME + bytes(1_000_000), "UNSUPPORTED_FORMAT")
    yield BadFile("MP3 with zeros before its first frame", bytes(100) + FRAME * 10, None, RESYNC)


def _tags() -> Iterator[BadFile]:
    music = FRAME * 10
    for size in (0, 1, 10, 1_000_000, 8_000_000):
        yield BadFile(f"MP3 behind a tag of {size} bytes", id3_tag(size) + music, None, "tags are passed over")
    for size in (2**14, 2**28 - 1):
        lying = id3_tag(size)[:10]
        code = None if size == 2**14 else "UNSUPPORTED_FORMAT"
        why = "" if code else RESYNC
        yield BadFile(f"MP3 behind a tag that claims {size} bytes", lying + music, code, why)
    yield BadFile("tag with no MP3", id3_tag(1_000), "UNSUPPORTED_FORMAT")
    for end in (3, 6, 9, 10, 500):
        yield BadFile(f"tag cut at byte {end}", id3_tag(1_000)[:end], "UNSUPPORTED_FORMAT")
    for version in (0, 2, 3, 5, 255):
        yield BadFile(
            f"MP3 behind a tag of version {version}", id3_tag(50, version) + music, None, "tags are passed over"
        )
    for count in (2, 4, 5, 100_000):
        yield BadFile(f"MP3 behind {count} tags", id3_tag(20) * count + music, None, "tags are passed over")
    pictures = b"APIC" + struct.pack(">I", 2**31 - 1) + bytes(2)
    tag = id3_tag(len(pictures))[:10] + pictures
    yield BadFile("MP3 with a picture of 2 GB", tag + music, None, "tags are passed over")
    yield BadFile("MP3 with tags in its midst", (music * 10 + id3_tag(0) * 10) * 10, None, RESYNC)
    yield BadFile("MP3 with a tag at its end", music + b"TAG" + bytes(125), None, "tags are passed over")
    for container in ("WAV", "OGG"):
        data = id3_tag(50) + encode(noise(1_000), format=container)
        yield BadFile(f"{container} behind a tag", data, None, "tags are passed over")
    yield BadFile("PNG behind a tag", id3_tag(50) + b"\x89PNG\r\n\x1a\n" + bytes(100), "UNSUPPORTED_FORMAT")


def _xing() -> Iterator[BadFile]:
    music = FRAME * 10
    for kind in (b"Xing", b"Info"):
        for frames in (0, 1, 5, 11, 1_000, 100_000, 2**31 - 1, 2**32 - 1):
            data = xing(frames=frames, size=len(music), kind=kind) + music
            yield BadFile(f"MP3 whose {kind.decode()} tells {frames} frames", data, None, "told lengths are hints")
        for size in (0, 2**31, 2**32 - 1):
            data = xing(frames=10, size=size, kind=kind) + music
            yield BadFile(f"MP3 whose {kind.decode()} tells {size} bytes", data, None, "told lengths are hints")
    data = xing(frames=10, size=len(music), toc=b"\xff" * 100) + music
    yield BadFile("MP3 with a lying table of contents", data, None, "told lengths are hints")
    vbri = FRAME[:36] + b"VBRI" + struct.pack(">HHHIIHHHH", 1, 0, 0, 2**32 - 1, 2**32 - 1, 65_535, 65_535, 4, 65_535)
    yield BadFile("MP3 with a lying VBRI", vbri + bytes(len(FRAME) - len(vbri)) + music, None, "it is not read")


def _headers() -> Iterator[BadFile]:
    yield BadFile("MP3 of 11 minutes", SMALL_FRAME * 25_300, "AUDIO_TOO_LONG")
    told = xing(frames=10, size=4_170) + SMALL_FRAME * 25_300
    yield BadFile("MP3 of 11 minutes that tells 10 frames", told, "AUDIO_TOO_LONG")
    for what, second, third in (
        ("reserved version", 0xEB, 0x90),
        ("reserved layer", 0xF9, 0x90),
        ("forbidden bit rate", 0xFB, 0xF0),
        ("reserved sample rate", 0xFB, 0x9C),
    ):
        data = (bytes([0xFF, second, third, 0xC4]) + FRAME[4:]) * 10
        yield BadFile(f"MP3 with a {what}", data, "UNSUPPORTED_FORMAT")
    mixed = FRAME * 5 + (b"\xff\xfb\x94\xc4" + bytes(380)) * 5 + (b"\xff\xfb\x90\x04" + bytes(413)) * 5
    yield BadFile("MP3 that changes its rate and channels", mixed, None, "the first frame counts")
