"""All bad files, always in the same order."""

from functools import cache

from . import flac, mp3, not_audio, ogg, phones, wav
from .bad_file import BadFile


@cache
def files() -> tuple[BadFile, ...]:
    return tuple(file for module in (not_audio, wav, flac, ogg, mp3, phones) for file in module.files())
