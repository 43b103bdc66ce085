"""The checks before libogg and libvorbis: files that encoders write pass, files that none would write do not."""

import io
import tracemalloc

import numpy as np
import pytest
import soundfile

from inference import ogg
from inference.input_error import InputError

from .bad_files import ogg as bad
from .bad_files.bad_file import encode, noise

SECONDS = 600.0


def refusal(data: bytes, max_seconds: float = SECONDS) -> InputError:
    with pytest.raises(InputError) as caught:
        ogg.check(data, max_seconds)
    return caught.value


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 96_000])
@pytest.mark.parametrize("quality", [0.0, 0.5, 1.0])
def test_streams_of_libvorbis_pass(channels: int, rate: int, quality: float) -> None:
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", rate, channels, format="OGG", compression_level=quality) as out:
        out.write(noise(2_000, channels))
    ogg.check(file.getvalue(), SECONDS)


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_streams_of_libopus_pass(channels: int) -> None:
    ogg.check(encode(noise(50_000, channels), 48_000, format="OGG", subtype="OPUS"), SECONDS)


def test_the_valid_streams_of_the_bad_files_generator_pass() -> None:
    for data in (bad.vorbis(), bad.opus(), bad.vorbis(channels=8)):
        ogg.check(data, SECONDS)


@pytest.mark.parametrize("entries", [1 << 14, 1 << 15])
def test_the_maximum_number_of_codewords_is_accepted(entries: int) -> None:
    ogg.check(bad.stream(bad.vorbis_headers(bad.codebook(entries)), b"\0", 1, 4_096), SECONDS)


def test_codewords_are_added_up_over_all_codebooks() -> None:
    half = bad.codebook(ogg.MAX_CODEWORDS // 2)
    ogg.check(bad.stream(bad.vorbis_headers(half, half), b"\0", 1, 4_096), SECONDS)
    error = refusal(bad.stream(bad.vorbis_headers(half, half, bad.codebook(2)), b"\0", 1, 4_096))
    assert error.code == "CORRUPT_AUDIO"
    assert "codebooks declare more than 32,768 codewords or 131,072 values" in error.message


def test_values_are_limited_as_well_as_codewords() -> None:
    codebook = bad.codebook(ogg.MAX_VALUES // 64, 64)
    ogg.check(bad.stream(bad.vorbis_headers(codebook), b"\0", 1, 4_096), SECONDS)
    assert "codebooks declare" in refusal(bad.stream(bad.vorbis_headers(codebook, codebook), b"\0", 1, 4_096)).message


def sparse_book(used: str) -> bad.Bits:
    """A codebook with a length of 3 for each entry that is used, marked by 1."""
    book = bad.Bits().put((0x564342, 24), (1, 16), (len(used), 24), (0, 1), (1, 1))
    for mark in used:
        book.put((int(mark), 1), *([(2, 5)] if mark == "1" else []))
    return book.put((0, 4))


def dense_book(entries: int, lookup: int, values: int, width: int = 8, dimensions: int = 2) -> bad.Bits:
    """A codebook with a length for each entry, and a table of values of `width` bits."""
    book = bad.Bits().put((0x564342, 24), (dimensions, 16), (entries, 24), (0, 1), (0, 1))
    book.put(*[(4, 5)] * entries, (lookup, 4))
    return book.put((0, 32), (0, 32), (width - 1, 4), (0, 1), *[(1, width)] * values)


@pytest.mark.parametrize(
    "book",
    [
        sparse_book("11111111"),
        sparse_book("0010011010"),
        sparse_book("0"),
        dense_book(16, 1, 4),
        dense_book(24, 1, 4),
        dense_book(25, 1, 5),
        dense_book(26, 1, 5, width=3),
        dense_book(8, 2, 16),
    ],
)
def test_every_kind_of_codebook_is_read_to_its_end(book: bad.Bits) -> None:
    """The next one, which declares too much, is only found after the true end."""
    lying = bad.codebook(1 << 20)
    assert "codebooks declare" in refusal(bad.stream(bad.vorbis_headers(book, lying), b"\0", 1, 4_096)).message


def test_codebooks_without_dimensions_are_refused() -> None:
    data = bad.stream(bad.vorbis_headers(dense_book(16, 1, 4, dimensions=0)), b"\0", 1, 4_096)
    assert "its codebooks are damaged" in refusal(data).message


def test_headers_may_span_pages_that_belong_together() -> None:
    headers = bad.vorbis_headers(bad.codebook(1 << 20))
    comments = headers[1][:-1] + bytes(300) + b"\1"
    first = bad.page(headers[:1], flags=bad.FIRST)
    second = bad.raw_page(b"\xff", comments[:255], sequence=1)
    rest = comments[255:] + headers[2]
    third = [bytes([len(comments) - 255, len(headers[2])]), rest]
    continued = bad.raw_page(third[0], third[1], sequence=2, flags=bad.CONTINUED)
    assert "codebooks declare" in refusal(first + second + continued).message
    # libogg would take these pages for others, or join their packets differently.
    as_new = bad.raw_page(third[0], third[1], sequence=2)
    after_a_gap = bad.raw_page(third[0], third[1], sequence=3, flags=bad.CONTINUED)
    for other in (as_new, after_a_gap):
        assert "pages are missing at its start" in refusal(first + second + other).message


def test_pages_are_counted() -> None:
    silence = bad.pages(bad.vorbis(10))
    many = [*silence[:2], *(bad.page([], sequence=2 + number) for number in range(10_200))]
    ogg.check(b"".join(many[:10_000]), max_seconds=1)
    assert "more than 10100 pages" in refusal(b"".join(many), max_seconds=1).message


def test_the_checksum_is_the_specifications() -> None:
    """The test computes its own from a table of the polynomial; libogg's comes from its encoder."""
    pages = bad.pages(encode(np.zeros((1_000, 1), np.float32), format="OGG"))
    assert [bad.sealed(page) for page in pages] == pages
    ogg.check(b"".join(pages), SECONDS)


def test_a_file_that_ends_within_a_page_is_refused_with_that_reason() -> None:
    assert "its last page ends 3 bytes after the end of the file" in refusal(bad.vorbis()[:-3]).message


def test_an_endless_packet_is_not_collected() -> None:
    headers = bad.vorbis_headers(bad.codebook(2))
    endless = [
        bad.raw_page(b"\xff" * 255, headers[2][:20] + bytes(255 * 255 - 20), sequence=2 + number, flags=number > 0)
        for number in range(40)
    ]
    data = b"".join([bad.page(headers[:1], flags=bad.FIRST), bad.page(headers[1:2], sequence=1), *endless])
    tracemalloc.start()
    try:
        assert "its codebooks are damaged" in refusal(data).message
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < len(data) / 2
