"""Values given on the command line."""

from pathlib import Path

import pytest

from crossover.errors import UsageError
from crossover.inputs import audio_files, variant_names, whole_numbers

AUDIO = Path(__file__).parents[2] / "model/samples"
VARIANTS = ["standard", "snapstart", "sagemaker"]


def test_a_folder_means_the_audio_files_in_it() -> None:
    files = audio_files([AUDIO])
    assert AUDIO / "misc_crow.flac" in files
    assert AUDIO / "SOURCES.md" not in files
    assert files == sorted(files)


def test_a_file_of_any_format_is_accepted() -> None:
    named = [AUDIO / "SOURCES.md", AUDIO / "misc_crow.flac"]
    assert audio_files(named) == named


@pytest.mark.parametrize("name", ["bird.png", "bird.JPG", "bird.svg"])
def test_a_picture_is_refused_by_its_suffix(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(UsageError, match=rf"{name} is an image \(image/.*\), but the model takes audio"):
        audio_files([AUDIO / "misc_crow.flac", tmp_path / name])


def test_a_folder_without_audio_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UsageError, match=rf"The folder {tmp_path} holds no audio"):
        audio_files([tmp_path])


def test_a_path_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gone\.wav cannot be read: No such file or directory\."):
        audio_files([tmp_path / "gone.wav"])


@pytest.mark.parametrize("text", ["snapstart,standard", "snapstart standard", " snapstart, standard,snapstart "])
def test_variants_are_separated_by_commas_or_spaces(text: str) -> None:
    assert variant_names(text, allowed=VARIANTS) == ["snapstart", "standard"]


def test_no_variant_means_all() -> None:
    assert variant_names("", allowed=VARIANTS) == VARIANTS


def test_an_unknown_variant_is_named_with_those_that_exist() -> None:
    with pytest.raises(UsageError, match=r"no variant 'snap'; there are standard, snapstart, sagemaker\.$"):
        variant_names("standard,snap", allowed=VARIANTS)


def test_numbers_are_separated_by_commas() -> None:
    assert whole_numbers("--memory", "1024, 512,1024") == (1024, 512)
    for text in ("", "512,", "a", "1.5"):
        with pytest.raises(UsageError, match=r"The value of --memory is '.*'; it must be whole numbers"):
            whole_numbers("--memory", text)
