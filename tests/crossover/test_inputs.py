"""Values given on the command line."""

from pathlib import Path

import pytest

from crossover.errors import UsageError
from crossover.inputs import input_files, variant_names, whole_numbers

AUDIO = Path(__file__).parents[2] / "model/samples"
PICTURES = Path(__file__).parents[2] / "model/image/samples"
VARIANTS = ["standard", "snapstart", "sagemaker"]


@pytest.mark.parametrize(
    ("folder", "kind", "name"), [(AUDIO, "audio", "misc_crow.flac"), (PICTURES, "image", "rocket.jpg")]
)
def test_a_folder_means_the_files_in_it_that_the_model_takes(folder: Path, kind: str, name: str) -> None:
    files = input_files([folder], kind)
    assert folder / name in files
    assert folder / "SOURCES.md" not in files
    assert files == sorted(files)


def test_where_the_kind_is_not_known_a_folder_means_the_files_of_all_kinds(tmp_path: Path) -> None:
    for name in ("a.FLAC", "b.jpg", "notes.md"):
        (tmp_path / name).touch()
    assert input_files([tmp_path]) == [tmp_path / "a.FLAC", tmp_path / "b.jpg"]
    assert input_files([tmp_path], "of a later release") == input_files([tmp_path])
    assert input_files([tmp_path], "image") == [tmp_path / "b.jpg"]


def test_a_file_of_any_format_is_accepted() -> None:
    named = [AUDIO / "SOURCES.md", AUDIO / "misc_crow.flac"]
    assert input_files(named, "audio") == named
    assert input_files([PICTURES / "rocket.jpg"]) == [PICTURES / "rocket.jpg"]


@pytest.mark.parametrize(
    ("name", "kind", "media_type"),
    [
        ("bird.png", "audio", "image/png"),
        ("bird.JPG", "audio", "image/jpeg"),
        ("bird.svg", "audio", r"image/svg\+xml"),
        ("bird.mp3", "image", "audio/mpeg"),
    ],
)
def test_a_file_of_another_kind_is_refused_by_its_name(tmp_path: Path, name: str, kind: str, media_type: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(UsageError, match=rf"{name} is {media_type} by its name, but the model takes {kind}: \."):
        input_files([AUDIO / "SOURCES.md", tmp_path / name], kind)


def test_a_folder_without_a_file_for_the_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.md").touch()
    (tmp_path / "speech.wav").touch()
    with pytest.raises(UsageError, match=rf"The folder {tmp_path} holds no image: no file in it ends in \.bmp or "):
        input_files([tmp_path], "image")


def test_a_path_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gone\.wav cannot be read: No such file or directory\."):
        input_files([tmp_path / "gone.wav"], "audio")


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


def test_all_files_that_cannot_be_taken_are_named(tmp_path: Path) -> None:
    (tmp_path / "b.png").touch()

    with pytest.raises(UsageError, match=r"a\.wav cannot be read: .*\. .*b\.png is image/png by its name"):
        input_files([tmp_path / "a.wav", tmp_path / "b.png"], "audio")
