"""Pictures of given sizes: the pixels of the samples, and no byte more or less than asked for."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from crossover.bench.run.contents import CONTENTS
from crossover.bench.run.files import File, make_files, parse_sizes
from crossover.errors import UsageError
from crossover.handler_sources import inference
from crossover.paths import sources

LIMITS = inference("limits").Limits()
SAMPLES = sources() / "model/image/samples"


def make(*samples: Path, sizes: str) -> list[File]:
    return make_files("image", samples, parse_sizes(sizes), LIMITS)


def pixels(picture: bytes | Path) -> np.ndarray:
    opened = Image.open(io.BytesIO(picture) if isinstance(picture, bytes) else picture)
    upright: np.ndarray = np.asarray(ImageOps.exif_transpose(opened))
    return upright


@pytest.mark.parametrize("sample", sorted(path for path in SAMPLES.iterdir() if path.suffix in (".jpg", ".png")))
def test_a_padded_picture_has_the_size_and_the_pixels_of_its_sample(sample: Path) -> None:
    for file in make(sample, sizes="200KB,1.5MB"):
        assert file.size_bytes == len(file.content)
        assert np.array_equal(pixels(file.content), pixels(sample))
        with Image.open(io.BytesIO(file.content)) as stored:
            assert (file.facts["width"], file.facts["height"]) == stored.size
    assert [file.size_bytes for file in make(sample, sizes="200KB,1.5MB")] == [200 * 1024, 1536 * 1024]


@pytest.mark.parametrize("more", [0, 4, 5, 65_536, 65_537, 65_538, 65_540, 65_541, 131_075])
def test_any_number_of_bytes_from_a_segment_on_can_be_added_to_a_jpeg(more: int) -> None:
    sample = SAMPLES / "chelsea.jpg"
    size = sample.stat().st_size + more
    [file] = make(sample, sizes=f"{size}B")
    assert file.size_bytes == size
    assert np.array_equal(pixels(file.content), pixels(sample))


def test_a_picture_is_not_made_smaller(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"No JPG of 12KB can be made \(chelsea\.jpg: it has 35,042 bytes already"):
        make(SAMPLES / "chelsea.jpg", sizes="12KB")
    tiny = tmp_path / "a.png"
    Image.new("L", (300, 300)).save(tiny)
    with pytest.raises(UsageError, match=r"only padded"):
        make(SAMPLES / "camera.png", sizes="139520B")  # a chunk has 12 bytes at least


def test_both_formats_are_made_and_others_are_left_out(tmp_path: Path) -> None:
    webp = tmp_path / "a.webp"
    Image.new("RGB", (8, 8)).save(webp)
    (tmp_path / "b.jpg").write_bytes(b"no picture")
    samples = [webp, tmp_path / "b.jpg", SAMPLES / "chelsea.jpg", SAMPLES / "camera.png"]
    assert [file.name for file in make(*samples, sizes="200KB")] == ["200KB-chelsea.jpg", "200KB-camera.png"]
    with pytest.raises(UsageError, match="none of the 2 samples: there must be JPEG or PNG"):
        make(*samples[:2], sizes="200KB")


def test_the_guess_grows_with_the_pixels() -> None:
    guess = CONTENTS["image"].cpu_seconds
    assert guess({"width": 4032, "height": 3024}) > guess({"width": 600, "height": 400}) > guess({}) > 0
