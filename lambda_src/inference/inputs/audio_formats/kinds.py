"""What a file is by its first bytes: audio that can be read, or something else that an error message can name."""

RIFF = (b"RIFF", b"RIFX", b"RF64", b"BW64")  # which tell what they hold 8 bytes on
# Offset, signature, name.
AUDIO = (
    (0, b"fLaC", "FLAC"),
    (0, b"OggS", "OGG"),
    (4, b"ftyp", "MP4"),
    (0, b"\x1aE\xdf\xa3", "Matroska or WebM"),
    (0, b"#!AMR", "AMR"),
)
OTHERS = (
    (8, b"AVI ", "an AVI video"),
    (8, b"WEBP", "a WebP picture"),
    (8, b"RMID", "MIDI, which holds notes and no sound"),
    (0, b"FORM", "AIFF audio"),
    (0, b".snd", "AU audio"),
    (0, b"caff", "CAF audio"),
    (0, b"riff.\x91\xcf\x11", "W64 audio"),
    (0, b"wvpk", "WavPack audio"),
    (0, b"TTA1", "TTA audio"),
    (0, b"MPCK", "Musepack audio"),
    (0, b"MP+", "Musepack audio"),
    (0, b"FRM8", "DSDIFF audio"),
    (0, b"\x0b\x77", "AC-3 audio"),
    (0, b"\x7f\xfe\x80\x01", "DTS audio"),
    (0, b"Creative Voice File", "VOC audio"),
    (0, b"#!SILK", "SILK audio, as some messengers record it"),
    (1, b"#!SILK", "SILK audio, as some messengers record it"),
    (0, b"#EXTM3U", "a playlist without sound"),
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
MAX_TAGS = 4  # before an MP3 or FLAC; one is usual, two occur
ID3V1_BYTES, APE_FOOTER_BYTES = 128, 32


def audio_kind(data: bytes) -> str:
    """`WAV`, `FLAC`, `OGG`, `MP4`, `Matroska or WebM`, `AMR`, `MP3` or `AAC`; empty for what has no such signature."""
    if data.startswith(RIFF):
        return "WAV" if data.startswith(b"WAVE", 8) else ""
    found = _find(data, 0, AUDIO)
    if not found and data[:1] == b"\xff" and data[1:2] >= b"\xe0":  # 11 bits are set; the layer is 2 of the others
        found = "MP3" if data[1] & 6 else "AAC" if data[1] >= 0xF0 else ""
    return found


def other_kind(data: bytes) -> str:
    """What a file is by a signature that no audio has, in words that complete "The file is"; else empty."""
    is_transport_stream = data[:1] == data[188:189] == data[376:377] == b"G"  # in packets of 188 bytes
    return _find(data, 0, OTHERS) or ("an MPEG transport stream" if is_transport_stream else "")


def text_kind(data: bytes) -> str:
    """What kind of text a file is, in words that complete "The file is"; empty where it is none."""
    start = data[:200]
    return _find(data, 0, TEXTS) or ("text" if start.isascii() and b"\0" not in start else "")


def without_tags(data: bytes) -> bytes:
    """The file without what tagging programs put before and behind the audio: ID3 and APE.

    https://id3.org/id3v2.4.0-structure#line-39 ; https://wiki.hydrogenaud.io/index.php?title=APE_Tags_Header
    """
    end = len(data)
    if data.startswith(b"TAG", max(end - ID3V1_BYTES, 0)):
        end -= ID3V1_BYTES
    footer = data[max(end - APE_FOOTER_BYTES, 0) : end]
    if footer.startswith(b"APETAGEX"):
        size = int.from_bytes(footer[12:16], "little")  # with the footer, without the header
        header = end - size - APE_FOOTER_BYTES
        end = header if data.startswith(b"APETAGEX", max(header, 0)) else end - size
    start = _start_of_audio(data)
    return data if (start, end) == (0, len(data)) else data[start : max(end, 0)]


def _start_of_audio(data: bytes) -> int:
    """Where the tags at the start of a file end, as they declare it."""
    start = 0
    for _ in range(MAX_TAGS):
        if data.startswith(b"ID3", start):
            size = 0
            for byte in data[start + 6 : start + 10]:
                size = size << 7 | byte & 0x7F
            start += 10 + size
        elif data.startswith(b"APETAGEX", start):
            start += APE_FOOTER_BYTES + int.from_bytes(data[start + 12 : start + 16], "little")
        else:
            break
    return start


def _find(data: bytes, start: int, signatures: tuple[tuple[int, bytes, str], ...]) -> str:
    return next((name for offset, magic, name in signatures if data.startswith(magic, start + offset)), "")
