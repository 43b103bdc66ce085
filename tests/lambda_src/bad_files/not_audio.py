"""Files that are not audio, whatever their names."""

import gzip
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO

from .bad_file import BadFile, encode, noise


def files() -> Iterator[BadFile]:
    yield BadFile("nothing", b"", "EMPTY_FILE")
    for name, data in _others().items():
        yield BadFile(name, data, "UNSUPPORTED_FORMAT")
    for seed in range(10):
        # Any first byte but those of a supported format.
        yield BadFile(f"random bytes {seed}", b"\x01" + random.Random(seed).randbytes(5_000), "UNSUPPORTED_FORMAT")
    for container in ("AIFF", "AU", "CAF", "W64", "NIST", "VOC", "IRCAM", "MAT4", "MAT5", "PVF", "AVR", "SDS", "XI"):
        how = {"format": container, "subtype": "DPCM_16" if container == "XI" else "PCM_16"}
        data = encode(noise(1_000), 44_100, **how)
        yield BadFile(f"audio in {container}", data, "UNSUPPORTED_FORMAT")
        yield BadFile(f"audio in {container} behind an ID3 tag", id3_tag(20) + data, "UNSUPPORTED_FORMAT")


def id3_tag(size: int, version: int = 4) -> bytes:
    """A tag of `size` empty bytes. https://id3.org/id3v2.4.0-structure#line-39: 7 bits of the size in each byte."""
    return b"ID3" + bytes([version, 0, 0, *(size >> shift & 0x7F for shift in (21, 14, 7, 0))]) + bytes(size)


def _others() -> dict[str, bytes]:
    """Small but complete files of other kinds, by name."""
    text = "Dear Sir or Madam,\n" * 100
    return {
        "one zero byte": b"\0",
        "zeros": bytes(10_000),
        "spaces": b" " * 10_000,
        "text": text.encode(),
        "text in UTF-16": text.encode("utf-16"),
        "JSON": b'{"audio": "UklGRg=="}',
        "HTML": b"<!DOCTYPE html><title>404 Not Found</title>",
        "S3's answer to a missing key": b'<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>',
        "CSV": b"time,value\n0,0.5\n" * 50,
        "PDF": b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF",
        "PNG": _png(),
        "JPEG": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00" + b"\xff\xd9",
        "GIF": b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;",
        "BMP": b"BM" + struct.pack("<IIIIiiHH6I", 58, 0, 54, 40, 1, 1, 1, 24, 0, 4, 0, 0, 0, 0) + bytes(4),
        "WEBP": b"RIFF" + struct.pack("<I", 18) + b"WEBPVP8L" + struct.pack("<I", 5) + b"/\0\0\0\0\0",
        "AVI": b"RIFF" + struct.pack("<I", 40) + b"AVI LIST" + struct.pack("<I", 28) + bytes(28),
        "MIDI": b"MThd" + struct.pack(">IHHH", 6, 0, 1, 96) + b"MTrk" + struct.pack(">I", 4) + b"\0\xff/\0",
        "gzip": gzip.compress(text.encode(), mtime=0),
        "gzip of a WAV": gzip.compress(encode(noise(1_000), format="WAV"), mtime=0),
        "zip": _zip(text),
        "ELF": b"\x7fELF\x02\x01\x01" + bytes(57),
        "Windows program": b"MZ" + bytes(1_000),
        "SQLite": b"SQLite format 3\0" + bytes(84),
        "RIFF in small letters": encode(noise(100), format="WAV").replace(b"RIFF", b"riff"),
        "a WAV behind a byte order mark": b"\xef\xbb\xbf" + encode(noise(100), format="WAV"),
        "a WAV in base64's letters": b"UklGRiQAAABXQVZFZm10IBAAAAABAAEA",
    }


def _png() -> bytes:
    """One black pixel."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


def _zip(text: str) -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo("letter.wav"), text)
    return file.getvalue()
