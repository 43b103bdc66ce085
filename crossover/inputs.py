"""Values given on the command line: audio files, variants, numbers."""

import mimetypes
from collections.abc import Collection, Iterable
from itertools import chain
from pathlib import Path

from crossover.errors import UsageError

AUDIO_SUFFIXES = (".3gp", ".aac", ".amr", ".flac", ".m4a", ".mp3", ".mp4", ".oga", ".ogg", ".opus", ".wav", ".webm")


def audio_files(paths: Iterable[Path]) -> list[Path]:
    """The named files, whatever their format, and the audio files in the named folders.

    A file with an image's suffix is refused before anything is deployed.

    Raises:
        UsageError: a path does not exist, cannot be read or is an image, or a folder holds no audio.
    """
    return list(chain.from_iterable(map(_audio_files, paths)))


def _audio_files(path: Path) -> list[Path]:
    try:
        if not path.is_dir():
            with path.open("rb"):
                return [_refuse_image(path)]
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in AUDIO_SUFFIXES and file.is_file())
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    if not files:
        raise UsageError(f"The folder {path} holds no audio: no file in it ends in {' or '.join(AUDIO_SUFFIXES)}.")
    return files


def _refuse_image(path: Path) -> Path:
    media_type, _ = mimetypes.guess_type(path.name)
    if media_type and media_type.startswith("image/"):
        raise UsageError(f"{path} is an image ({media_type}), but the model takes audio: {', '.join(AUDIO_SUFFIXES)}.")
    return path


def split_names(text: str) -> list[str]:
    """Names separated by commas or spaces, each once and in their order."""
    return list(dict.fromkeys(text.replace(",", " ").split()))


def variant_names(text: str, *, allowed: Collection[str]) -> list[str]:
    """Names separated by commas or spaces, each once and in their order; all that are allowed where there are none.

    Raises:
        UsageError: a name is not allowed.
    """
    names = split_names(text) or list(allowed)
    for name in names:
        if name not in allowed:
            raise UsageError(f"There is no variant {name!r}; there are {', '.join(allowed)}.")
    return names


def whole_numbers(name: str, text: str) -> tuple[int, ...]:
    """Whole numbers separated by commas, each once, in their order.

    Args:
        name: of the option, for the error.

    Raises:
        UsageError: it is something else.
    """
    try:
        return tuple(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError:
        raise UsageError(f"The value of {name} is {text!r}; it must be whole numbers separated by commas.") from None
