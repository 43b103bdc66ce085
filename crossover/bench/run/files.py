"""The files that are uploaded: made of samples, of the wanted sizes; the same bytes every time."""

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict, cast

from crossover.bench.run.contents import CONTENTS
from crossover.bench.run.contents.content import ORIGINAL, Facts, Format
from crossover.errors import UsageError

UNITS = {"B": 1, "KB": 1024, "MB": 1024**2}
MIN_BYTES = 1024


class FileJson(TypedDict, total=False):
    """A file of the plan in a result, with its facts; results before there were kinds call the source a recording."""

    name: str
    source: str
    size_bytes: int
    sha256: str
    seconds: float
    width: int
    height: int
    rows: int


@dataclass(frozen=True, kw_only=True)
class File:
    """A file of the plan.

    Attributes:
        name: the end of its key.
        source: name of the sample that it was made from.
        size_bytes: of it.
        kind: of input; one of CONTENTS.
        facts: seconds of audio; width and height of a picture, as its header declares them; rows of a tensor.
        content: the bytes; not part of the plan in the result.
        is_original: whether it is the sample itself.
    """

    name: str
    source: str
    size_bytes: int
    kind: str
    facts: Facts
    content: bytes = field(repr=False, compare=False)
    is_original: bool = False

    @property
    def sha256(self) -> str:
        """Of the content."""
        return hashlib.sha256(self.content).hexdigest()

    def to_json(self) -> FileJson:
        """The file in a result."""
        made = {
            "name": self.name,
            "source": self.source,
            "size_bytes": self.size_bytes,
            "sha256": self.sha256,
            **self.facts,
        }
        return cast(FileJson, made)


def parse_sizes(text: str) -> list[int]:
    """Sizes such as 12KB,200KB,2MB, in bytes; KB and MB are powers of 1,024. `original` is ORIGINAL.

    Raises:
        UsageError: one is not a size, or there is none.
    """
    sizes = []
    for part in text.replace(",", " ").split():
        match = re.fullmatch(r"(\d+(?:\.\d+)?)(B|KB|MB)", part)
        size = int(float(match[1]) * UNITS[match[2]]) if match else 0
        if part != "original" and (not match or size < MIN_BYTES):
            raise UsageError(
                f"The size {part!r} is not a size; it must be at least {MIN_BYTES // 1024}KB, as in 12KB or 2MB, or "
                "original."
            )
        sizes.append(ORIGINAL if part == "original" else size)
    if not sizes:
        raise UsageError("There is no size in --sizes; it must have one or more, as in 12KB,200KB,2MB.")
    return sizes


def make_files(
    kind: str,
    samples: Sequence[Path],
    sizes: Iterable[int],
    limits: Any,
    *,
    announce: Callable[[str], None] = lambda _: None,
) -> list[File]:
    """A file of each size in each format of which there is a sample; the samples take turns.

    Args:
        kind: of input; one of CONTENTS.
        samples: files; those that are in no format that can be made are left out, unless they are uploaded as they are.
        sizes: of the files, bytes; or ORIGINAL, for every sample as it is.
        limits: what the variants accept: the kind's own, with `max_bytes`.
        announce: told what is being made.

    Raises:
        UsageError: no sample can be used, or a size is too large, too small or beyond another limit.
    """
    content, samples = CONTENTS[kind], sorted(samples)
    wanted = list(sizes)
    sources = {each: [path for path in samples if _is_in(path, each)] for each in content.formats}
    if not any(sources.values()) and set(wanted) != {ORIGINAL}:
        raise UsageError(
            f"Files of given sizes can be made of none of the {len(samples)} samples: there must be {content.made_of}. "
            "With --sizes original they are uploaded as they are."
        )
    files: list[File] = []
    for number, size in enumerate(wanted):
        if size == ORIGINAL:
            files += [_original(kind, path, limits) for path in samples]
            continue
        if size > limits.max_bytes:
            raise UsageError(f"The size {name_of(size)} is over the variants' limit of {name_of(limits.max_bytes)}.")
        for each, paths in sources.items():
            if paths:
                announce(f"{name_of(size)} of {each.suffix[1:]}")
                files.append(_make(kind, each, paths, size, limits, turn=number))
    return files


def name_of(size: int) -> str:
    """A size in the largest unit that leaves no fraction: 12KB."""
    unit = next(unit for unit in ("MB", "KB", "B") if size % UNITS[unit] == 0)
    return f"{size // UNITS[unit]}{unit}"


def _make(kind: str, wanted: Format, paths: Sequence[Path], size: int, limits: Any, *, turn: int) -> File:
    """From the next sample in turn that fits."""
    problem = ""
    for offset in range(len(paths)):
        path = paths[(turn + offset) % len(paths)]
        try:
            content = wanted.resize(path.read_bytes(), size, limits)
        except ValueError as error:
            problem = f"{path.name}: {error}"
            continue
        return File(
            name=f"{name_of(size)}-{path.stem}{wanted.suffix}",
            source=path.name,
            size_bytes=len(content),
            kind=kind,
            facts=wanted.facts(content),
            content=content,
        )
    raise UsageError(f"No {wanted.suffix[1:].upper()} of {name_of(size)} can be made ({problem}).")


def _original(kind: str, path: Path, limits: Any) -> File:
    data = path.read_bytes()
    if not 0 < len(data) <= limits.max_bytes:
        raise UsageError(f"{path} has {len(data):,} bytes; the variants take from 1 to {limits.max_bytes:,}.")
    facts = next((each.facts(data) for each in CONTENTS[kind].formats if _is_in(path, each)), {})
    return File(
        name=f"original-{path.name}",
        source=path.name,
        size_bytes=len(data),
        kind=kind,
        facts=facts,
        content=data,
        is_original=True,
    )


def _is_in(path: Path, wanted: Format) -> bool:
    if path.suffix.lower() not in (wanted.suffix, *wanted.aliases):
        return False
    try:
        wanted.facts(path.read_bytes())
    except (OSError, ValueError):
        return False
    return True
