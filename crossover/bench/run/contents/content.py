"""What a kind of input must say of itself, so that files of it can be made for a benchmark."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ORIGINAL = 0
"""The size that leaves a sample as it is."""

Facts = Mapping[str, float]
"""About a file: seconds | width, height | rows."""


@dataclass(frozen=True, kw_only=True)
class Format:
    """A format in which files can be made.

    Attributes:
        suffix: of the files, lower case, with the dot.
        aliases: other suffixes of the same format.
        facts: about a file; raises ValueError where it cannot be read.
        resize: a file of about this size, bytes, from a sample and the variants' limits of its kind; raises ValueError
            where it cannot be made.
    """

    suffix: str
    aliases: tuple[str, ...] = ()
    facts: Callable[[bytes], Facts]
    resize: Callable[[bytes, int, Any], bytes]


@dataclass(frozen=True, kw_only=True)
class Content:
    """How files of a kind of input are made.

    Attributes:
        formats: in which they can be made.
        made_of: what a sample must be, for a message.
        samples: a folder of samples; None where the project has none.
        sizes: that are made by default.
        cpu_seconds: a guess of one prediction's CPU time, on one core, from a file's facts.
    """

    formats: tuple[Format, ...]
    made_of: str
    samples: Path | None
    sizes: str
    cpu_seconds: Callable[[Facts], float]
