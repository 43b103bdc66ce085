"""OGG with Vorbis and Opus in it: truncated, with false headers, chained, and small files of long duration.

Pages: https://www.rfc-editor.org/rfc/rfc3533#section-6 ; Opus: https://www.rfc-editor.org/rfc/rfc7845 ;
Vorbis: https://xiph.org/vorbis/doc/Vorbis_I_spec.html
"""

import struct
from collections.abc import Iterator

from . import flac
from .bad_file import BadFile, encode, noise

CONTINUED, FIRST, LAST = 1, 2, 4
EMPTY_COMMENTS = struct.pack("<II", 0, 0)
TOLD = "what is there counts, not what is told"


def page(packets: list[bytes], *, sequence: int = 0, position: int = 0, flags: int = 0, serial: int = 1) -> bytes:
    """A page of whole packets."""
    return raw_page(
        b"".join(b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255]) for packet in packets),
        b"".join(packets),
        sequence=sequence,
        position=position,
        flags=flags,
        serial=serial,
    )


def raw_page(
    segments: bytes,
    body: bytes,
    *,
    sequence: int = 0,
    position: int = 0,
    flags: int = 0,
    serial: int = 1,
    version: int = 0,
) -> bytes:
    header = struct.pack("<4sBBqIII", b"OggS", version, flags, position, serial, sequence, 0)
    return sealed(header + bytes([len(segments)]) + segments + body)


def sealed(page: bytes) -> bytes:
    """The page with its true checksum."""
    page = page[:22] + bytes(4) + page[26:]
    return page[:22] + struct.pack("<I", flac.crc(page, 32, 0x04C11DB7)) + page[26:]


def pages(data: bytes) -> list[bytes]:
    found = []
    while data:
        size = 27 + data[26] + sum(data[27 : 27 + data[26]])
        found.append(data[:size])
        data = data[size:]
    return found


