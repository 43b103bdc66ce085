"""The files that are uploaded: one file a kind of input."""

import random
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.soak.contents import audio, image, tensor
from benchmarks.soak.contents.contents import Contents
from benchmarks.soak.upload_plan import Kind
from crossover.errors import UsageError

CONTENTS: Mapping[str, Callable[[Path], Contents]] = {
    "audio": audio.contents,
    "image": image.contents,
    "tensor": tensor.contents,
}


def contents_of(kind: str, model: Path) -> Contents:
    """The files for a kind of input.

    Args:
        model: that they are for.

    Raises:
        UsageError: there are none for this kind.
    """
    if kind not in CONTENTS:
        raise UsageError(f"The soak has no files for {kind or 'a model that is not known here'}; --model names one.")
    return CONTENTS[kind](model)


def make_content(contents: Contents, kind: Kind, seed: str) -> bytes:
    """A file of this kind; a different one for each seed, unless it is empty."""
    chance = random.Random(seed)
    match kind:
        case Kind.TEXT:
            return f"<p>These are words, and nothing else. {chance.random()}</p>".encode()
        case Kind.EMPTY:
            return b""
    return contents.make[kind](chance)
