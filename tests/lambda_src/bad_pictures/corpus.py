"""Bad pictures, always in the same order: cut off, damaged, with false headers, bombs, and files of other kinds."""

import random
import struct
import zlib
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from PIL import Image

from ..bad_files import not_audio
from ..bad_files.bad_file import BadFile, around
from ..pictures import encode, photograph

CODES = {"EMPTY_FILE", "UNSUPPORTED_FORMAT", "CORRUPT_IMAGE", "IMAGE_TOO_LARGE", "SEVERAL_PICTURES"}
"""All that `ImageInput.decode` raises."""
UNDETECTED = "the damage leaves a valid picture of the declared size; the format has no checksum"
BEHIND = "what is damaged lies behind the picture, or is not needed for it"
PNG = b"\x89PNG\r\n\x1a\n"
NO_CHECKSUM = (
    *("JPEG", "progressive JPEG", "gray JPEG", "CMYK JPEG", "lossy WebP", "lossless WebP", "GIF", "BMP"),
    *("TIFF", "TIFF by LZW"),
)
# What happens to break a code, or not to reach what checks it.
UNUSUAL_FLIPS = {
    *(("progressive JPEG", seed) for seed in range(4)),
    *(("lossless WebP", 3), ("GIF", 1), ("TIFF by Deflate", 0), ("TIFF by Deflate", 3), ("TIFF by JPEG", 1)),
}


@cache
def files() -> tuple[BadFile, ...]:
    parts = (_others(), _cut(), _ended(), _flipped(), _png(), _jpeg(), _webp(), _gif(), _bmp(), _tiff())
    by_data = {file.data: file for part in reversed(parts) for file in reversed(list(part))}
    return tuple(reversed(by_data.values()))


@cache
def good() -> dict[str, bytes]:
    """One of each format, of a few thousand bytes."""
    picture = photograph(60, 45)
    return {
        "JPEG": encode(picture, "JPEG"),
        "progressive JPEG": encode(picture, "JPEG", progressive=True),
        "gray JPEG": encode(picture.convert("L"), "JPEG"),
        "CMYK JPEG": encode(picture.convert("CMYK"), "JPEG"),
        "PNG": encode(picture, "PNG"),
        "palette PNG": encode(picture.quantize(16), "PNG", transparency=0),
        "lossy WebP": encode(picture, "WEBP"),
        "lossless WebP": encode(picture, "WEBP", lossless=True),
        "GIF": encode(picture, "GIF"),
        "BMP": encode(picture, "BMP"),
        "TIFF": encode(picture, "TIFF"),
        "TIFF by LZW": encode(picture, "TIFF", compression="tiff_lzw"),
        "TIFF by Deflate": encode(picture, "TIFF", compression="tiff_adobe_deflate"),
        "TIFF by JPEG": encode(picture, "TIFF", compression="jpeg"),
    }


