"""What a person names on the command line: audio files and variants."""

from collections.abc import Collection, Iterable
from itertools import chain
from pathlib import Path

from crossover.errors import UsageError

AUDIO_SUFFIXES = (".flac", ".mp3", ".ogg", ".wav")


def audio_files(paths: Iterable[Path]) -> list[Path]:
    """The files that are named, whatever they are, and the audio files in the folders that are named.

    Raises:
        UsageError: a path does not exist or cannot be read, or a folder holds no audio.
    """
    return list(chain.from_iterable(map(_audio_files, paths)))


def _audio_files(path: Path) -> list[Path]:
    try:
        if not path.is_dir():
            with path.open("rb"):
                return [path]
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in AUDIO_SUFFIXES and file.is_file())
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    if not files:
        raise UsageError(f"The folder {path} holds no audio: no file in it ends in {' or '.join(AUDIO_SUFFIXES)}.")
    return files


def variant_names(text: str, *, allowed: Collection[str]) -> list[str]:
    """Names separated by commas or spaces, each once and in their order; all that are allowed where there are none.

    Raises:
        UsageError: a name is not allowed.
    """
    names = list(dict.fromkeys(text.replace(",", " ").split())) or list(allowed)
    for name in names:
        if name not in allowed:
            raise UsageError(f"There is no variant {name!r}; there are {', '.join(allowed)}.")
    return names
