"""Two pictures of 16 x 16 pixels, to predict on before the first request."""

import base64
import struct
import zlib

SIDE = 16
JPEG = base64.b85decode(
    "|JeWF01!$>Nk#wx0RR9200961|JwjV01XKW3knDg3knMk4h;_zAQcl55)&sJ9v2`kDKRiEDJ?8BI!Zn>HbyrrEkIX6ModmpQ&KWM"
    "T47pHU`kO^PygEhLjevB4iga*CKVMXPc<zyPft%zPft%zPft%zPft%zPft%zPft%zPft%zPft%zPft%zPft%zPft%zPft%zPf!2A"
    "01*fP5C9MZ0U`hb5di}c0sq7R6#xMN000000000000000000FB|HJ?o5C8%L000000000000000000C9A~FBO02KiN0RR9100000"
    "00000000000{_GS8W8{j0s{a50000000000000050|X&4VgK3y3<CiG0ucid06zejRy!&#taemgSnR06vDs3mz0j$SvVZ^C"
)
"""The same gradient, as Pillow writes it."""


def png() -> bytes:
    """A gradient in colours."""
    rows = b"".join(b"\0" + bytes(level for x in range(SIDE) for level in (x * 16, y * 16, 128)) for y in range(SIDE))
    header = struct.pack(">LLBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">L", len(body)) + kind + body + struct.pack(">L", zlib.crc32(kind + body))