def _others() -> Iterator[BadFile]:
    yield BadFile("nothing", b"", "EMPTY_FILE")
    for name, data in not_audio._others().items():
        if name not in ("PNG", "GIF", "BMP", "JPEG", "WEBP"):
            yield BadFile(name, data, "UNSUPPORTED_FORMAT")
    for seed in range(5):
        yield BadFile(f"random bytes {seed}", b"\1" + random.Random(seed).randbytes(5_000), "UNSUPPORTED_FORMAT")
    for brand in ("heic", "heix", "mif1", "avif", "avis", "crx ", "isom"):
        yield BadFile(f"a file of brand {brand}", b"\0\0\0\x18ftyp" + brand.encode() + bytes(500), "UNSUPPORTED_FORMAT")
    for kind in ("ICO", "PPM", "TGA", "PCX", "JPEG2000", "PDF", "EPS", "SGI", "DDS", "AVIF"):
        yield BadFile(f"a picture in {kind}", encode(photograph(32, 32), kind), "UNSUPPORTED_FORMAT")
    yield BadFile("an SVG drawing", b'<svg xmlns="http://www.w3.org/2000/svg"/>', "UNSUPPORTED_FORMAT")
    for name, signature in (("JPEG", b"\xff\xd8\xff"), ("PNG", PNG), ("GIF", b"GIF89a"), ("BMP", b"BM")):
        for size in (0, 1, 30, 5_000):
            yield BadFile(f"{size} zeros behind the signature of {name}", signature + bytes(size), "CORRUPT_IMAGE")
            noise = b"\0\0" + random.Random(size).randbytes(size)
            if size > 1 and name != "GIF":  # of which each noise is a valid header
                yield BadFile(f"{size} bytes of noise behind that of {name}", signature + noise, "CORRUPT_IMAGE")
    for order in (b"II*\0", b"MM\0*"):
        for place in (0, 4, 8, 9, 2**31):
            where = struct.pack("<L" if order == b"II*\0" else ">L", place)
            yield BadFile(f"a TIFF {order!r} of a directory at {place}", order + where, "CORRUPT_IMAGE")


