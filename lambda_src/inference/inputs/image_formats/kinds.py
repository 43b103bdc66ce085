"""What a file is by its first bytes: a picture that can be read, or something else that an error message can name."""

SUPPORTED = "JPEG, PNG, WebP, GIF, BMP and TIFF are supported"
# Offset, signature, name.
PICTURES = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (8, b"WEBP", "WebP"),
    (0, b"GIF87a", "GIF"),
    (0, b"GIF89a", "GIF"),
    (0, b"BM", "BMP"),
    (0, b"II\x2a\0", "TIFF"),
    (0, b"MM\0\x2a", "TIFF"),
)
OTHERS = (
    (8, b"CR\2", "a Canon raw picture"),
    (4, b"ftypcrx", "a Canon raw picture"),
    (0, b"IIRO", "an Olympus raw picture"),
    (0, b"IIU\0", "a Panasonic raw picture"),
    (0, b"FUJIFILMCCD-RAW", "a Fujifilm raw picture"),
    (4, b"ftypheic", "a HEIC picture, as iPhones take them (Settings, Camera, Formats: Most Compatible takes JPEG)"),
    (4, b"ftypheix", "a HEIC picture"),
    (4, b"ftyphevc", "a HEIC sequence"),
    (4, b"ftypmif1", "a HEIF or AVIF picture"),
    (4, b"ftypmsf1", "a HEIF or AVIF sequence"),
    (4, b"ftypavif", "an AVIF picture"),
    (4, b"ftypavis", "an AVIF sequence"),
    (4, b"ftyp", "an MP4 or QuickTime video"),
    (0, b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (0, b"\0\0\0\x0cJXL ", "a JPEG XL picture"),
    (0, b"\xff\x0a", "a JPEG XL picture"),
    (0, b"II\x2b\0", "a BigTIFF picture"),
    (0, b"MM\0\x2b", "a BigTIFF picture"),
    (0, b"II\xbc\1", "a JPEG XR picture"),
    (0, b"8BPS", "a Photoshop document"),
    (0, b"%PDF", "a PDF document"),
    (0, b"%!PS", "a PostScript document"),
    (0, b"\0\0\1\0", "an icon (ICO)"),
    (0, b"DICM", "a DICOM file"),
    (128, b"DICM", "a DICOM file"),
    (0, b"SIMPLE  =", "a FITS file"),
    (0, b"\x89HDF", "an HDF5 file"),
    (0, b"DDS ", "a DDS texture"),
    (0, b"qoif", "a QOI picture"),
    (0, b"v/1\1", "an OpenEXR picture"),
    (0, b"#?RADIANCE", "a Radiance picture"),
    (0, b"gimp xcf", "a GIMP document"),
    (8, b"AVI ", "an AVI video"),
    (8, b"WAVE", "WAV audio"),
    (0, b"\x1aE\xdf\xa3", "a Matroska or WebM video"),
    (0, b"OggS", "Ogg audio or video"),
    (0, b"fLaC", "FLAC audio"),
    (0, b"ID3", "MP3 audio"),
    (0, b"\x1f\x8b", "compressed with gzip"),
    (0, b"PK\3\4", "a zip archive, or a document of an office program"),
    (0, b"7z\xbc\xaf", "a 7z archive"),
    (0, b"Rar!", "a RAR archive"),
    (0, b"\xfd7zXZ", "compressed with xz"),
    (0, b"\x28\xb5\x2f\xfd", "compressed with zstd"),
    (0, b"\x7fELF", "a program"),
    (0, b"\x93NUMPY", "a NumPy array"),
    (0, b"/9j/", "a JPEG picture in base64"),
    (0, b"iVBORw0KGgo", "a PNG picture in base64"),
    (0, b"data:", "a data URL"),
    (0, b"--", "text, perhaps the whole body of a form's upload (multipart/form-data)"),
)


def picture_kind(data: bytes) -> str:
    """`JPEG`, `PNG`, `WebP`, `GIF`, `BMP` or `TIFF`; empty for what has no such signature."""
    kind = _find(data, PICTURES)
    if (kind == "WebP" and not data.startswith(b"RIFF")) or (kind == "TIFF" and data.startswith(b"CR\2", 8)):
        return ""
    return kind


def other_kind(data: bytes) -> str:
    """What a file is otherwise, in words that complete "The file is"."""
    return _find(data, OTHERS) or _text(data[:1000]) or "not recognised as a picture"


def _text(start: bytes) -> str:
    if b"<svg" in start:
        return "an SVG drawing"
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return "text in HTML or XML"
    return "text" if start.isascii() and b"\0" not in start else ""


def _find(data: bytes, signatures: tuple[tuple[int, bytes, str], ...]) -> str:
    return next((name for offset, magic, name in signatures if data.startswith(magic, offset)), "")
