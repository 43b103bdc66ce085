"""Pictures of every format, mode and orientation, as users send them."""

import io
import os
import struct
import subprocess
import sys
import warnings
import zlib
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from inference.input_error import InputError
from inference.inputs.image import ImageInput, ImageLimits

from ..conftest import ROOT
from ..pictures import encode, model, photograph, read

LIMITS = ImageLimits()
BILINEAR = Image.Resampling.BILINEAR


def decoded(data: bytes, taker: ImageInput | None = None) -> NDArray[Any]:
    (feed,) = (taker or model()).decode(data, LIMITS).feeds
    return feed["pixels"]


def levels(data: bytes, **metadata: str) -> NDArray[np.uint8]:
    """What the model sees, [height, width, 3]; at the picture's own size where none is given."""
    if "size" not in metadata:
        with Image.open(io.BytesIO(data)) as picture:
            metadata["size"] = f"{picture.height}x{picture.width}"
    seen: NDArray[np.uint8] = decoded(data, model((1, None, None, 3), "uint8", **metadata))[0]
    return seen


def refused(data: bytes, limits: ImageLimits = LIMITS) -> InputError:
    with pytest.raises(InputError) as caught:
        model().decode(data, limits)
    assert caught.value.message.endswith(".")
    return caught.value


# What the model sees of a picture


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "nearest", "lanczos", "box"])
@pytest.mark.parametrize("size", [(31, 17), (300, 400)])
def test_a_picture_is_squashed_as_pillow_resizes(interpolation: str, size: tuple[int, int]) -> None:
    width, height = size
    expected = photograph().resize(size, getattr(Image.Resampling, interpolation.upper()))
    seen = levels(encode(photograph(), "PNG"), size=f"{height}x{width}", interpolation=interpolation)
    np.testing.assert_array_equal(seen, expected)


