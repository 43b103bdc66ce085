"""What a file is by its first bytes: audio that can be read, or something else that an error message can name."""

# Offset, signature, name. A RIFF file tells what it holds 8 bytes on, an MP4 file its signature 4 bytes on.
AUDIO = (
    (0, b"RIFF", "WAV"),
    (0, b"RIFX", "WAV"),
    (0, b"RF64", "WAV"),
    (0, b"BW64", "WAV"),
    (0, b"fLaC", "FLAC"),
    (0, b"OggS", "OGG"),
    (4, b"ftyp", "MP4"),
    (0, b"\x1aE\xdf\xa3", "Matroska or WebM"),
    (0, b"#!AMR", "AMR"),
)
OTHERS = (
    (8, b"AVI ", "an AVI video"),
    (8, b"WEBP", "a WebP picture"),
    (0, b"FORM", "AIFF audio"),
    (0, b".snd", "AU audio"),
    (0, b"caff", "CAF audio"),
    (0, b"riff.\x91\xcf\x11", "W64 audio"),
    (0, b"wvpk", "WavPack audio"),
    (0, b"MAC ", "Monkey's Audio"),
    (0, b"DSD ", "DSF audio"),
    (0, b"MThd", "MIDI, which holds notes and no sound"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "Windows Media (WMA, ASF)"),
    (0, b"FLV\x01", "a Flash video"),
    (0, b"\x00\x00\x01\xba", "an MPEG video"),
    (0, b"\x89PNG", "a PNG picture"),
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (0, b"GIF8", "a GIF picture"),
    (0, b"%PDF", "a PDF document"),
    (0, b"\x1f\x8b", "compressed with gzip"),
    (0, b"PK\x03\x04", "a zip archive"),
    (0, b"7z\xbc\xaf", "a 7z archive"),
    (0, b"Rar!", "a RAR archive"),
    (0, b"BZh", "compressed with bzip2"),
    (0, b"\xfd7zXZ", "compressed with xz"),
    (0, b"\x28\xb5\x2f\xfd", "compressed with zstd"),
    (0, b"\x7fELF", "a program"),
    (0, b"SQLite format 3", "an SQLite database"),
    (0, b"UklGR", "a WAV file in base64"),
)
TEXTS = (
    (0, b"--", "text, perhaps the whole body of a form's upload (multipart/form-data)"),
    (0, b"<", "text in HTML or XML"),
    (0, b"{", "text, perhaps JSON"),
)
MAX_ID3_TAGS = 4  # before an MP3 or FLAC; one is usual, two occur


def audio_kind(data: bytes) -> str:
    """`WAV`, `FLAC`, `OGG`, `MP4`, `Matroska or WebM`, `AMR` or `MP3`; empty for what has no such signature."""
    start = end_of_id3(data)
    found = "" if _find(data, 0, OTHERS[:2]) else _find(data, start, AUDIO)
    if found:
        return found
    # 11 bits are set; the next 2 are the layer, which is 00 in AAC's frames.
    mpeg = data[start : start + 2]
    return "MP3" if mpeg[:1] == b"\xff" and mpeg[1:] >= b"\xe0" and mpeg[1] & 6 else ""


def other_kind(data: bytes) -> str:
    """What a file is by a signature that no audio has, in words that complete "The file is"; else empty."""
    return _find(data, 0, OTHERS)


def text_kind(data: bytes) -> str:
    """What kind of text a file is, in words that complete "The file is"; empty where it is none."""
    start = data[:200]
    return _find(data, 0, TEXTS) or ("text" if start.isascii() and b"\0" not in start else "")


def end_of_id3(data: bytes) -> int:
    """Where the ID3 tags at the start of a file end, as they declare it: https://id3.org/id3v2.4.0-structure#line-39."""
    end = 0
    for _ in range(MAX_ID3_TAGS):
        if not data.startswith(b"ID3", end):
            break
        size = 0
        for byte in data[end + 6 : end + 10]:
            size = size << 7 | byte & 0x7F
        end += 10 + size
    return end


def _find(data: bytes, start: int, signatures: tuple[tuple[int, bytes, str], ...]) -> str:
    return next((name for offset, magic, name in signatures if data.startswith(magic, start + offset)), "")