def _cut() -> Iterator[BadFile]:
    """Each format cut off: at its start, in its picture, and before its last bytes."""
    for name, data in good().items():
        whole = len(data)
        if name == "GIF":
            whole -= 2  # an empty block and the trailer may lack
        for cut in around((20, 40, whole // 3, whole // 2, whole - 100, whole - 10), whole):
            yield BadFile(f"{name} cut at {cut}", data[:cut], "CORRUPT_IMAGE")
        half = data[: whole // 2]
        yield BadFile(f"{name} with zeros for its second half", half + bytes(len(data) - len(half)), *_zeros(name))


def _zeros(name: str) -> tuple[str | None, str]:
    return (None, UNDETECTED) if name in ("BMP", "TIFF", "lossy WebP", "lossless WebP") else ("CORRUPT_IMAGE", "")


def _ended() -> Iterator[BadFile]:
    """JPEG whose data end early, and its end marker behind them."""
    for name, data in good().items():
        if "JPEG" not in name or "TIFF" in name:
            continue
        start = data.find(b"\xff\xda") + 14
        for length in (0, 5, 30, 60, 120):
            coarse = name == "progressive JPEG" and length == 120
            result = (
                (None, "its first scan is whole, so that the picture is, but coarse")
                if coarse
                else ("CORRUPT_IMAGE", "")
            )
            yield BadFile(f"{name} ended {length} bytes on", data[: start + length] + b"\xff\xd9", *result)


def _flipped() -> Iterator[BadFile]:
    """Ten bits flipped in the picture's data."""
    for name, data in good().items():
        for seed in range(4):
            chance = random.Random(seed)
            damaged = bytearray(data)
            for _ in range(10):
                damaged[chance.randrange(len(data) // 2, len(data) - 20)] ^= 1 << chance.randrange(8)
            yield BadFile(f"{name} with flipped bits, {seed}", bytes(damaged), *_flips(name, seed))


def _flips(name: str, seed: int) -> tuple[str | None, str]:
    return (None, UNDETECTED) if (name in NO_CHECKSUM) != ((name, seed) in UNUSUAL_FLIPS) else ("CORRUPT_IMAGE", "")


def chunk(kind: bytes, body: bytes = b"", size: int | None = None) -> bytes:
    """A chunk of PNG, whose declared size may be false."""
    checksum = zlib.crc32(kind + body)
    return struct.pack(">L", len(body) if size is None else size) + kind + body + struct.pack(">L", checksum)


def header(width: int, height: int, bits: int = 8, colours: int = 2, interlaced: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">LLBBBBB", width, height, bits, colours, 0, 0, interlaced))


def _png() -> Iterator[BadFile]:
    end = chunk(b"IEND")
    data = chunk(b"IDAT", zlib.compress(bytes(25) * 8))  # 8 x 8 in RGB
    whole = PNG + header(8, 8) + data + end
    for width, height in ((0, 8), (8, 0), (0, 0)):
        yield BadFile(f"PNG of {width} x {height}", PNG + header(width, height) + data + end, "CORRUPT_IMAGE")
    for width, height in ((2**31, 1), (2**32 - 1, 2**32 - 1), (8_001, 8_000), (100_000, 2), (1, 2**31)):
        yield BadFile(f"PNG of {width} x {height}", PNG + header(width, height) + data + end, "IMAGE_TOO_LARGE")
    for width, height in ((8_000, 8_000), (9, 8), (8, 9), (65_535, 900)):
        name = f"PNG that declares {width} x {height} of 8 x 8"
        yield BadFile(name, PNG + header(width, height) + data + end, "CORRUPT_IMAGE")
    for bits, colours in ((3, 0), (16, 3), (8, 1), (4, 2), (32, 6), (0, 0)):
        name = f"PNG of {bits} bits and colours {colours}"
        yield BadFile(name, PNG + header(8, 8, bits, colours) + data + end, "CORRUPT_IMAGE")
    yield BadFile("PNG interlaced by 7", PNG + header(8, 8, interlaced=7) + data + end, "CORRUPT_IMAGE")
    yield BadFile("PNG without data", PNG + header(8, 8) + end, "CORRUPT_IMAGE")
    yield BadFile("PNG without a header", PNG + data + end, "CORRUPT_IMAGE")
    yield BadFile("PNG without an end", PNG + header(8, 8) + data, "CORRUPT_IMAGE")
    yield BadFile("PNG with its end first", PNG + end + header(8, 8) + data, "CORRUPT_IMAGE")
    yield BadFile("PNG that is an iPhone's own kind", PNG + chunk(b"CgBI", bytes(4)) + whole[8:], "CORRUPT_IMAGE")
    yield BadFile("PNG without a palette", PNG + header(8, 8, 8, 3) + data + end, "CORRUPT_IMAGE")
    for size in (2**31, 2**32 - 1, 1_000):
        lying = PNG + header(8, 8) + chunk(b"IDAT", data[8:-4], size) + end
        yield BadFile(f"PNG whose data claim {size} bytes", lying, "CORRUPT_IMAGE")
    for place in range(len(PNG) + 4, len(whole) - 12, 7):
        damaged = whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :]
        yield BadFile(f"PNG with a flipped bit at {place}", damaged, "CORRUPT_IMAGE")
    raw = {"nothing": b"", "half": zlib.compress(bytes(25) * 4), "no zlib": bytes(200)}
    raw |= {"an empty stream": zlib.compress(b""), "a wrong filter": zlib.compress((b"\x09" + bytes(24)) * 8)}
    for name, body in raw.items():
        yield BadFile(f"PNG whose data are {name}", PNG + header(8, 8) + chunk(b"IDAT", body) + end, "CORRUPT_IMAGE")
    more = chunk(b"IDAT", zlib.compress(bytes(50_000_000), 9))
    yield BadFile("PNG with a bomb for data", PNG + header(8, 8) + more + end, None, BEHIND)
    profile = chunk(b"iCCP", b"name\0\0" + zlib.compress(bytes(50_000_000), 9))
    texts = chunk(b"zTXt", b"key\0\0" + zlib.compress(bytes(50_000_000), 9)) * 20
    for name, extra in (("a profile", profile), ("texts", texts), ("40,000 empty chunks", chunk(b"tEXt") * 40_000)):
        yield BadFile(f"PNG with {name} for a bomb", PNG + header(8, 8) + extra + data + end, None, BEHIND)
    for name, extra in (("60,000 chunks", chunk(b"tEXt") * 60_000), ("two headers", header(8, 8) * 60_000)):
        yield BadFile(f"PNG with {name}", PNG + header(8, 8) + extra + data + end, "CORRUPT_IMAGE")
    yield BadFile("PNG of 70,000 empty parts", PNG + header(8, 8) + chunk(b"IDAT") * 70_000 + end, "CORRUPT_IMAGE")


def segment(marker: int, body: bytes, size: int | None = None) -> bytes:
    """A segment of JPEG, whose declared size may be false."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2 if size is None else size) + body


def _resized(data: bytes, width: int, height: int) -> bytes:
    """A JPEG whose header declares another size."""
    at = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
    return data[: at + 5] + struct.pack(">HH", height, width) + data[at + 9 :]


def _jpeg() -> Iterator[BadFile]:
    for kind in ("JPEG", "progressive JPEG"):
        data = good()[kind]
        for width, height in ((0, 45), (60, 0)):
            yield BadFile(f"{kind} of {width} x {height}", _resized(data, width, height), "CORRUPT_IMAGE")
        for width, height in ((65_535, 65_535), (8_001, 8_000)):
            yield BadFile(f"{kind} of {width} x {height}", _resized(data, width, height), "IMAGE_TOO_LARGE")
        for width, height in ((65_500, 900), (60, 100), (200, 45), (3_000, 2_000)):
            name = f"{kind} that declares {width} x {height} of 60 x 45"
            yield BadFile(name, _resized(data, width, height), "CORRUPT_IMAGE")
    data = good()["JPEG"]
    start, frame, tables = data.find(b"\xff\xda"), data.find(b"\xff\xc0"), data.find(b"\xff\xdb")
    for bits in (2, 12, 16):
        changed = data[: frame + 4] + bytes([bits]) + data[frame + 5 :]
        yield BadFile(f"JPEG of {bits} bits", changed, "UNSUPPORTED_FORMAT")
    for count in (0, 2, 5, 255):
        changed = data[: frame + 9] + bytes([count]) + data[frame + 10 :]
        yield BadFile(f"JPEG of {count} components", changed, "CORRUPT_IMAGE")
    for marker in (0xC3, 0xC5, 0xC7, 0xC9, 0xCB, 0xCD, 0xCF):
        changed = data[: frame + 1] + bytes([marker]) + data[frame + 2 :]
        result = (None, UNDETECTED) if marker == 0xC9 else ("CORRUPT_IMAGE", "")  # that one is arithmetic coding
        yield BadFile(f"JPEG of process {marker:#x}", changed, *result)
    yield BadFile("JPEG without quantization tables", data[:tables] + data[frame:], "CORRUPT_IMAGE")
    yield BadFile("JPEG without a frame", data[:frame] + data[start:], "CORRUPT_IMAGE")
    yield BadFile("JPEG of two frames", data[:start] + data[frame:], "CORRUPT_IMAGE")
    yield BadFile("JPEG without scans", data[:start] + b"\xff\xd9", "CORRUPT_IMAGE")
    yield BadFile("JPEG that ends at once", b"\xff\xd8\xff\xd9" + data[2:], "CORRUPT_IMAGE")
    for size in (0, 1, 2, 65_535):
        lying = data[:2] + segment(0xE1, b"Exif\0\0", size) + data[2:]
        harmless = size < 9
        yield BadFile(
            f"JPEG with an EXIF that claims {size} bytes",
            lying,
            *((None, BEHIND) if harmless else ("CORRUPT_IMAGE", "")),
        )
    exif = segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0" + b"\xff" * 40)
    for name, extra in (
        ("an EXIF of nonsense", exif),
        ("2,000 EXIF segments", segment(0xE1, b"Exif\0\0" + bytes(60)) * 2_000),
        ("20 MB of profiles", segment(0xE2, b"ICC_PROFILE\0\1\1" + bytes(65_000)) * 300),
        ("a megabyte of fill bytes before its tables", b"\xff" * 1_000_000),
        ("an index of pictures of nonsense", segment(0xE2, b"MPF\0II*\0\x08\0\0\0" + b"\xff" * 40)),
    ):
        yield BadFile(f"JPEG with {name}", data[:2] + extra + data[2:], None, BEHIND)
    for name, extra in (("6,000 comments", segment(0xFE, b"") * 6_000), ("6,000 tables", data[tables:frame] * 6_000)):
        yield BadFile(f"JPEG with {name}", data[:2] + extra + data[2:], "CORRUPT_IMAGE")
    yield BadFile("JPEG of 4,000 scans", _scans(4_000), None, "it is small, and they repeat one another")
    yield BadFile("JPEG of 64 million gray pixels in 40 scans", _resized(_scans(40), 8_000, 8_000), "CORRUPT_IMAGE")


def _scans(count: int) -> bytes:
    """A progressive JPEG whose last scan is repeated."""
    data = good()["progressive JPEG"]
    last = data.rfind(b"\xff\xda")
    return data[:last] + data[last:-2] * count + data[-2:]


def _webp() -> Iterator[BadFile]:
    for name in ("lossy WebP", "lossless WebP"):
        data = good()[name]
        for size in (0, 4, len(data), 2**32 - 1):
            lying = data[:4] + struct.pack("<L", size) + data[8:]
            yield BadFile(f"{name} that claims {size} bytes", lying, "CORRUPT_IMAGE")
        for size in (0, 10, 2**31, 2**32 - 1):
            lying = data[:16] + struct.pack("<L", size) + data[20:]
            yield BadFile(f"{name} whose picture claims {size} bytes", lying, "CORRUPT_IMAGE")
        for kind in (b"VP8Q", b"ALPH", b"ANIM"):
            yield BadFile(f"{name} of {kind!r}", data[:12] + kind + data[16:], "CORRUPT_IMAGE")
    lossy = good()["lossy WebP"]
    yield BadFile("WebP of 16,383 x 16,383", lossy[:26] + b"\xff\x3f\xff\x3f" + lossy[30:], "IMAGE_TOO_LARGE")
    yield BadFile("WebP of 0 x 0", lossy[:26] + bytes(4) + lossy[30:], "CORRUPT_IMAGE")
    for size in (1, 7_999, 2**24):
        canvas = struct.pack("<L", 0) + (size - 1).to_bytes(3, "little") * 2
        body = b"VP8X" + struct.pack("<L", 10) + canvas + lossy[12:]
        data = b"RIFF" + struct.pack("<L", len(body) + 4) + b"WEBP" + body
        code = "IMAGE_TOO_LARGE" if size == 2**24 else "CORRUPT_IMAGE"
        yield BadFile(f"WebP of 60 x 45 on a canvas of {size} x {size}", data, code)


def _gif() -> Iterator[BadFile]:
    data = good()["GIF"]
    frame = data.index(b",\0\0\0\0")
    for width, height in ((65_535, 65_535), (8_001, 8_000)):
        larger = struct.pack("<HH", width, height)
        yield BadFile(f"GIF of {width} x {height}", data[:6] + larger + data[10:], "IMAGE_TOO_LARGE")
        yield BadFile(
            f"GIF of a frame of {width} x {height}", data[: frame + 5] + larger + data[frame + 9 :], "IMAGE_TOO_LARGE"
        )
    for width, height in ((61, 45), (60, 46), (8_000, 8_000)):
        larger = data[: frame + 5] + struct.pack("<HH", width, height) + data[frame + 9 :]
        yield BadFile(f"GIF whose frame declares {width} x {height} of 60 x 45", larger, "CORRUPT_IMAGE")
    yield BadFile("GIF of a frame of 0 x 0", data[: frame + 5] + bytes(4) + data[frame + 9 :], "CORRUPT_IMAGE")
    yield BadFile("GIF without a frame", data[:frame] + b";", "CORRUPT_IMAGE")
    tiny = b"!\xfe" + b"\1a" * 400_000 + b"\0"
    yield BadFile("GIF with a comment of 400,000 blocks", data[:frame] + tiny + data[frame:], "CORRUPT_IMAGE")
    yield BadFile("GIF with 400,000 comments", data[:frame] + b"!\xfe\0" * 400_000 + data[frame:], "CORRUPT_IMAGE")
    codes = frame + 10 + (3 << (data[frame + 9] & 7) + 1 if data[frame + 9] & 128 else 0)
    for bits in (1, 12, 13, 255):
        yield BadFile(f"GIF of codes of {bits} bits", data[:codes] + bytes([bits]) + data[codes + 1 :], "CORRUPT_IMAGE")
    yield BadFile("GIF of empty blocks", data[: codes + 1] + bytes(1_000), "CORRUPT_IMAGE")


def bmp(
    width: int, height: int, pixels: bytes, *, bits: int = 24, compression: int = 0, size: int = 40, at: int = 54
) -> bytes:
    header = struct.pack("<2sLLLLllHHLLllLL", b"BM", 0, 0, at, size, width, height, 1, bits, compression, 0, 0, 0, 0, 0)
    return header + pixels


def _bmp() -> Iterator[BadFile]:
    for width, height in ((0, 8), (8, 0)):
        yield BadFile(f"BMP of {width} x {height}", bmp(width, height, bytes(192)), "CORRUPT_IMAGE")
    for width, height in ((2**31 - 1, 2**31 - 1), (-8, 8), (8_001, 8_000), (70_000, 1)):
        yield BadFile(f"BMP of {width} x {height}", bmp(width, height, bytes(192)), "IMAGE_TOO_LARGE")
    for width, height in ((8, 9), (8, -9), (8_000, 8_000)):
        yield BadFile(f"BMP that declares {width} x {height} of 8 x 8", bmp(width, height, bytes(192)), "CORRUPT_IMAGE")
    for bits in (0, 2, 3, 7, 48, 65_535):
        yield BadFile(f"BMP of {bits} bits", bmp(8, 8, bytes(400), bits=bits), "CORRUPT_IMAGE")
    for compression in (1, 2):
        runs = b"\xff\1" * 2_000_000
        data = bmp(8_000, 8_000, bytes(1_024) + runs, bits=8, compression=compression, at=1_078)
        yield BadFile(f"BMP of runs, {compression}", data, "UNSUPPORTED_FORMAT")
    for compression in (4, 5, 6, 11, 2**32 - 1):
        data = bmp(8, 8, bytes(192), compression=compression)
        yield BadFile(f"BMP of compression {compression}", data, "CORRUPT_IMAGE")
    for size in (0, 11, 41, 2**32 - 1):
        yield BadFile(f"BMP of a header of {size} bytes", bmp(8, 8, bytes(192), size=size), "CORRUPT_IMAGE")
    for at in (10_000, 2**32 - 1):
        yield BadFile(f"BMP whose pixels begin at {at}", bmp(8, 8, bytes(192), at=at), "CORRUPT_IMAGE")


def tiff(entries: Mapping[int, Any], pixels: bytes = bytes(64), following: int = 0, order: str = "<") -> bytes:
    """A TIFF of one directory, 8 x 8 gray levels where `entries` say nothing else."""
    values: dict[int, Any] = {256: 8, 257: 8, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 8, 279: 64}
    values.update(entries)
    directory, behind = b"", b""
    start = 8 + len(pixels)
    after = start + 2 + 12 * len(values) + 4
    for tag, value in sorted(values.items()):
        if isinstance(value, int):
            directory += struct.pack(f"{order}HHLL", tag, 4, 1, value)
        else:
            directory += struct.pack(f"{order}HHLL", tag, 4, len(value), after + len(behind))
            behind += struct.pack(f"{order}{len(value)}L", *value)
    mark = b"II*\0" if order == "<" else b"MM\0*"
    count, next_one = struct.pack(f"{order}H", len(values)), struct.pack(f"{order}L", following)
    return mark + struct.pack(f"{order}L", start) + pixels + count + directory + next_one + behind


def _tiff() -> Iterator[BadFile]:
    for name, entries in (
        ("0 x 8", {256: 0}),
        ("8 x 0", {257: 0}),
        ("8 x 80 of 8 x 8", {257: 80, 278: 80}),
        ("rows that lack", {257: 80}),
        ("no rows in a strip", {278: 0}),
        ("a strip behind the end", {273: 100_000}),
        ("3 bits", {258: 3}),
        ("64 bits", {258: 64}),
        ("4 billion samples", {277: 2**32 - 1}),
        ("7 samples", {277: 7, 258: (8,) * 7}),
        ("an unknown photometry", {262: 77}),
        ("planes that lack", {262: 2, 277: 3, 258: (8, 8, 8), 284: 2}),
        ("a palette that lacks", {262: 3}),
        ("tiles of 4 billion", {322: 2**32 - 16, 323: 2**32 - 16, 324: 8, 325: 64}),
        ("tiles of 65,520", {322: 65_520, 323: 65_520, 324: 8, 325: 64}),
        ("tiles of 0", {322: 0, 323: 0, 324: 8, 325: 64}),
        ("tiles of 65,520 by LZW", {322: 65_520, 323: 65_520, 324: 8, 325: 64, 259: 5}),
        ("a strip of 0 bytes by LZW", {279: 0, 259: 5}),
        ("4 GB in a strip by LZW", {279: 2**32 - 1, 259: 5}),
        ("zeros for Deflate", {259: 8}),
        ("zeros for JPEG", {259: 7}),
        ("8,000 x 8,000 by Deflate", {259: 8, 256: 8_000, 257: 8_000, 278: 8_000}),
        ("90,000 strips", {257: 60_000, 278: 1, 273: (8,) * 90_000, 279: (8,) * 90_000}),
    ):
        yield BadFile(f"TIFF of {name}", tiff(entries), "CORRUPT_IMAGE")
    for width, length in ((2**32 - 1, 2**32 - 1), (8_001, 8_000), (1, 70_000)):
        data = tiff({256: width, 257: length, 278: length})
        yield BadFile(f"TIFF of {width} x {length}", data, "IMAGE_TOO_LARGE")
    for compression in (2, 3, 4, 6, 34661, 34712, 34887, 34925, 50000, 50001, 2**32 - 1):
        yield BadFile(f"TIFF of compression {compression}", tiff({259: compression}), "UNSUPPORTED_FORMAT")
    for name, entries in (
        ("a preview", {254: 1}),
        ("a raw picture", {50706: 1}),
        ("plain YCbCr", {262: 6, 277: 3, 258: (8, 8, 8)}),
    ):
        yield BadFile(f"TIFF of {name}", tiff(entries), "UNSUPPORTED_FORMAT")
    yield BadFile("TIFF whose directory follows itself", tiff({}, following=72), "CORRUPT_IMAGE")
    yield BadFile("TIFF whose next directory lies behind the end", tiff({}, following=10**9), "CORRUPT_IMAGE")
    pages = [photograph(20, 10, seed) for seed in range(4)]
    for count in (2, 4):
        data = encode(pages[0], "TIFF", save_all=True, append_images=pages[1:count])
        yield BadFile(f"TIFF of {count} pages", data, "SEVERAL_PICTURES")
    empty = b"".join(struct.pack("<HL", 0, 8 + 6 * (number + 1)) for number in range(5_000))
    yield BadFile("TIFF of 5,000 empty directories", b"II*\0\x08\0\0\0" + empty, "CORRUPT_IMAGE")
    long = Image.new("L", (8, 8), 9)
    yield BadFile("TIFF with 70,000 notes", encode(long, "TIFF", tiffinfo={700: bytes(70_000)}), None, BEHIND)