class Bits:
    """Numbers packed as Vorbis does, the lowest bit first."""

    def __init__(self) -> None:
        self.value = self.size = 0

    def put(self, *numbers: tuple[int, int]) -> "Bits":
        """Each with its number of bits."""
        for number, bits in numbers:
            self.value |= number << self.size
            self.size += bits
        return self

    def bytes(self) -> bytes:
        return self.value.to_bytes((self.size + 7) // 8, "little")


def codebook(entries: int, dimensions: int = 1, *, sync: int = 0x564342) -> Bits:
    """Codewords of one length, as many as `entries`, in some 100 bits."""
    length = max(entries.bit_length() - 1, 1)
    book = Bits().put((sync, 24), (dimensions, 16), (entries, 24), (1, 1), (length - 1, 5))
    return book.put((entries, entries.bit_length()), (0, 4))


def vorbis_headers(*books: Bits, channels: int = 1, rate: int = 16_000, blocks: int = 0xDD) -> list[bytes]:
    """Three packets. Blocks of 8,192 samples, of which each gives 4,096 more; one floor, residue, mapping, mode."""
    setup = Bits().put((len(books) - 1, 8))
    for book in books:
        setup.put((book.value, book.size))
    setup.put((0, 6), (0, 16))  # a time domain transform, unused
    setup.put((0, 6), (1, 16), (0, 5), (0, 2), (8, 4))  # a floor of type 1, without partitions
    setup.put((0, 6), (0, 16), (0, 24), (256, 24), (31, 24), (0, 6), (0, 8), (0, 4))  # a residue of type 0
    setup.put((0, 6), (0, 16), (0, 1), (0, 1), (0, 2), (0, 24))  # a mapping
    setup.put((0, 6), (0, 1), (0, 16), (0, 16), (0, 8), (1, 1))  # a mode
    identity = struct.pack("<IBIIIIBB", 0, channels, rate, 0, 0, 0, blocks, 1)
    return [b"\x01vorbis" + identity, b"\x03vorbis" + EMPTY_COMMENTS + b"\1", b"\x05vorbis" + setup.bytes()]


def opus_headers(*, channels: int = 1, rate: int = 16_000, skip: int = 0, version: int = 1) -> list[bytes]:
    mapping = bytes([255, channels, 0, *range(channels)]) if channels > 2 else b"\0"
    return [
        b"OpusHead" + struct.pack("<BBHIh", version, channels, skip, rate, 0) + mapping,
        b"OpusTags" + EMPTY_COMMENTS,
    ]


def stream(headers: list[bytes], packet: bytes, count: int, each: int, position: int | None = None) -> bytes:
    """`count` times the same packet, of `each` frames; `position` is the length that the last page declares."""
    out = [page(headers[:1], flags=FIRST), page(headers[1:], sequence=1)]
    done = 0
    while done < count:
        now = min(255 // (len(packet) // 255 + 1), count - done)
        done += now
        end, last = done * each, done == count
        out.append(
            page(
                [packet] * now,
                sequence=len(out),
                position=end if position is None or not last else position,
                flags=LAST * last,
            )
        )
    return b"".join(out)


def vorbis(count: int = 300, position: int | None = None, **how: int) -> bytes:
    """Silence of 4,096 frames in each packet of a byte."""
    return stream(vorbis_headers(codebook(2), **how), b"\0", count, 4_096, position)


def opus(count: int = 300, position: int | None = None, *, channels: int = 1, **how: int) -> bytes:
    """Silence of 120 ms, 5,760 frames, in each packet of two bytes: six empty frames of 20 ms."""
    packet = b"\xfb\x06" if channels <= 2 else b"\xfb\x06\x00" * (channels - 1) + b"\xfb\x06"
    return stream(opus_headers(channels=channels, **how), packet, count, 5_760, position)


def files() -> Iterator[BadFile]:
    for codec in ("VORBIS", "OPUS"):
        whole = encode(noise(32_000), 16_000, format="OGG", subtype=codec)
        yield from _cut(codec, whole)
        yield from _damaged(codec, whole)
    yield from _lying()
    yield from _bombs()
    yield from _codebooks()
    yield from _chained()


def _cut(codec: str, whole: bytes) -> Iterator[BadFile]:
    """At each page, inside its header, its list of segments, its body."""
    begin, found = 0, pages(whole)
    for number, one in enumerate(found):
        for at in sorted({0, 1, 4, 14, 26, 27, 27 + one[26], 28 + one[26], len(one) - 1}):
            cut = begin + at
            if cut < (18 if codec == "OPUS" else 1):  # up to the serial number all start alike
                continue
            code: str | None = "CORRUPT_AUDIO" if cut >= 4 else "UNSUPPORTED_FORMAT"
            if at < 4 and number > 2:
                code = None
            yield BadFile(
                f"OGG {codec} cut at byte {cut}", whole[:cut], code, "" if code else "it ends with a whole page"
            )
        begin += len(one)


def _damaged(codec: str, whole: bytes) -> Iterator[BadFile]:
    found = pages(whole)
    for number, one in enumerate(found[:4]):
        rest = [found[:number], found[number + 1 :]]

        def with_page(changed: bytes, rest: list[list[bytes]] = rest) -> bytes:
            return b"".join([*rest[0], changed, *rest[1]])

        for what, changed in {
            "a wrong version": sealed(one[:4] + b"\1" + one[5:]),
            "a wrong checksum": one[:22] + bytes([one[22] ^ 1]) + one[23:],
            "a flipped bit in its body": one[:-1] + bytes([one[-1] ^ 1]),
            "a segment too many": one[:26] + bytes([one[26] + 1]) + one[27:],
        }.items():
            yield BadFile(f"OGG {codec} whose page {number} has {what}", with_page(changed), "CORRUPT_AUDIO")
        of_another = sealed(one[:14] + b"\1\2\3\4" + one[18:])
        yield BadFile(f"OGG {codec} whose page {number} is of another stream", with_page(of_another), "CORRUPT_AUDIO")
    yield BadFile(f"OGG {codec} without its first page", b"".join(found[1:]), "CORRUPT_AUDIO")
    yield BadFile(f"OGG {codec} without its second page", b"".join([found[0], *found[2:]]), "CORRUPT_AUDIO")
    twice = b"".join([*found[:2], *found[1:]])
    yield BadFile(f"OGG {codec} whose second page comes twice", twice, None, "it is passed over")
    yield BadFile(f"OGG {codec} with zeros behind it", whole + bytes(10_000), None, "padding is passed over")
    padded = b"".join([*found[:3], bytes(1_000), *found[3:]])
    yield BadFile(f"OGG {codec} with zeros between its pages", padded, None, "padding is passed over")
    # Data in which a page could begin at every fourth byte.
    yield BadFile(f"OGG {codec} and two megabytes of beginnings", whole + b"OggS" * 500_000, "CORRUPT_AUDIO")
    yield BadFile(f"OGG {codec} and two megabytes of false pages", whole + b"OggS\0" * 400_000, "CORRUPT_AUDIO")


def _lying() -> Iterator[BadFile]:
    for codec, make in (("Vorbis", vorbis), ("Opus", opus)):
        for position in (2**40, 2**62, 2**63 - 1, -(2**63), -1):
            code = "CORRUPT_AUDIO" if codec == "Opus" and not 0 <= position <= 2**62 else None
            why = "" if code else TOLD
            yield BadFile(f"OGG {codec} that tells {position} frames", make(position=position), code, why)
        for channels in (9, 32, 255):
            data = make(channels=channels)
            yield BadFile(f"OGG {codec} of {channels} channels", data, "TOO_MANY_CHANNELS")
        yield BadFile(f"OGG {codec} of no channels", make(channels=0), "CORRUPT_AUDIO")
    yield BadFile("OGG Vorbis without packets", vorbis(0), "CORRUPT_AUDIO")
    yield BadFile("OGG Opus without packets", opus(0), "CORRUPT_AUDIO")
    for position in (0, 1_000):
        yield BadFile(f"OGG Vorbis that tells {position} frames", vorbis(position=position), None, TOLD)
        yield BadFile(f"OGG Opus that tells {position} frames", opus(position=position), None, TOLD)
    for rate in (1, 999, 768_001, 10_000_000, 2**31 - 1):
        yield BadFile(f"OGG Vorbis at {rate} Hz", vorbis(rate=rate), "UNSUPPORTED_SAMPLE_RATE")
    for rate in (0, 2**31, 2**32 - 1):
        yield BadFile(f"OGG Vorbis at {rate} Hz", vorbis(rate=rate), "CORRUPT_AUDIO")
    for rate in (0, 1, 10_000_000):
        yield BadFile(f"OGG Opus of {rate} Hz", opus(rate=rate), None, "the rate tells only what was encoded")
    for blocks in (0x00, 0x55, 0xFF, 0x6D, 0xD6):
        yield BadFile(f"OGG Vorbis with blocks {blocks:#x}", vorbis(blocks=blocks), "CORRUPT_AUDIO")
    yield BadFile("OGG Opus of version 0", opus(version=0), None, "all versions below 16 are alike to a reader")
    for version in (16, 255):
        yield BadFile(f"OGG Opus of version {version}", opus(version=version), "CORRUPT_AUDIO")
    yield BadFile("OGG Opus that skips more than it has", opus(1, skip=65_535), "EMPTY_AUDIO")
    for name, comments in (("Vorbis", b"\x03vorbis"), ("Opus", b"OpusTags")):
        headers = vorbis_headers(codebook(2)) if name == "Vorbis" else opus_headers()
        for what, body in (("4 billion comments", (0, 2**32 - 1)), ("a vendor of 4 GB", (2**32 - 1, 0))):
            lying = [headers[0], comments + struct.pack("<II", *body) + b"\1", *headers[2:]]
            yield BadFile(f"OGG {name} with {what}", stream(lying, b"\0", 10, 4_096), None, "it is not needed")
    for seed in range(5):
        packet = bytes((seed * 37 + at * 101) % 256 for at in range(100))
        yield BadFile(f"OGG of an unknown codec {seed}", stream([packet, packet], packet, 10, 960), "CORRUPT_AUDIO")
    info = b"\x7fFLAC\1\0\0\1fLaC" + flac.block(0, flac.stream_info(total=4_000))
    yield BadFile(
        "OGG with FLAC in it",
        stream([info, flac.block(4, EMPTY_COMMENTS, last=True)], flac.silent(0, 4_000), 1, 4_000),
        None,
        "it is usual",
    )


def _bombs() -> Iterator[BadFile]:
    for channels in (1, 2, 8):
        for told in ("", " that tells a second"):
            of = f"of silence in {channels} channels{told}"
            frames = (16_000, 48_000) if told else (None, None)
            data = vorbis(28_000, frames[0], channels=channels)
            yield BadFile(f"OGG Vorbis of 2 hours {of}", data, "AUDIO_TOO_LONG")
            data = opus(60_000, frames[1], channels=channels)
            code = "TOO_MANY_SAMPLES" if channels == 8 else "AUDIO_TOO_LONG"  # Opus has 48 kHz
            yield BadFile(f"OGG Opus of 2 hours {of}", data, code)
    data = vorbis(64_000, rate=655_350, channels=8)
    yield BadFile("OGG Vorbis of 400 s of silence in 8 channels at 655,350 Hz", data, "TOO_MANY_SAMPLES")
    data = stream(vorbis_headers(codebook(2)), b"\0", 10, 4_096)
    many = b"".join([data[:-100], *(page([], sequence=9 + n) for n in range(80_000))])
    yield BadFile("OGG of 80,000 empty pages", many, "CORRUPT_AUDIO")


def _codebooks() -> Iterator[BadFile]:
    """Vorbis headers of a few hundred bytes, at which libvorbis would run out of stack or memory."""
    for bits in (16, 17, 20, 22, 23):
        data = stream(vorbis_headers(codebook(1 << bits)), b"\0", 10, 4_096)
        yield BadFile(f"OGG Vorbis with a codebook of {1 << bits} codewords", data, "CORRUPT_AUDIO")
    for count in (3, 256):
        data = stream(vorbis_headers(*[codebook(1 << 14)] * count), b"\0", 10, 4_096)
        yield BadFile(f"OGG Vorbis with {count} codebooks of 16,384 codewords", data, None, "they fit into memory")
    for dimensions in (0, 65_535):
        data = stream(vorbis_headers(codebook(4, dimensions)), b"\0", 10, 4_096)
        yield BadFile(f"OGG Vorbis with a codebook of {dimensions} dimensions", data, "CORRUPT_AUDIO")
    data = stream(vorbis_headers(codebook(2, sync=0)), b"\0", 10, 4_096)
    yield BadFile("OGG Vorbis with a codebook that does not begin", data, "CORRUPT_AUDIO")
    headers = vorbis_headers(codebook(2))
    for size in (7, 8, 11, 20):
        data = stream([*headers[:2], headers[2][:size]], b"\0", 10, 4_096)
        yield BadFile(f"OGG Vorbis with {size} bytes of setup", data, "CORRUPT_AUDIO")
    setup = headers[2] + bytes(100_000 - len(headers[2]))
    pages_of_setup = [
        page(headers[:1], flags=FIRST),
        page(headers[1:2], sequence=1),
        raw_page(b"\xff" * 255, setup[: 255 * 255], sequence=2),
        raw_page(b"\xff" * 137 + b"\x28", setup[255 * 255 :], sequence=3, flags=CONTINUED),
    ]
    data = b"".join([*pages_of_setup, page([b"\0"] * 10, sequence=4, position=40_960, flags=LAST)])
    yield BadFile("OGG Vorbis with 100,000 bytes of setup", data, None, "most of it is not needed")
    yield BadFile(
        "OGG Vorbis with its headers in disorder",
        stream(headers[::2] + headers[1:2], b"\0", 10, 4_096),
        "CORRUPT_AUDIO",
    )


def _chained() -> Iterator[BadFile]:
    for name, data in (("Vorbis", vorbis()), ("Opus", opus())):
        yield BadFile(f"OGG of 2 {name} streams in a chain", data * 2, None, "all of both is read")
        yield BadFile(f"OGG of 100 {name} streams in a chain", data * 100, "AUDIO_TOO_LONG")
    yield BadFile("OGG of Vorbis and then Opus", vorbis() + opus(), None, "all of both is read")
    empty = b"".join(page([], sequence=number) for number in range(80_000))
    yield BadFile("OGG of nothing but 80,000 empty pages", empty, "CORRUPT_AUDIO")
    both = [page(vorbis_headers(codebook(2))[:1], flags=FIRST), page(opus_headers()[:1], flags=FIRST, serial=2)]
    rest = pages(vorbis())[1:]
    yield BadFile("OGG of Vorbis beside Opus", b"".join([*both, *rest]), None, "there is no Opus but its first page")
