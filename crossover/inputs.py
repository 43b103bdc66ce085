"""Values given on the command line: files, variants, numbers."""

import mimetypes
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from crossover.errors import UsageError
from crossover.handler_sources import inference
from crossover.model.contract import InputKind


def input_files(paths: Iterable[Path], kind: str = "") -> list[Path]:
    """The named files, whatever their format, and those in the named folders whose suffix is that of the kind.

    A file that another kind of model takes is refused, by its suffix.

    Args:
        kind: of input that the model takes, such as "audio"; empty where it is not known: then any is.

    Raises:
        UsageError: a path does not exist, cannot be read or is of another kind, or a folder holds none of this kind; it
            names all of them.
    """
    kinds: Mapping[str, InputKind] = inference("inputs").KINDS
    wanted = {kind: kinds[kind]} if kind in kinds else kinds
    others = [each for name, each in kinds.items() if name not in wanted]
    found: list[Path] = []
    faults = []
    for path in paths:
        try:
            found += _input_files(path, wanted, others)
        except UsageError as error:
            faults.append(str(error))
    if faults:
        raise UsageError(" ".join(faults))
    return found


def _input_files(path: Path, wanted: Mapping[str, InputKind], others: Collection[InputKind]) -> list[Path]:
    suffixes = [suffix for each in wanted.values() for suffix in each.suffixes]
    try:
        if not path.is_dir():
            with path.open("rb"):
                media_type, _ = mimetypes.guess_type(path.name)
                prefixes = tuple(prefix for each in others for prefix in each.media_types)
                if media_type and media_type.startswith(prefixes) and path.suffix.lower() not in suffixes:
                    taken = f"the model takes {' or '.join(wanted)}: {', '.join(suffixes)}"
                    raise UsageError(f"{path} is {media_type} by its name, but {taken}.")
                return [path]
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in suffixes and file.is_file())
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    if not files:
        names = f"no file in it ends in {' or '.join(suffixes)}"
        raise UsageError(f"The folder {path} holds no {' or '.join(wanted)}: {names}.")
    return files


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
