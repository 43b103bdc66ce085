"""Files that are not tensors, whatever their names."""

import gzip
import pickle
import random
from collections.abc import Iterator

from ..bad_files.bad_file import BadFile


def files() -> Iterator[BadFile]:
    yield BadFile("nothing", b"", "EMPTY_FILE")
    for name, data in _others().items():
        yield BadFile(name, data, "UNSUPPORTED_FORMAT")
    for protocol in range(2, 6):
        yield BadFile(f"a pickle {protocol}", pickle.dumps([1.0] * 4, protocol), "UNSUPPORTED_FORMAT")
    for seed in range(10):
        yield BadFile(f"random bytes {seed}", b"\xfe" + random.Random(seed).randbytes(5_000), "UNSUPPORTED_FORMAT")


def _others() -> dict[str, bytes]:
    rows = "1,2,3,4\n" * 100
    return {
        "one zero byte": b"\0",
        "zeros": bytes(10_000),
        "numbers without a format": b"\0\0\x80\x3f" * 4,
        "CSV in UTF-16 without its mark": rows.encode("utf-16-le"),
        "CSV in UTF-16 that ends in a character": b"\xff\xfe" + rows.encode("utf-16-le") + b"1",
        "CSV in UTF-16 with half a character": b"\xff\xfe\x00\xd8,\x00",
        "CSV in UTF-32": rows.encode("utf-32"),
        "CSV in Latin-1": "größe\n1\n".encode("latin-1"),
        "CSV with a zero byte": b"1,2,3,4\n1,2\x00,3,4\n",
        "JSON with a zero byte": b"[1, 2, 3, 4]\0",
        "CSV in gzip": gzip.compress(rows.encode(), mtime=0),
        "HTML": b"<!DOCTYPE html><title>404 Not Found</title>",
        "XML behind spaces": b"  \n<?xml version='1.0'?><Error/>",
        "PNG": b"\x89PNG\r\n\x1a\n" + bytes(50),
        "JPEG": b"\xff\xd8\xff\xe0" + bytes(50),
        "GIF": b"GIF89a" + bytes(50),
        "WAV": b"RIFF\x24\0\0\0WAVEfmt " + bytes(50),
        "PDF": b"%PDF-1.7\n%%EOF",
        "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(100),
        "Parquet": b"PAR1" + bytes(100) + b"PAR1",
        "Arrow": b"ARROW1\0\0" + bytes(100),
        "MATLAB": b"MATLAB 5.0 MAT-file" + bytes(200),
        "Excel": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        "SQLite": b"SQLite format 3\0" + bytes(84),
        "ELF": b"\x7fELF\x02\x01\x01" + bytes(57),
        "7z": b"7z\xbc\xaf\x27\x1c" + bytes(50),
        "bzip2": b"BZh91AY&SY" + bytes(50),
        "xz": b"\xfd7zXZ\0" + bytes(50),
        "zstd": b"\x28\xb5\x2f\xfd" + bytes(50),
        "an empty zip": b"PK\x05\x06" + bytes(18),
    }