@pytest.mark.parametrize("ratio", ["1", "0.875", "0.9"])
@pytest.mark.parametrize("shape", [(120, 80), (80, 120), (97, 31), (224, 224), (20, 9), (1, 1), (3, 700)])
def test_a_crop_is_torchvisions_resize_and_centre_crop(ratio: str, shape: tuple[int, int]) -> None:
    picture, side = photograph(*shape), int(64 / float(ratio))
    width, height = picture.size
    longer = int(side * max(shape) / min(shape))
    resized = picture.resize((side, longer) if width <= height else (longer, side), BILINEAR)
    left, top = (round((length - 64) / 2.0) for length in resized.size)
    expected = np.asarray(resized.crop((left, top, left + 64, top + 64)), np.float32) / 255
    expected = (expected - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    normalised = {"mean": "0.485, 0.456, 0.406", "std": "[0.229, 0.224, 0.225]"}
    taker = model(("N", 3, 64, 64), resize="crop", crop_ratio=ratio, **normalised)
    seen = decoded(encode(picture, "PNG"), taker)
    assert seen.dtype == np.float32
    # Pillow may resize a part in another order than the whole, height or width first, which rounds otherwise.
    difference = np.abs(seen[0] - expected.transpose(2, 0, 1)) * 255 * 0.225
    assert difference.max() < 1.1
    assert difference.mean() < 0.3


def test_a_fitted_picture_is_whole_and_padded_around() -> None:
    seen = levels(encode(photograph(120, 80), "PNG"), size="64x60", resize="fit", pad="114")
    np.testing.assert_array_equal(seen[12:52], photograph(120, 80).resize((60, 40), BILINEAR))
    assert set(np.unique(seen[:12])) == set(np.unique(seen[52:])) == {114}


@pytest.mark.parametrize("resize", ["squash", "fit", "crop"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_the_placement_finds_a_point_of_the_upright_picture(resize: str, orientation: int) -> None:
    picture = Image.new("RGB", (200, 100))
    picture.paste((255, 0, 0), (90, 40, 110, 60))
    exif = Image.Exif()
    exif[0x0112] = orientation
    result = model((1, 3, 64, 64), resize=resize).decode(encode(picture, "PNG", exif=exif), LIMITS)
    place = result.placement
    assert place is not None
    upright = (100, 200) if orientation == 6 else (200, 100)
    assert (place.width, place.height) == upright
    assert result.facts == {"width": upright[0], "height": upright[1]}
    rows, columns = np.nonzero(result.feeds[0]["pixels"][0, 0] > 0.5)
    x, y = (length / 2 for length in upright)
    assert columns.mean() + 0.5 == pytest.approx(x * place.scale_x + place.left, abs=0.51)
    assert rows.mean() + 0.5 == pytest.approx(y * place.scale_y + place.top, abs=0.51)
    assert np.ptp(columns) + 1 == pytest.approx(20 * place.scale_x, abs=2)


@pytest.mark.parametrize("resize", ["squash", "fit", "crop"])
@pytest.mark.parametrize("size", [(1, 1), (1, 60_000), (60_000, 1), (5, 4)])
def test_tiny_and_very_long_pictures_are_seen(resize: str, size: tuple[int, int]) -> None:
    result = model(resize=resize).decode(encode(Image.new("L", size, 200), "PNG"), LIMITS)
    assert result.facts == {"width": size[0], "height": size[1]}
    assert np.isclose(result.feeds[0]["pixels"], 200 / 255).any()


# Orientation


@pytest.mark.parametrize("orientation", range(9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("resize", ["squash", "crop"])
def test_a_picture_is_made_upright(kind: str, orientation: int, resize: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    how = {"lossless": True} if kind == "WEBP" else {"quality": 95} if kind == "JPEG" else {}
    data = encode(photograph(), kind, exif=exif, **how)
    with Image.open(io.BytesIO(data)) as picture:
        upright = ImageOps.exif_transpose(picture)
    expected = levels(encode(upright, "PNG"), size="40x33", resize=resize).astype(int)
    seen = levels(data, size="40x33", resize=resize).astype(int)
    assert np.abs(seen - expected).max() <= 2  # it is turned after it was resized, which rounds otherwise


@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"])
def test_an_exif_that_cannot_be_read_turns_nothing(exif: bytes) -> None:
    plain, broken = encode(photograph(), "JPEG"), encode(photograph(), "JPEG", exif=exif)
    np.testing.assert_array_equal(levels(broken, size="80x120"), levels(plain))


# Modes


def gray(seen: NDArray[np.uint8]) -> NDArray[np.uint8]:
    for channel in (1, 2):
        np.testing.assert_array_equal(seen[..., channel], seen[..., 0])
    return seen[..., 0]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "BMP"])
def test_a_gray_picture_has_three_equal_channels(kind: str) -> None:
    picture = photograph().convert("L")
    expected = np.asarray(Image.open(io.BytesIO(encode(picture, kind))))
    np.testing.assert_array_equal(gray(levels(encode(picture, kind))), expected)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_a_picture_of_one_bit_is_black_and_white(kind: str) -> None:
    picture = photograph().convert("1")
    np.testing.assert_array_equal(gray(levels(encode(picture, kind))), np.where(np.asarray(picture), 255, 0))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bits_are_scaled_and_not_cut_off(kind: str) -> None:
    deep = np.linspace(0, 65_535, 256 * 4).astype(np.uint16).reshape(4, 256)
    np.testing.assert_array_equal(gray(levels(encode(Image.fromarray(deep), kind))), deep >> 8)


def test_16_bits_a_colour_are_scaled() -> None:
    deep = np.linspace(0, 65_535, 90).astype(">u2").reshape(1, 30, 3)
    header = struct.pack(">LLBBBBB", 30, 1, 16, 2, 0, 0, 0)
    data = png([(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" + deep.tobytes())), (b"IEND", b"")])
    np.testing.assert_array_equal(levels(data), deep >> 8)


def png(chunks: list[tuple[bytes, bytes]]) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">L", len(body)) + kind + body + struct.pack(">L", zlib.crc32(kind + body))

    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in chunks)


def tiff_with(data: bytes, **tags: int) -> bytes:
    """A little-endian TIFF file of Pillow's, with other short values in its directory."""
    numbers = {"photometric": 262, "sample_format": 339, "subfile": 254}
    changed = bytearray(data)
    (at,) = struct.unpack_from("<L", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    for place in range(at + 2, at + 2 + 12 * count, 12):
        for name, value in tags.items():
            if struct.unpack_from("<H", data, place) == (numbers[name],):
                struct.pack_into("<H", changed, place + 8, value)
    return bytes(changed)


def test_a_tiff_where_zero_is_white_is_turned_to_where_it_is_black() -> None:
    deep = Image.fromarray(np.linspace(0, 65_535, 100).astype(np.uint16).reshape(10, 10))
    data = tiff_with(encode(deep, "TIFF"), photometric=0)
    np.testing.assert_array_equal(gray(levels(data)), 255 - (np.asarray(deep) >> 8))


def test_floating_point_levels_are_from_0_to_1() -> None:
    picture = Image.fromarray(np.linspace(0, 1, 100, dtype=np.float32).reshape(10, 10))
    np.testing.assert_array_equal(gray(levels(encode(picture, "TIFF"))), np.round(np.asarray(picture) * 255))


@pytest.mark.parametrize("level", [-0.1, 1.1, 1000.0, np.nan, np.inf])
def test_other_floating_point_levels_are_refused(level: float) -> None:
    error = refused(encode(Image.fromarray(np.full((9, 9), level, np.float32)), "TIFF"))
    assert error.code == "UNSUPPORTED_FORMAT"
    assert "not numbers from 0 to 1" in error.message


def test_32_bits_are_scaled_and_levels_below_0_refused() -> None:
    deep = np.linspace(0, 2**32 - 1, 100).astype(np.uint32).reshape(10, 10)
    signed = encode(Image.fromarray(deep.view(np.int32)), "TIFF")
    assert refused(signed).code == "UNSUPPORTED_FORMAT"
    np.testing.assert_array_equal(gray(levels(tiff_with(signed, sample_format=1))), deep >> 24)


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_has_the_colours_of_pillow(kind: str) -> None:
    data = encode(photograph().convert("CMYK"), kind)
    with Image.open(io.BytesIO(data)) as picture:
        np.testing.assert_array_equal(levels(data), picture.convert("RGB"))
    assert np.abs(levels(data).astype(int) - np.asarray(photograph(), int)).mean() < 5  # it is not inverted


def test_a_palette_is_resized_in_its_colours() -> None:
    picture = photograph().quantize(16)
    for kind in ("PNG", "GIF", "BMP", "TIFF"):
        data = encode(picture, kind)
        expected = picture.convert("RGB").resize((33, 21), BILINEAR)
        np.testing.assert_array_equal(levels(data, size="21x33"), expected)


# Transparency


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_transparent_is_white(kind: str, mode: str) -> None:
    picture = photograph().convert(mode)
    alpha = np.linspace(0, 255, 120 * 80).astype(np.uint8).reshape(80, 120)
    picture.putalpha(Image.fromarray(alpha))
    how = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    share = alpha[..., np.newaxis] / 255
    expected = np.asarray(picture.convert("RGB"), float) * share + 255 * (1 - share)
    assert np.abs(levels(encode(picture, kind, **how)) - expected).max() <= 1


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "nearest", "lanczos", "box"])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_transparent_is_resized_on_white(mode: str, interpolation: str) -> None:
    picture = photograph().convert(mode)
    picture.putalpha(photograph(seed=2).convert("L").point([0] * 110 + [255] * 146))
    white = Image.new("RGBA", picture.size, "white")
    white.alpha_composite(picture.convert("RGBA"))
    expected = white.convert("RGB").resize((33, 21), getattr(Image.Resampling, interpolation.upper()))
    seen = levels(encode(picture, "PNG"), size="21x33", interpolation=interpolation)
    assert np.abs(seen.astype(int) - np.asarray(expected, int)).max() <= 1


def test_text_on_a_transparent_ground_can_be_read() -> None:
    picture = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    picture.paste((0, 0, 0, 255), (5, 5, 15, 15))
    seen = levels(encode(picture, "PNG"))
    assert seen[0, 0].tolist() == [255] * 3
    assert seen[10, 10].tolist() == [0] * 3


def test_a_palette_and_a_colour_may_be_transparent() -> None:
    palette = Image.new("P", (8, 8), 1)
    palette.putpalette([9, 9, 9, 200, 100, 50])
    palette.paste(0, (0, 0, 4, 8))
    for kind in ("PNG", "GIF"):
        seen = levels(encode(palette, kind, transparency=0))
        assert seen[0, 0].tolist() == [255] * 3
        assert seen[0, 7].tolist() == [200, 100, 50]
    half = encode(palette, "PNG", transparency=bytes([128, 255]))
    assert levels(half)[0, 0].tolist() == pytest.approx([132] * 3, abs=1)
    colour = encode(palette.convert("RGB"), "PNG", transparency=(9, 9, 9))
    assert levels(colour)[0, 0].tolist() == [255] * 3
    assert levels(encode(palette.convert("L"), "PNG", transparency=9))[0, 0].tolist() == [255] * 3


@pytest.mark.parametrize("colour", [0, 2])
def test_a_transparent_colour_of_16_bits_is_compared_in_all_of_them(colour: int) -> None:
    clear, like, low = (0x1234, 0x5678, 0x9ABC), (0x1234, 0x5678, 0x9ABD), (0x3400, 0x7800, 0xBC00)
    deep = np.array([clear, like, low], ">u2")[:, : 1 + colour]
    chunks = [
        (b"IHDR", struct.pack(">LLBBBBB", 3, 1, 16, colour, 0, 0, 0)),
        (b"tRNS", deep[0].tobytes()),
        (b"IDAT", zlib.compress(b"\0" + deep.tobytes())),
        (b"IEND", b""),
    ]
    expected = np.broadcast_to(deep >> 8, (3, 3)).copy()
    expected[0] = 255
    if colour == 0:
        expected[1] = 255  # the same gray
    np.testing.assert_array_equal(levels(png(chunks))[0], expected)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_a_transparent_gray_of_few_bits_is_white(bits: int) -> None:
    chunks = [
        (b"IHDR", struct.pack(">LLBBBBB", 8 // bits, 1, bits, 0, 0, 0, 0)),
        (b"tRNS", b"\0\0"),
        (b"IDAT", zlib.compress(b"\0\0")),
        (b"IEND", b""),
    ]
    assert (levels(png(chunks)) == 255).all()
    chunks[1] = (b"tRNS", b"\0\1")
    assert (levels(png(chunks)) == 0).all()
    if bits > 1:
        chunks[2] = (b"IDAT", zlib.compress(b"\0" + bytes([0x55 if bits == 2 else 0x11])))
        assert (levels(png(chunks)) == 255).all()


@pytest.mark.parametrize("alpha", [0, 128])
def test_a_bmp_whose_alpha_is_zero_everywhere_has_none(alpha: int) -> None:
    header = struct.pack("<2sIIIIiiHHIIiiII", b"BM", 70 + 4, 0, 70, 56, 1, 1, 1, 32, 3, 4, 0, 0, 0, 0)
    masks = struct.pack("<4L", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    seen = levels(header + masks + bytes([30, 20, 10, alpha]))[0, 0].tolist()
    assert seen == ([10, 20, 30] if alpha == 0 else pytest.approx([132, 137, 142], abs=1))


# Several pictures in a file


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_seen(kind: str) -> None:
    frames = [Image.new("RGB", (20, 10), colour) for colour in ((250, 0, 0), (0, 0, 250))]
    data = encode(
        frames[0], kind, save_all=True, append_images=frames[1:], **({"lossless": True} if kind == "WEBP" else {})
    )
    assert levels(data)[5, 5].tolist() == [250, 0, 0]


def test_several_pages_of_a_tiff_are_refused() -> None:
    pages = [photograph(seed=seed) for seed in range(3)]
    error = refused(encode(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    assert error.code == "SEVERAL_PICTURES"
    assert "3 pages" in error.message


def test_a_thumbnail_in_a_tiff_is_no_page() -> None:
    thumbnail = photograph().resize((12, 8))
    data = encode(photograph(), "TIFF", save_all=True, append_images=[thumbnail])
    (first,) = struct.unpack_from("<L", data, 4)
    (count,) = struct.unpack_from("<H", data, first)
    (second,) = struct.unpack_from("<L", data, first + 2 + 12 * count)
    changed = bytearray(data)
    struct.pack_into("<HHLL", changed, second + 2, 254, 4, 1, 1)  # instead of its first entry, its width
    np.testing.assert_array_equal(levels(bytes(changed)), photograph())


def test_the_first_picture_of_a_phones_jpeg_is_seen_and_what_follows_it_passed_over() -> None:
    first, second = photograph(), photograph(seed=1)
    data = encode(first, "MPO", save_all=True, append_images=[second])
    np.testing.assert_array_equal(levels(data), levels(encode(first, "JPEG")))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_bytes_behind_the_picture_are_passed_over(kind: str) -> None:
    data = encode(photograph(), kind)
    np.testing.assert_array_equal(levels(data + bytes(range(256)) * 40), levels(data))


def test_a_video_behind_a_phones_jpeg_does_not_count_as_scans() -> None:
    data = encode(Image.linear_gradient("L").resize((4000, 3000)), "JPEG")
    taker = model()
    video = b"\xff\xda\0\2" * 100
    np.testing.assert_array_equal(decoded(data + video, taker), decoded(data, taker))
    assert "scans" in refused(data.removesuffix(b"\xff\xd9") + b"\xff\x02\xff\xff" + video).message


def test_a_jpeg_of_many_segments_between_its_scans_is_refused() -> None:
    data = encode(photograph(), "JPEG").removesuffix(b"\xff\xd9") + b"\xff\xfe\0\2" * 6000
    assert "segments" in refused(data).message


def test_a_large_text_in_a_png_does_not_matter() -> None:
    chunks = [
        (b"IHDR", struct.pack(">LLBBBBB", 1, 1, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"\0\7")),
        (b"IEND", b""),
    ]
    bomb = (b"zTXt", b"workflow\0\0" + zlib.compress(bytes(50_000_000)))
    assert levels(png([chunks[0], bomb, *chunks[1:]]), size="1").tolist() == [[[7, 7, 7]]]


# JPEG at a part of its size


@pytest.mark.parametrize("resize", ["squash", "fit", "crop"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_large_jpeg_is_decoded_smaller_and_looks_the_same(resize: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(photograph(603, 405), "JPEG", exif=exif, quality=90)
    with Image.open(io.BytesIO(data)) as picture:
        whole = encode(picture.convert("RGB"), "PNG", exif=exif)
    difference = levels(data, size="24x28", resize=resize).astype(int) - levels(whole, size="24x28", resize=resize)
    assert np.abs(difference).max() <= 6
    assert np.abs(difference).mean() < 1


@pytest.mark.parametrize(
    ("width", "side", "size"), [(512, 64, 128), (512, 65, 256), (512, 200, 512), (515, 32, 65), (60, 224, 60)]
)
def test_a_jpeg_is_decoded_at_twice_the_models_size_or_more(
    width: int, side: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from inference.inputs.image_formats import jpeg

    sizes = []
    load = jpeg.load

    def spy(*args: Any, **kwargs: Any) -> Any:
        picture, scale = load(*args, **kwargs)
        sizes.append(picture.width)
        return picture, scale

    monkeypatch.setattr(jpeg, "load", spy)
    decoded(encode(photograph(width, width), "JPEG"), model((1, 3, side, side)))
    assert sizes == [size]


def test_nearest_neighbours_are_those_of_the_whole_jpeg() -> None:
    data = encode(photograph(603, 405), "JPEG")
    with Image.open(io.BytesIO(data)) as picture:
        expected = picture.resize((20, 20), Image.Resampling.NEAREST)
    np.testing.assert_array_equal(levels(data, size="20", interpolation="nearest"), expected)


# What the graph takes


def test_the_layout_is_found_from_the_graph() -> None:
    data, plain = encode(photograph(), "PNG"), np.asarray(photograph().resize((32, 20), BILINEAR), np.float32)
    for shape in ((1, 3, 20, 32), ("batch", 3, 20, 32), (3, 20, 32), (-1, 3, None, None), (None, 1, 3, 20, 32)):
        seen = decoded(data, model(shape, size="20x32", scale="1"))
        assert seen.shape == (*(3 if size == 3 else 1 for size in shape[:-2]), 20, 32)
        np.testing.assert_array_equal(seen.reshape(3, 20, 32), plain.transpose(2, 0, 1))
    for last in ((1, 20, 32, 3), ("batch", None, None, 3), (20, 32, 3)):
        np.testing.assert_array_equal(decoded(data, model(last, size="20x32", scale="1")).reshape(plain.shape), plain)
    for layout, expected in (("NHWC", (1, 20, 32, 3)), ("NCHW", (1, 3, 20, 32))):
        taker = model((None, None, None, None), size="20x32", layout=layout)
        assert decoded(data, taker).shape == expected


def test_a_model_of_one_channel_gets_gray() -> None:
    expected = np.asarray(photograph().convert("L").resize((28, 28), BILINEAR), int)
    for shape in ((28, 28), (1, 28, 28), ("batch", 1, 28, 28), (1, 28, 28, 1), ("batch", 28, 28), (-1, 28, 28)):
        for picture in (photograph(), photograph().convert("L")):
            seen = decoded(encode(picture, "PNG"), model(shape, scale="1"))
            assert seen.shape == tuple(1 if size in ("batch", -1) else size for size in shape)
            assert np.abs(seen.reshape(28, 28) - expected).max() <= 1
    jpeg = decoded(encode(photograph(), "JPEG", quality=95), model((28, 28), scale="1"))
    assert np.abs(jpeg - expected).max() <= 3


def test_bgr_is_rgb_backwards() -> None:
    data = encode(photograph(), "PNG")
    np.testing.assert_array_equal(levels(data, channels="BGR"), levels(data)[..., ::-1])
    means = decoded(data, model(channels="BGR", mean="0.1,0.2,0.3"))[0].mean(axis=(1, 2))
    plain = decoded(data, model())[0].mean(axis=(1, 2))
    np.testing.assert_allclose(means, plain[::-1] - [0.1, 0.2, 0.3], atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "dtype", "metadata", "value"),
    [
        ("float", "float32", {}, 200 / 255),
        ("float16", "float16", {}, 200 / 255),
        ("double", "float64", {}, 200 / 255),
        ("uint8", "uint8", {}, 200),
        ("int32", "int32", {}, 200),
        ("int8", "int8", {"mean": "128"}, 72),
        ("float", "float32", {"scale": "1", "mean": "127", "std": "128"}, 73 / 128),
        ("float", "float32", {"scale": "1/127.5", "mean": "1"}, 200 / 127.5 - 1),
        ("float", "float32", {"mean": "0.5", "std": "0.5"}, 200 / 127.5 - 1),
        ("uint8", "uint8", {"scale": "1/2"}, 100),
        ("float", "float32", {"scale": "1", "std": "1/255"}, 200 * 255),
        ("float", "float32", {"scale": "-1/255", "mean": "-1"}, 1 - 200 / 255),
        ("float", "float32", {"scale": "1", "mean": "123.675", "std": "58.395"}, (200 - 123.675) / 58.395),
    ],
)
def test_levels_are_scaled_and_normalised_in_the_graphs_type(
    kind: str, dtype: str, metadata: dict[str, str], value: float
) -> None:
    seen = decoded(encode(Image.new("L", (9, 9), 200), "PNG"), model((1, 3, 8, 8), kind, **metadata))
    assert seen.dtype == dtype
    assert seen.flags.c_contiguous
    np.testing.assert_array_equal(seen, np.full((1, 3, 8, 8), value, dtype))


@pytest.mark.parametrize(
    ("shape", "kind", "metadata", "fault"),
    [
        ((1, 3, 8, 8), "float", {"size": "0"}, "its size is '0', but must be such as '224' or '480x640'"),
        ((1, 3, 8, 8), "float", {"size": "224 x 224"}, "its size is '224 x 224', but must be"),
        ((1, 3, 8, 8), "float", {"size": "9"}, "its size is '9', but its input has 8x8"),
        ((1, 3, 8, 8), "float", {"size": "8x9"}, "its size is '8x9', but its input has 8x8"),
        ((1, 3, None, None), "float", {}, "its size is not declared, but must be"),
        ((1, 3, 9000, 9000), "float", {}, "its size is 9000x9000, but must be at most 8192"),
        (
            (1, 3, 8, 8),
            "float",
            {"resize": "stretch"},
            "its resize is 'stretch', but must be 'squash', 'fit' or 'crop'",
        ),
        ((1, 3, 8, 8), "float", {"interpolation": "area"}, "its interpolation is 'area', but must be 'bilinear'"),
        ((1, 3, 8, 8), "float", {"resize": "crop", "crop_ratio": "1.1"}, "its crop_ratio is '1.1', but must be"),
        ((1, 3, 8, 8), "float", {"crop_ratio": "0.9"}, "its crop_ratio is given, but has a meaning only"),
        ((1, 3, 8, 8), "float", {"resize": "fit", "pad": "256"}, "its pad is '256', but must be a whole number from 0"),
        ((1, 3, 8, 8), "float", {"pad": "7"}, "its pad is given, but has a meaning only where its resize is 'fit'"),
        ((1, 3, 8, 8), "float", {"layout": "CHW"}, "its layout is 'CHW', but must be 'NCHW' or 'NHWC'"),
        ((None, None, None, None), "float", {"size": "8"}, "its layout is not declared, but must be"),
        ((1, 3, 8, 8), "float", {"channels": "rgb"}, "its channels are 'rgb', but must be 'RGB', 'BGR' or 'GRAY'"),
        ((1, 3, 8, 8), "float", {"channels": "GRAY"}, "its channels are 'GRAY', but its input has 3"),
        ((1, 4, 8, 8), "float", {}, "but must have 1 or 3 channels"),
        ((1, 4, 8, 8), "float", {"layout": "NCHW"}, "its input has 4 channels"),
        ((8, 3, 8, 8), "float", {}, "its input is pixels, tensor(float) [8, 3, 8, 8], but must be one picture"),
        ((8,), "float", {}, "but must be one picture of numbers"),
        ((1, 3, 8, 8), "string", {}, "but must be one picture of numbers"),
        ((1, 3, 8, 8), "float", {"mean": "1,2"}, "its mean is '1,2', but must be 1 or 3 numbers"),
        ((1, 3, 8, 8), "float", {"mean": "a"}, "its mean is 'a', but must be"),
        ((1, 3, 8, 8), "float", {"std": "nan"}, "its std is 'nan', but must be"),
        ((1, 3, 8, 8), "float", {"std": "1,0,1"}, "its std is '1,0,1', but must not be 0"),
        ((1, 3, 8, 8), "float", {"scale": "1/0"}, "its scale is '1/0', but must be"),
        ((1, 3, 8, 8), "float", {"scale": "0"}, "its scale is '0', but must be"),
        ((1, 3, 8, 8), "uint8", {"mean": "128"}, "make levels of -128 to 127, but its input is uint8"),
        ((1, 3, 8, 8), "int8", {}, "make levels of 0 to 255, but its input is int8"),
        ((1, 3, 8, 8), "uint8", {"scale": "1e308"}, "make levels of 0 to inf, but its input is uint8"),
        ((1, 3, 8, 8), "float16", {"scale": "300"}, "make levels of 0 to 76500, but its input is float16"),
        ((1, 3, 8, 8), "float", {"std": "1e-40"}, "make levels of 0 to 1e+40, but its input is float32"),
        ((1, 3, 8, 8), "uint8", {"scale": "1/255"}, "make 2 values of 256 levels in uint8, but must make 16"),
        ((1, 3, 8, 8), "float16", {"scale": "1e-9"}, "make 5 values of 256 levels in float16"),
        (
            (1, 3, 8, 8),
            "float",
            {"mean": "123.675,116.28,103.53", "std": "58.395,57.12,57.375"},
            "its scale makes levels of 0 to 1, but its mean is 123.675; both must be in the same unit",
        ),
        ((1, 3, 8, 8), "float", {"std": "58.4"}, "its scale makes levels of 0 to 1, but its std is 58.4"),
        (
            (1, 3, 8, 8),
            "float",
            {"scale": "1", "mean": "0.485,0.456,0.406", "std": "0.229,0.224,0.225"},
            "its scale makes levels of 0 to 255, but its std is 0.229",
        ),
    ],
)
def test_what_a_contract_lacks_is_told(
    shape: tuple[int | None, ...], kind: str, metadata: dict[str, str], fault: str
) -> None:
    found, faults = read(shape, kind, **metadata)
    assert found is None
    assert len(faults) == 1
    assert fault in faults[0]


def test_all_faults_of_a_contract_are_told_at_once() -> None:
    _, faults = read((1, 3, 8, 8), size="7", resize="no", interpolation="no", std="0", mean="no", channels="no")
    assert len(faults) == 6


def test_two_inputs_are_not_one_picture() -> None:
    faults: list[str] = []
    assert ImageInput.read({}, [], faults) is None
    assert "its input is none, but must be one picture" in faults[0]


# Refused


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded() -> None:
    error = refused(encode(Image.new("L", (1001, 1000)), "PNG"), ImageLimits(max_pixels=1_000_000))
    assert error.code == "IMAGE_TOO_LARGE"
    assert error.message == "The picture has 1,001 x 1,000 = 1,001,000 pixels; at most 1,000,000 are allowed."
    model().decode(encode(Image.new("L", (1000, 1000)), "PNG"), ImageLimits(max_pixels=1_000_000))
    assert "at most 65,535 on a side" in refused(encode(Image.new("L", (65_536, 1)), "PNG")).message


def test_the_limit_is_a_setting() -> None:
    assert ImageLimits.from_environment({"MAX_PIXELS": "123"}).max_pixels == 123


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\0\0\0\x18ftypheic" + bytes(20), "a HEIC picture"),
        (b"\0\0\0\x18ftypavif" + bytes(20), "an AVIF picture"),
        (b"\0\0\0\x18ftypcrx " + bytes(20), "a Canon raw picture"),
        (b"II*\0\x10\0\0\0CR\x02\0" + bytes(20), "a Canon raw picture"),
        (b"%PDF-1.7", "a PDF document"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing"),
        (b"<html>", "text in HTML or XML"),
        (b"hello", "text"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "WAV audio"),
        (bytes(50), "not recognised as a picture"),
    ],
)
def test_other_files_are_named(data: bytes, words: str) -> None:
    error = refused(data)
    assert error.code == "UNSUPPORTED_FORMAT"
    assert f"The file is {words}" in error.message
    assert "JPEG, PNG, WebP, GIF, BMP and TIFF are supported." in error.message


def test_a_cameras_raw_picture_is_not_taken_for_its_preview() -> None:
    tags = {254: 1}
    error = refused(encode(photograph(), "TIFF", tiffinfo=tags))
    assert error.code == "UNSUPPORTED_FORMAT"
    assert "raw picture" in error.message


def test_a_compression_that_is_rare_is_refused_by_its_number() -> None:
    error = refused(encode(photograph().convert("1"), "TIFF", compression="group4"))
    assert error.code == "UNSUPPORTED_FORMAT"
    assert "compression 4" in error.message


def test_a_jpeg_whose_data_end_early_is_refused_though_it_has_an_end_marker() -> None:
    for how in ({}, {"progressive": True}, {"restart_marker_rows": 1}):
        for picture in (photograph(), photograph().convert("L"), photograph().convert("CMYK")):
            data = encode(picture, "JPEG", **how)
            error = refused(data[: data.find(b"\xff\xda") + 60] + b"\xff\xd9")
            assert error.code == "CORRUPT_IMAGE"


def test_a_jpeg_that_is_gray_to_its_end_is_whole() -> None:
    for mode, level in (("RGB", (128, 128, 128)), ("L", 128)):
        picture = Image.new(mode, (100, 60), level)
        assert np.abs(levels(encode(picture, "JPEG")).astype(int) - 128).max() <= 1


def test_a_gif_whose_data_end_early_is_refused_though_it_ends_properly() -> None:
    whole = Image.new("P", (40, 40), 0)
    whole.putpalette([5, 5, 5, 250, 250, 250])
    whole.paste(1, (0, 0, 40, 20))
    shorter = whole.crop((0, 0, 40, 25))
    frame = encode(shorter, "GIF", optimize=False)
    assert levels(encode(whole, "GIF"))[39, 39].tolist() == [5, 5, 5]
    for place in (8, frame.index(b",\0\0\0\0") + 7):
        frame = frame[:place] + struct.pack("<H", 40) + frame[place + 2 :]
    assert refused(frame).code == "CORRUPT_IMAGE"


@pytest.mark.parametrize("interlaced", [0, 1])
@pytest.mark.parametrize("size", [(9, 9), (9, 10), (40, 31)])
@pytest.mark.parametrize(("bits", "colours", "bytes_each"), [(8, 0, 1), (8, 2, 3), (8, 6, 4), (8, 4, 2), (16, 0, 2)])
def test_a_png_whose_rows_lack_is_refused_though_its_checksums_are_right(
    interlaced: int, size: tuple[int, int], bits: int, colours: int, bytes_each: int
) -> None:
    width, height = size
    header = struct.pack(">LLBBBBB", width, height, bits, colours, 0, 0, interlaced)
    rows = [b"\0" + b"\7" * (columns * bytes_each) for columns in _row_widths(width, height, interlaced)]

    def made_of(some: list[bytes]) -> bytes:
        return png([(b"IHDR", header), (b"IDAT", zlib.compress(b"".join(some))), (b"IEND", b"")])

    seen = levels(made_of(rows))
    assert len(np.unique(seen)) == 1  # also where the last pixel happens to be what the memory was before
    for some in (rows[:-1], rows[: len(rows) // 2], []):
        assert refused(made_of(some)).code == "CORRUPT_IMAGE"


def _row_widths(width: int, height: int, interlaced: int) -> list[int]:
    """Of the rows in the order of the file: https://www.w3.org/TR/png-3/#8Interlace"""
    if not interlaced:
        return [width] * height
    passes = ((0, 8, 0, 8), (0, 8, 4, 8), (4, 8, 0, 4), (0, 4, 2, 4), (2, 4, 0, 2), (0, 2, 1, 2), (1, 2, 0, 1))
    return [
        len(range(column, width, columns))
        for row, rows, column, columns in passes
        for _ in range(row, height, rows)
        if column < width
    ]


def test_a_png_of_the_levels_that_memory_is_filled_with_is_whole() -> None:
    from inference.inputs.image_formats.filling import UNUSUAL

    for mode, level in (("L", UNUSUAL[0]), ("RGB", UNUSUAL[:3]), ("RGBA", UNUSUAL), ("1", 255), ("1", 0)):
        assert levels(encode(Image.new(mode, (9, 9), level), "PNG")).shape == (9, 9, 3)


LITTLE_MEMORY = """
import io, resource
from pathlib import Path

from PIL import Image

from inference.inputs.image import ImageLimits
from tests.lambda_src.pictures import model

file, taker = io.BytesIO(), model()
Image.new("RGB", (4000, 2500), "gray").save(file, "WEBP", method=0)
usual = resource.getrlimit(resource.RLIMIT_AS)
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
for free in (20_000_000, 60_000_000):
    resource.setrlimit(resource.RLIMIT_AS, (used + free, usual[1]))
    try:
        taker.decode(file.getvalue(), ImageLimits())
    except MemoryError:
        print("a lack of memory")
    finally:
        resource.setrlimit(resource.RLIMIT_AS, usual)
taker.decode(file.getvalue(), ImageLimits())
"""


def test_a_lack_of_memory_is_not_taken_for_damage() -> None:
    """In a process of its own, where no memory is left over from other tests."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "lambda_src")))}
    command = [sys.executable, "-c", LITTLE_MEMORY]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert answer.stdout.splitlines() == ["a lack of memory"] * 2, answer.stderr
    data = encode(Image.new("RGB", (4000, 2500), "gray"), "WEBP", method=0)
    assert refused(data[: len(data) // 2]).code == "CORRUPT_IMAGE"


def test_a_lack_of_memory_in_pillows_own_decoders_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Any) -> None:
        raise OSError("out of memory error when reading image file")  # Pillow's words

    monkeypatch.setattr("PIL.GifImagePlugin.GifImageFile.load", fail)
    with pytest.raises(MemoryError):
        model().decode(encode(photograph(), "GIF"), LIMITS)


def test_a_part_of_pillow_that_is_missing_is_not_taken_for_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL.GifImagePlugin", None)
    with pytest.raises(ImportError):
        model().decode(encode(photograph(), "GIF"), LIMITS)


def test_a_refusal_writes_no_warning(capfd: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings(record=True) as caught:
        data = encode(photograph(), "TIFF")
        refused(data[: len(data) // 2])
    assert not caught
    assert capfd.readouterr().err == ""


# What the rest knows of the kind


@pytest.mark.parametrize("shape", [(1, 3, 24, 20), (1, 24, 20, 3), (24, 20)])
def test_trials_and_samples_are_as_the_graph_takes_them(shape: tuple[int, ...]) -> None:
    taker = model(shape, mean="0.5", std="0.5")
    trials = list(taker.trials())
    assert [trial.usual for trial in trials] == [True, False, False, False]
    for each in [*(trial.decoded for trial in trials), *(taker.decode(data, LIMITS) for data in taker.samples())]:
        (feed,) = each.feeds
        assert feed["pixels"].shape == shape
        assert feed["pixels"].dtype == np.float32
    values = {trial.what: np.unique(trial.decoded.feeds[0]["pixels"]) for trial in trials}
    assert values["a picture of black"].tolist() == [-1]
    assert values["a picture of white"].tolist() == [1]
    assert len(values["a picture of noise"]) > 200


def test_the_kind_and_its_trials_need_no_decoder() -> None:
    program = (
        "import sys; from inference.inputs.image import ImageInput;"
        "assert not {'PIL', 'numpy'} & set(sys.modules), 'imported';"
        "model = ImageInput(name='x', dtype='float32', shape=(1, 3, 8, 8), channels_last=False, width=8, height=8);"
        "list(model.trials()); assert 'PIL' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT / "lambda_src")
